// RUN: glm-opt %s --glm-vectorize-kernels | FileCheck %s
// Tile values become views, vectors of the machine's width and places in scratch.

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {

// A map whose only reader is a store needs no scratch; the rest of a row is masked.
// CHECK-LABEL: func.func @double(
// CHECK-SAME: %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: !llvm.ptr {llvm.noalias})
// CHECK-SAME: attributes {glm.scratch = 0 : i64}
// CHECK: scf.for
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK: arith.addf %{{.*}} : vector<16xf32>
// CHECK: llvm.store %{{.*}} : vector<16xf32>, !llvm.ptr
// CHECK: llvm.intr.masked.load
// CHECK: llvm.intr.masked.store
kernel.func @double(%x: !kernel.buffer<?x40xf32>, %y: !kernel.buffer<?x40xf32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x40xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x40xf32> -> !kernel.tile<1x40xf32>
    %d = kernel.map (%t) : (!kernel.tile<1x40xf32>) -> !kernel.tile<1x40xf32> {
    ^bb0(%a: f32):
      %s = arith.addf %a, %a : f32
      kernel.yield %s : f32
    }
    kernel.store_tile %d, %y[%i, %c0] : !kernel.tile<1x40xf32>, !kernel.buffer<?x40xf32>
  }
  kernel.return
}

// A product has a register tile for every number of rows that may be valid, two dot products a step and row.
// CHECK-LABEL: func.func @product(
// CHECK: scf.index_switch
// CHECK: case 1 {
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>) {
// CHECK: x86vector.avx512.dot
// CHECK: case 2 {
kernel.func @product(%x: !kernel.buffer<?x64xbf16>, %w: !kernel.buffer<32x64xbf16, #kernel.panels<32, 2>>, %y: !kernel.buffer<?x32xf32>) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  %n = kernel.dim %x, 0 : !kernel.buffer<?x64xbf16>
  kernel.parallel (%j, %i) to (%c32, %n) step [32, 6] {
    %c = kernel.splat %zero : f32 -> !kernel.tile<6x32xf32>
    %a = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x64xbf16> -> !kernel.tile<6x64xbf16>
    %b = kernel.load_tile %w[%j, %c0] : !kernel.buffer<32x64xbf16, #kernel.panels<32, 2>> -> !kernel.tile<32x64xbf16>
    %d = kernel.mma %a, %b, %c : !kernel.tile<6x64xbf16>, !kernel.tile<32x64xbf16>, !kernel.tile<6x32xf32>
    kernel.store_tile %d, %y[%i, %j] : !kernel.tile<6x32xf32>, !kernel.buffer<?x32xf32>
  }
  kernel.return
}

// What may still be among the best is kept, not the scores: no scratch grows with the context.
// CHECK-LABEL: func.func @top(
// CHECK-SAME: attributes {glm.scratch = {{[0-9]+}} : i64}
kernel.func @top(%x: !kernel.buffer<?x64xf32>, %ids: !kernel.buffer<?x4xi32>) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x64xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %best = kernel.top_k (%t) from %c0 to %c64 step 16 -> !kernel.tile<1x4xi32> {
      %s = kernel.load_tile %x[%i, %t] : !kernel.buffer<?x64xf32> -> !kernel.tile<1x16xf32>
      kernel.yield %s : !kernel.tile<1x16xf32>
    }
    kernel.store_tile %best, %ids[%i, %c0] : !kernel.tile<1x4xi32>, !kernel.buffer<?x4xi32>
  }
  kernel.return
}
}
