// RUN: glm-opt %s --verify-roundtrip | FileCheck %s

// Codes and their companions, and what products read of them.
// CHECK-LABEL: @codes
func.func @codes(%x: tensor<?x64xf32>, %w: tensor<40x64xi8>, %s: tensor<40x1xf32>, %b: tensor<40xi32>, %i: tensor<1xf32>,
                 %o: tensor<1xf32>) -> (tensor<?x40xf32>, tensor<?x40xf32>) {
  // CHECK: glm.quantized %{{.*}}, %{{.*}} : tensor<40x64xi8>, tensor<40x1xf32> -> tensor<40x64x!glm.quantized<i8, 1, 64>>
  %q = glm.quantized %w, %s : tensor<40x64xi8>, tensor<40x1xf32> -> tensor<40x64x!glm.quantized<i8, 1, 64>>
  // CHECK: glm.quantize %{{.*}} columns 64 : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>
  %c, %t = glm.quantize %x columns 64 : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>
  %r = glm.quantized %c, %t : tensor<?x64xi8>, tensor<?x1xf32> -> tensor<?x64x!glm.quantized<i8, 1, 64>>
  // CHECK: glm.linear %{{.*}}, %{{.*}} : tensor<?x64x!glm.quantized<i8, 1, 64>>, tensor<40x64x!glm.quantized<i8, 1, 64>> -> tensor<?x40xf32>
  %y = glm.linear %r, %q : tensor<?x64x!glm.quantized<i8, 1, 64>>, tensor<40x64x!glm.quantized<i8, 1, 64>> -> tensor<?x40xf32>
  // CHECK: glm.quantize_static %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<?x64xi8>
  %d = glm.quantize_static %x, %i, %o : tensor<?x64xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<?x64xi8>
  // CHECK: glm.quantized %{{.*}}, %{{.*}} bias %{{.*}} : tensor<40xi32> : tensor<40x64xi8>
  %p = glm.quantized %w, %s bias %b : tensor<40xi32> : tensor<40x64xi8>, tensor<40x1xf32> -> tensor<40x64x!glm.quantized<i8, 1, 64>>
  // CHECK: glm.linear %{{.*}}, %{{.*}} : tensor<?x64xi8>, tensor<40x64x!glm.quantized<i8, 1, 64>> -> tensor<?x40xf32>
  %z = glm.linear %d, %p : tensor<?x64xi8>, tensor<40x64x!glm.quantized<i8, 1, 64>> -> tensor<?x40xf32>
  return %y, %z : tensor<?x40xf32>, tensor<?x40xf32>
}

// Numbers meet codes of numbers; groups with zeros.
// CHECK-LABEL: @numbers
func.func @numbers(%x: tensor<?x160xf32>, %w: tensor<152x160xf8E4M3FN>, %s: tensor<2x2xf32>, %v: tensor<8x40xbf16>)
    -> (tensor<?x152xf32>, tensor<152x160xf32>) {
  %q = glm.quantized %w, %s : tensor<152x160xf8E4M3FN>, tensor<2x2xf32> -> tensor<152x160x!glm.quantized<f8E4M3FN, 128, 128>>
  // CHECK: glm.linear %{{.*}}, %{{.*}} : tensor<?x160xf32>, tensor<152x160x!glm.quantized<f8E4M3FN, 128, 128>> -> tensor<?x152xf32>
  %y = glm.linear %x, %q : tensor<?x160xf32>, tensor<152x160x!glm.quantized<f8E4M3FN, 128, 128>> -> tensor<?x152xf32>
  // CHECK: glm.dequantize %{{.*}} : tensor<152x160x!glm.quantized<f8E4M3FN, 128, 128>> -> tensor<152x160xf32>
  %n = glm.dequantize %q : tensor<152x160x!glm.quantized<f8E4M3FN, 128, 128>> -> tensor<152x160xf32>
  // CHECK: glm.quantize %{{.*}} columns 32 asymmetric : tensor<8x40xbf16> -> tensor<8x40xi4>, tensor<8x2xf32>, tensor<8x2xi8>
  %c, %t, %z = glm.quantize %v columns 32 asymmetric : tensor<8x40xbf16> -> tensor<8x40xi4>, tensor<8x2xf32>, tensor<8x2xi8>
  // CHECK: glm.quantized %{{.*}}, %{{.*}} zeros %{{.*}} : tensor<8x2xi8> : tensor<8x40xi4>, tensor<8x2xf32>
  %a = glm.quantized %c, %t zeros %z : tensor<8x2xi8> : tensor<8x40xi4>, tensor<8x2xf32> -> tensor<8x40x!glm.quantized<i4, 1, 32>>
  return %y, %n : tensor<?x152xf32>, tensor<152x160xf32>
}
