// RUN: glm-opt %s --verify-roundtrip | FileCheck %s
// Text of what the kernels beside this file do not show.

// Layouts of types, and the machine on the module.
// CHECK: module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64,
module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {

// A packed weight with heads first, a rank-1 buffer as one row, scalars of every kind.
// CHECK-LABEL: kernel.func @memories(
// CHECK-SAME: !kernel.buffer<4x40x64xbf16, #kernel.panels<64, 2>>
kernel.func @memories(%w: !kernel.buffer<4x40x64xbf16, #kernel.panels<64, 2>>, %b: !kernel.buffer<40xf32>,
                      %i: index, %j: i32) {
  %c0 = arith.constant 0 : index
  // CHECK: kernel.load_tile %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] : {{.*}}<4x40x64xbf16, #kernel.panels<64, 2>> -> <64x64xbf16>
  %0 = kernel.load_tile %w[%i, %c0, %c0] : !kernel.buffer<4x40x64xbf16, #kernel.panels<64, 2>> -> !kernel.tile<64x64xbf16>
  // CHECK: kernel.load_scalar %{{.*}}[%{{.*}}] : <40xf32> -> f32
  %1 = kernel.load_scalar %b[%i] : !kernel.buffer<40xf32> -> f32
  // CHECK: kernel.iota : <1x6xf32>
  %2 = kernel.iota : !kernel.tile<1x6xf32>
  // CHECK: kernel.reduce max %{{.*}} along 1 : <1x6xf32> -> <1x1xf32>
  %3 = kernel.reduce max %2 along 1 : !kernel.tile<1x6xf32> -> !kernel.tile<1x1xf32>
  // CHECK: kernel.stack_rows (%{{.*}}) to %{{.*}} -> !kernel.tile<8x6xf32> {
  %4 = kernel.stack_rows (%r) to %i -> !kernel.tile<8x6xf32> {
    kernel.yield %2 : !kernel.tile<1x6xf32>
  }
  kernel.return
}

// Groups hold model ops until they are tiled; launches name kernels.
// CHECK-LABEL: func.func @host
func.func @host(%w: !kernel.buffer<4x40x64xbf16, #kernel.panels<64, 2>>, %b: !kernel.buffer<40xf32>, %i: index, %j: i32) {
  // CHECK: kernel.launch @memories(%{{.*}}, %{{.*}}) outs(%{{.*}}, %{{.*}} : index, i32) : (!kernel.buffer<4x40x64xbf16, #kernel.panels<64, 2>>, !kernel.buffer<40xf32>) -> ()
  kernel.launch @memories(%w, %b) outs(%i, %j : index, i32) : (!kernel.buffer<4x40x64xbf16, #kernel.panels<64, 2>>, !kernel.buffer<40xf32>) -> ()
  // CHECK: kernel.group "rows" schedule <m = 1, n = 64, k = 0> -> (index)
  %g = kernel.group "rows" schedule <m = 1, n = 64, k = 0> -> (index) {
    %0 = arith.constant 1 : index
    kernel.yield %0 : index
  }
  // CHECK: kernel.by_rows less 9 -> (index) {
  // CHECK: } otherwise {
  %f = kernel.by_rows less 9 -> (index) {
    kernel.yield %i : index
  } otherwise {
    kernel.yield %g : index
  }
  func.return
}
}
