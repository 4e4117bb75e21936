// RUN: glm-opt %s --verify-roundtrip | FileCheck %s
// Score and select in one kernel: no matrix of rows by positions exists.

// CHECK-LABEL: kernel.func @index(
// CHECK: kernel.top_k (%[[T:.*]]) from %{{.*}} to %{{.*}} step 16 -> {{.*}}<1x10xi32> {
// CHECK: kernel.load_tile %{{.*}}[%{{.*}}, %[[T]]] : !kernel.cache<32xf32, #kernel.lines<16>> -> <16x32xf32>
// CHECK: kernel.reduce sum %{{.*}} along 0 : <8x16xf32> -> <1x16xf32>
// CHECK: kernel.yield %{{.*}} : {{.*}}<1x16xf32>
kernel.func @index(%iq: !kernel.buffer<?x8x32xf32>, %weights: !kernel.buffer<?x8x1xf32>,
                   %rows: !kernel.buffer<?x4xi32>, %cache: !kernel.cache<32xf32, #kernel.lines<16>>,
                   %selection: !kernel.buffer<?x10xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.0625 : f32
  %init = kernel.splat %zero : f32 -> !kernel.tile<8x16xf32>
  %n = kernel.dim %iq, 0 : !kernel.buffer<?x8x32xf32>
  %flat = kernel.flatten %weights : !kernel.buffer<?x8x1xf32> -> !kernel.buffer<?x1xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %s32 = kernel.load_scalar %rows[%i, %c1] : !kernel.buffer<?x4xi32> -> i32
    %p32 = kernel.load_scalar %rows[%i, %c2] : !kernel.buffer<?x4xi32> -> i32
    %slot = arith.index_cast %s32 : i32 to index
    %pos = arith.index_cast %p32 : i32 to index
    %count = arith.addi %pos, %c1 : index
    %q = kernel.load_tile %iq[%i, %c0, %c0] : !kernel.buffer<?x8x32xf32> -> !kernel.tile<8x32xf32>
    %first = arith.muli %i, %c8 : index
    %w = kernel.load_tile %flat[%first, %c0] : !kernel.buffer<?x1xf32> -> !kernel.tile<8x1xf32>
    %ids = kernel.top_k (%t) from %c0 to %count step 16 -> !kernel.tile<1x10xi32> {
      %keys = kernel.load_tile %cache[%slot, %t] : !kernel.cache<32xf32, #kernel.lines<16>> -> !kernel.tile<16x32xf32>
      %s = kernel.mma %q, %keys, %init : !kernel.tile<8x32xf32>, !kernel.tile<16x32xf32>, !kernel.tile<8x16xf32>
      %r = kernel.map (%s, %w) : (!kernel.tile<8x16xf32>, !kernel.tile<8x1xf32>) -> !kernel.tile<8x16xf32> {
      ^bb0(%a: f32, %b: f32):
        %0 = arith.maximumf %a, %zero : f32
        %1 = arith.mulf %0, %b : f32
        kernel.yield %1 : f32
      }
      %sum = kernel.reduce sum %r along 0 : !kernel.tile<8x16xf32> -> !kernel.tile<1x16xf32>
      %scaled = kernel.map (%sum) : (!kernel.tile<1x16xf32>) -> !kernel.tile<1x16xf32> {
      ^bb0(%a: f32):
        %0 = arith.mulf %a, %scale : f32
        kernel.yield %0 : f32
      }
      kernel.yield %scaled : !kernel.tile<1x16xf32>
    }
    kernel.store_tile %ids, %selection[%i, %c0] : !kernel.tile<1x10xi32>, !kernel.buffer<?x10xi32>
  }
  kernel.return
}

// Index keys are appended to a cache packed in lines.
// CHECK-LABEL: kernel.func @append_key(
kernel.func @append_key(%x: !kernel.buffer<?x32xf32>, %rows: !kernel.buffer<?x4xi32>,
                        %cache: !kernel.cache<32xf32, #kernel.lines<16>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x32xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %s32 = kernel.load_scalar %rows[%i, %c1] : !kernel.buffer<?x4xi32> -> i32
    %p32 = kernel.load_scalar %rows[%i, %c2] : !kernel.buffer<?x4xi32> -> i32
    %slot = arith.index_cast %s32 : i32 to index
    %pos = arith.index_cast %p32 : i32 to index
    %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x32xf32> -> !kernel.tile<1x32xf32>
    kernel.store_tile %t, %cache[%slot, %pos] : !kernel.tile<1x32xf32>, !kernel.cache<32xf32, #kernel.lines<16>>
  }
  kernel.return
}

// Two rows share a stream of numbered scores, each with its own end; their scores come with them.
// CHECK-LABEL: kernel.func @merge(
// CHECK: %{{.*}}, %{{.*}} = kernel.top_k (%{{.*}}) from %{{.*}} to %{{.*}}, %{{.*}} step 16 -> (!kernel.tile<2x4xi32>, !kernel.tile<2x4xf32>) {
// CHECK: kernel.yield %{{.*}}, %{{.*}} : {{.*}}<2x16xf32>, {{.*}}<1x16xi32>
kernel.func @merge(%x: !kernel.buffer<?x32xf32>, %numbers: !kernel.buffer<1x32xi32>,
                   %ids: !kernel.buffer<?x4xi32> {kernel.updated}, %scores: !kernel.buffer<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %c30 = arith.constant 30 : index
  %w = kernel.workers
  %n = kernel.dim %x, 0 : !kernel.buffer<?x32xf32>
  kernel.parallel (%i) to (%n) step [2] {
    %best, %kept = kernel.top_k (%t) from %c0 to %c30, %w step 16 -> (!kernel.tile<2x4xi32>, !kernel.tile<2x4xf32>) {
      %s = kernel.load_tile %x[%i, %t] : !kernel.buffer<?x32xf32> -> !kernel.tile<2x16xf32>
      %id = kernel.load_tile %numbers[%c0, %t] inside : !kernel.buffer<1x32xi32> -> !kernel.tile<1x16xi32>
      kernel.yield %s, %id : !kernel.tile<2x16xf32>, !kernel.tile<1x16xi32>
    }
    kernel.store_tile %best, %ids[%i, %c0] : !kernel.tile<2x4xi32>, !kernel.buffer<?x4xi32>
    kernel.store_tile %kept, %scores[%i, %c0] : !kernel.tile<2x4xf32>, !kernel.buffer<?x4xf32>
  }
  kernel.return
}
