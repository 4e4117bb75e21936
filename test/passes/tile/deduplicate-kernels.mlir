// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles --glm-tile-and-fuse --glm-deduplicate-kernels | FileCheck %s

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  // Two linears of one shape are one kernel; another shape is another.
  // CHECK-LABEL: func.func private @products
  // CHECK: kernel.launch @linear_64x64_f32(%arg0, %arg1)
  // CHECK: kernel.launch @linear_64x64_f32(%{{.*}}, %arg2)
  // CHECK: kernel.launch @linear_64x40_f32
  func.func private @products(%x: tensor<?x64xf32>, %a: tensor<64x64xf32>, %b: tensor<64x64xf32>,
                              %c: tensor<40x64xf32>) -> tensor<?x40xf32> {
    %0 = glm.linear %x, %a : tensor<?x64xf32>, tensor<64x64xf32> -> tensor<?x64xf32>
    %1 = glm.linear %0, %b : tensor<?x64xf32>, tensor<64x64xf32> -> tensor<?x64xf32>
    %2 = glm.linear %1, %c : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
    return %2 : tensor<?x40xf32>
  }

  // Kernels of one name that differ are numbered, not merged: here in eps.
  // CHECK-LABEL: func.func private @norms
  // CHECK: kernel.launch @rows_norm_64_f32(%arg0
  // CHECK: kernel.launch @rows_norm_64_f32_1(
  func.func private @norms(%x: tensor<?x64xf32>, %g: tensor<64xbf16>, %w: tensor<64x64xf32>)
      -> tensor<?x64xf32> {
    %0 = glm.rms_norm %x, %g eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
    %1 = glm.linear %0, %w : tensor<?x64xf32>, tensor<64x64xf32> -> tensor<?x64xf32>
    %2 = glm.rms_norm %1, %g eps 1.0e-06 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
    return %2 : tensor<?x64xf32>
  }
}
// CHECK: kernel.func @linear_64x64_f32(
// CHECK-NOT: kernel.func @linear_64x64_f32_
