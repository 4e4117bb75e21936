// RUN: glm-opt %s --verify-diagnostics --split-input-file

// expected-error@+1 {{codes are i8, i4 or f8E4M3FN, not 'i16'}}
func.func private @code(tensor<4x4x!glm.quantized<i16, 1, 4>>)

// -----

// expected-error@+1 {{a block has at least one row and one column, not 0 and 4}}
func.func private @block(tensor<4x4x!glm.quantized<i8, 0, 4>>)

// -----

// glm.quantized C1: the codes are the result's.
func.func @codes(%c: tensor<40x64xi8>, %s: tensor<40x1xf32>) {
  // expected-error@+1 {{'glm.quantized' op codes has elements of 'i8', expected 'i4'}}
  %0 = glm.quantized %c, %s : tensor<40x64xi8>, tensor<40x1xf32> -> tensor<40x64x!glm.quantized<i4, 1, 64>>
  return
}

// -----

// glm.quantized C2: one scale for each block, partial ones too.
func.func @scales(%c: tensor<576x64xf8E4M3FN>, %s: tensor<4x1xf32>) {
  // expected-error@+1 {{'glm.quantized' op scales is [4, 1], expected [5, 1]}}
  %0 = glm.quantized %c, %s : tensor<576x64xf8E4M3FN>, tensor<4x1xf32> -> tensor<576x64x!glm.quantized<f8E4M3FN, 128, 128>>
  return
}

// -----

// glm.quantized C3: products of numbers have no integer sums.
func.func @bias(%c: tensor<128x64xf8E4M3FN>, %s: tensor<1x1xf32>, %b: tensor<128xi32>) {
  // expected-error@+1 {{'glm.quantized' op has a bias for 'tensor<128x64x!glm.quantized<f8E4M3FN, 128, 128>>', whose products have no integer sums}}
  %0 = glm.quantized %c, %s bias %b : tensor<128xi32> : tensor<128x64xf8E4M3FN>, tensor<1x1xf32> -> tensor<128x64x!glm.quantized<f8E4M3FN, 128, 128>>
  return
}

// -----

// glm.quantize C1: a scale for each run.
func.func @runs(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{'glm.quantize' op scales is [?, 1], expected [?, 2]}}
  %0, %1 = glm.quantize %x columns 32 : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>
  return
}

// -----

// glm.quantize C2: codes are integers.
func.func @floats(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{'glm.quantize' op makes codes of i8 or i4, not 'f8E4M3FN'}}
  %0, %1 = glm.quantize %x columns 64 : tensor<?x64xf32> -> tensor<?x64xf8E4M3FN>, tensor<?x1xf32>
  return
}

// -----

// glm.quantize C2: zeros belong to asymmetric codes.
func.func @zeros(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{'glm.quantize' op has zeros if and only if it is asymmetric, in i4}}
  %0, %1 = glm.quantize %x columns 64 asymmetric : tensor<?x64xf32> -> tensor<?x64xi4>, tensor<?x1xf32>
  return
}

// -----

// glm.quantize_static C1: one scale for all.
func.func @static(%x: tensor<?x64xf32>, %s: tensor<2xf32>, %o: tensor<1xf32>) {
  // expected-error@+1 {{'glm.quantize_static' op scale is [2], expected [1]}}
  %0 = glm.quantize_static %x, %s, %o : tensor<?x64xf32>, tensor<2xf32>, tensor<1xf32> -> tensor<?x64xi8>
  return
}

// -----

// glm.dequantize C1: the shape is kept.
func.func @numbers(%q: tensor<128x64x!glm.quantized<f8E4M3FN, 128, 128>>) {
  // expected-error@+1 {{'glm.dequantize' op result is [64, 128], expected [128, 64]}}
  %0 = glm.dequantize %q : tensor<128x64x!glm.quantized<f8E4M3FN, 128, 128>> -> tensor<64x128xf32>
  return
}

// -----

// glm.linear C3: numbers do not meet integer codes.
func.func @mixed(%x: tensor<?x64xf32>, %q: tensor<40x64x!glm.quantized<i8, 1, 64>>) {
  // expected-error@+1 {{'glm.linear' op multiplies 'f32' by '!glm.quantized<i8, 1, 64>': numbers meet numbers or codes of numbers, integer codes meet integer codes with one scale a row}}
  %0 = glm.linear %x, %q : tensor<?x64xf32>, tensor<40x64x!glm.quantized<i8, 1, 64>> -> tensor<?x40xf32>
  return
}
