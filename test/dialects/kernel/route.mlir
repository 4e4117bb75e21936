// RUN: glm-opt %s --verify-roundtrip | FileCheck %s
// Routing: experts of every row; pairs laid out by expert; their results added up.

// CHECK-LABEL: kernel.func @route(
// CHECK: kernel.select_experts %{{.*}} groups 4 kept 2 : <1x16xf32> -> <1x4xi32>
// CHECK: kernel.take_columns %{{.*}}, %{{.*}} : <1x16xf32>, <1x4xi32> -> <1x4xf32>
kernel.func @route(%logits: !kernel.buffer<?x16xf32>, %bias: !kernel.buffer<16xf32>,
                   %ids: !kernel.buffer<?x4xi32>, %weights: !kernel.buffer<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %factor = arith.constant 2.5 : f32
  %n = kernel.dim %logits, 0 : !kernel.buffer<?x16xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %x = kernel.load_tile %logits[%i, %c0] : !kernel.buffer<?x16xf32> -> !kernel.tile<1x16xf32>
    %s = kernel.map (%x) : (!kernel.tile<1x16xf32>) -> !kernel.tile<1x16xf32> {
    ^bb0(%a: f32):
      %0 = arith.negf %a : f32
      %1 = math.exp %0 : f32
      %2 = arith.addf %1, %one : f32
      %3 = arith.divf %one, %2 : f32
      kernel.yield %3 : f32
    }
    %b = kernel.load_tile %bias[%c0] : !kernel.buffer<16xf32> -> !kernel.tile<1x16xf32>
    %v = kernel.map (%s, %b) : (!kernel.tile<1x16xf32>, !kernel.tile<1x16xf32>) -> !kernel.tile<1x16xf32> {
    ^bb0(%a: f32, %c: f32):
      %0 = arith.addf %a, %c : f32
      kernel.yield %0 : f32
    }
    %chosen = kernel.select_experts %v groups 4 kept 2 : !kernel.tile<1x16xf32> -> !kernel.tile<1x4xi32>
    %w = kernel.take_columns %s, %chosen : !kernel.tile<1x16xf32>, !kernel.tile<1x4xi32> -> !kernel.tile<1x4xf32>
    %sum = kernel.reduce sum %w along 1 : !kernel.tile<1x4xf32> -> !kernel.tile<1x1xf32>
    %normal = kernel.map (%w, %sum) : (!kernel.tile<1x4xf32>, !kernel.tile<1x1xf32>) -> !kernel.tile<1x4xf32> {
    ^bb0(%a: f32, %t: f32):
      %0 = arith.divf %a, %t : f32
      %1 = arith.mulf %0, %factor : f32
      kernel.yield %1 : f32
    }
    kernel.store_tile %chosen, %ids[%i, %c0] : !kernel.tile<1x4xi32>, !kernel.buffer<?x4xi32>
    kernel.store_tile %normal, %weights[%i, %c0] : !kernel.tile<1x4xf32>, !kernel.buffer<?x4xf32>
  }
  kernel.return
}

// CHECK-LABEL: kernel.func @group(
// CHECK: kernel.group_rows %{{.*}} into
kernel.func @group(%ids: !kernel.buffer<?x4xi32>, %order: !kernel.buffer<?x4xi32>, %inverse: !kernel.buffer<?x4xi32>,
                   %offsets: !kernel.buffer<17xi32>, %active: !kernel.buffer<17xi32>) {
  kernel.group_rows %ids into %order, %inverse, %offsets, %active
    : !kernel.buffer<?x4xi32>, !kernel.buffer<?x4xi32>, !kernel.buffer<?x4xi32>, !kernel.buffer<17xi32>, !kernel.buffer<17xi32>
  kernel.return
}

// CHECK-LABEL: kernel.func @combine(
// CHECK: scf.for {{.*}} -> (!kernel.tile<1x40xf32>)
kernel.func @combine(%x: !kernel.buffer<?x4x40xf32>, %inverse: !kernel.buffer<?x4xi32>, %weights: !kernel.buffer<?x4xf32>,
                     %shared: !kernel.buffer<?x40xf32>, %y: !kernel.buffer<?x40xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %n = kernel.dim %shared, 0 : !kernel.buffer<?x40xf32>
  %pairs = kernel.flatten %x : !kernel.buffer<?x4x40xf32> -> !kernel.buffer<?x40xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %start = kernel.load_tile %shared[%i, %c0] : !kernel.buffer<?x40xf32> -> !kernel.tile<1x40xf32>
    %sum = scf.for %j = %c0 to %c4 step %c1 iter_args(%acc = %start) -> (!kernel.tile<1x40xf32>) {
      %p32 = kernel.load_scalar %inverse[%i, %j] : !kernel.buffer<?x4xi32> -> i32
      %p = arith.index_cast %p32 : i32 to index
      %w = kernel.load_scalar %weights[%i, %j] : !kernel.buffer<?x4xf32> -> f32
      %row = kernel.load_tile %pairs[%p, %c0] : !kernel.buffer<?x40xf32> -> !kernel.tile<1x40xf32>
      %next = kernel.map (%acc, %row) : (!kernel.tile<1x40xf32>, !kernel.tile<1x40xf32>) -> !kernel.tile<1x40xf32> {
      ^bb0(%a: f32, %r: f32):
        %0 = arith.mulf %r, %w : f32
        %1 = arith.addf %a, %0 : f32
        kernel.yield %1 : f32
      }
      scf.yield %next : !kernel.tile<1x40xf32>
    }
    kernel.store_tile %sum, %y[%i, %c0] : !kernel.tile<1x40xf32>, !kernel.buffer<?x40xf32>
  }
  kernel.return
}
