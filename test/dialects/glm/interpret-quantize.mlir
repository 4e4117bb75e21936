// RUN: glm-opt %s --glm-interpret -o /dev/null --verify-diagnostics --split-input-file
// RUN: glm-opt %s --glm-interpret=f64 -o /dev/null --verify-diagnostics --split-input-file

// The worked example of the static format: codes (3, -3), bias 1, y = 0.05 * (2 * 3 + -3 * -3 + 1).
func.func @static() -> (tensor<1x1xf32> {glm.expected = dense<[[0.8]]> : tensor<1x1xf32>}) {
  %x = arith.constant dense<[[1.0, -2.0]]> : tensor<1x2xf32>
  %w = arith.constant dense<[[2, -3]]> : tensor<1x2xi8>
  %d = arith.constant dense<[[0.05]]> : tensor<1x1xf32>
  %b = arith.constant dense<[1]> : tensor<1xi32>
  %s = arith.constant dense<[0.5]> : tensor<1xf32>
  %o = arith.constant dense<[1.0]> : tensor<1xf32>
  %c = glm.quantize_static %x, %s, %o : tensor<1x2xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<1x2xi8>
  %q = glm.quantized %w, %d bias %b : tensor<1xi32> : tensor<1x2xi8>, tensor<1x1xf32> -> tensor<1x2x!glm.quantized<i8, 1, 2>>
  %y = glm.linear %c, %q : tensor<1x2xi8>, tensor<1x2x!glm.quantized<i8, 1, 2>> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// The largest magnitude is 127, ties go to the even code (31.75 / 0.5 = 63.5), a row of zeros has a scale of zero.
func.func @rows() -> (tensor<3x2xf32> {glm.expected = dense<[[-127.0, 64.0], [0.0, 0.0], [127.0, 1.0]]> : tensor<3x2xf32>},
                      tensor<3x1xf32> {glm.expected = dense<[[0.5], [0.0], [1.0]]> : tensor<3x1xf32>}) {
  %x = arith.constant dense<[[-63.5, 31.75], [0.0, 0.0], [127.0, 1.4]]> : tensor<3x2xf32>
  %one = arith.constant dense<1.0> : tensor<3x1xf32>
  %c, %s = glm.quantize %x columns 2 : tensor<3x2xf32> -> tensor<3x2xi8>, tensor<3x1xf32>
  // Codes are read by a linear with an identity of scale 1.
  %i = arith.constant dense<[[1, 0], [0, 1]]> : tensor<2x2xi8>
  %t = arith.constant dense<1.0> : tensor<2x1xf32>
  %q = glm.quantized %i, %t : tensor<2x2xi8>, tensor<2x1xf32> -> tensor<2x2x!glm.quantized<i8, 1, 2>>
  %y = glm.linear %c, %q : tensor<3x2xi8>, tensor<2x2x!glm.quantized<i8, 1, 2>> -> tensor<3x2xf32>
  return %y, %s : tensor<3x2xf32>, tensor<3x1xf32>
}

// -----

// Numbers of 8 bits: 0x38 is 1, 0xb8 -1, 0x39 1.125, 0x7e 448; scales 2 and 3 for blocks of one row by two columns.
func.func @numbers() -> (tensor<1x1xf32> {glm.expected = dense<[[1341.25]]> : tensor<1x1xf32>},
                         tensor<1x4xf32> {glm.expected = dense<[[2.0, 2.25, -3.0, 1344.0]]> : tensor<1x4xf32>}) {
  %x = arith.constant dense<[[-1.0, 1.0, 1.0, 1.0]]> : tensor<1x4xf32>
  %w = arith.constant dense<[[1.0, 1.125, -1.0, 448.0]]> : tensor<1x4xf8E4M3FN>
  %s = arith.constant dense<[[2.0, 3.0]]> : tensor<1x2xf32>
  %q = glm.quantized %w, %s : tensor<1x4xf8E4M3FN>, tensor<1x2xf32> -> tensor<1x4x!glm.quantized<f8E4M3FN, 1, 2>>
  %y = glm.linear %x, %q : tensor<1x4xf32>, tensor<1x4x!glm.quantized<f8E4M3FN, 1, 2>> -> tensor<1x1xf32>
  %n = glm.dequantize %q : tensor<1x4x!glm.quantized<f8E4M3FN, 1, 2>> -> tensor<1x4xf32>
  return %y, %n : tensor<1x1xf32>, tensor<1x4xf32>
}

// -----

// Four bits with a zero: 0 to 15 and -15 to 0 become all codes, so nothing is rounded.
func.func @zeros() -> (tensor<1x2xf32> {glm.expected = dense<[[18.0, -14.0]]> : tensor<1x2xf32>},
                       tensor<2x4xf32> {glm.expected = dense<[[0.0, 15.0, 3.0, 15.0], [-15.0, -1.0, -13.0, -15.0]]> : tensor<2x4xf32>}) {
  %w = arith.constant dense<[[0.0, 15.0, 3.0, 15.0], [-15.0, -1.0, -13.0, -15.0]]> : tensor<2x4xf32>
  %c, %s, %z = glm.quantize %w columns 2 asymmetric : tensor<2x4xf32> -> tensor<2x4xi4>, tensor<2x2xf32>, tensor<2x2xi8>
  %q = glm.quantized %c, %s zeros %z : tensor<2x2xi8> : tensor<2x4xi4>, tensor<2x2xf32> -> tensor<2x4x!glm.quantized<i4, 1, 2>>
  %x = arith.constant dense<[[0, 1, 1, 0]]> : tensor<1x4xi8>
  %y = glm.linear %x, %q : tensor<1x4xi8>, tensor<2x4x!glm.quantized<i4, 1, 2>> -> tensor<1x2xf32>
  %n = glm.dequantize %q : tensor<2x4x!glm.quantized<i4, 1, 2>> -> tensor<2x4xf32>
  return %y, %n : tensor<1x2xf32>, tensor<2x4xf32>
}
