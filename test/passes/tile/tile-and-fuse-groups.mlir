// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles=block=2048 --glm-tile-and-fuse | FileCheck %s

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  func.func private @group(%xb: tensor<?x4096xbf16>, %x: tensor<?x4096xf32>, %a: tensor<1024x4096xbf16>, %b: tensor<40x4096xf32>)
      -> (tensor<?x1024xf32>, tensor<?x40xf32>) {
    %y:2 = glm.linear_group %xb, %x by %a, %b : tensor<?x4096xbf16>, tensor<?x4096xf32> by tensor<1024x4096xbf16>, tensor<40x4096xf32> -> tensor<?x1024xf32>, tensor<?x40xf32>
    return %y#0, %y#1 : tensor<?x1024xf32>, tensor<?x40xf32>
  }
  func.func private @norm(%x: tensor<?x4096xf32>, %g: tensor<4096xbf16>, %w: tensor<1024x4096xbf16>) -> tensor<?x1024xf32> {
    %y = glm.norm_linear %x, %g eps 1.0e-05 by %w : tensor<?x4096xf32>, tensor<4096xbf16> by tensor<1024x4096xbf16> -> tensor<?x1024xf32>
    return %y : tensor<?x1024xf32>
  }
  func.func private @router(%x: tensor<?x64xf32>, %w: tensor<12x64xf32>, %b: tensor<12xf32>) -> !glm.routing<12, 3> {
    %r = glm.router %x, %w, %b groups 1 kept 1 scale 2.5 normalize : tensor<?x64xf32>, tensor<12x64xf32>, tensor<12xf32> -> !glm.routing<12, 3>
    return %r : !glm.routing<12, 3>
  }
}

// With many rows the norm is a launch of its own, and what it writes is read by all panels.
// CHECK-LABEL: func.func private @norm
// CHECK: %[[Y:.*]] = kernel.by_rows less 9 -> (tensor<?x1024xf32>)
// CHECK: kernel.launch @norm_linear_4096x1024_bf16(%arg0, %arg1, %arg2)
// CHECK: } otherwise {
// CHECK: %[[R:.*]] = kernel.launch @rows_norm_4096_bf16(%arg0, %arg1)
// CHECK: kernel.launch @linear_4096x1024_bf16(%[[R]], %arg2)
// CHECK: return %[[Y]]

// Few rows are routed by one unit: logits, choice and layout.
// CHECK-LABEL: func.func private @router
// CHECK: kernel.by_rows less 5
// CHECK: %[[ALL:.*]]:6 = kernel.launch @router_64x12_top_3_f32(%arg0, %arg1, %arg2)
// CHECK: } otherwise {
// CHECK: kernel.launch @linear_64x12_f32
// CHECK: kernel.launch @route_12_top_3_f32
// CHECK: kernel.launch @group_rows_12_top_3_i32

// Panels are numbered over all weights: 16 of the first, one of the other.
// CHECK-LABEL: kernel.func @linear_group_4096x1024_40_bf16
// CHECK-SAME: %[[XB:[^:]*]]: !kernel.buffer<?x4096xbf16>, %[[X:[^:]*]]: !kernel.buffer<?x4096xf32>
// CHECK: kernel.parallel (%{{.*}}, %{{.*}}) to (%{{.*}}, %{{.*}}) step [1, 1]
// CHECK: arith.muli %c17, %{{.*}}
// CHECK: %[[LOW:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK: arith.minsi %[[LOW]], %c16
// CHECK: %[[SOME:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}}
// CHECK: scf.if %[[SOME]]
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c64
// CHECK: kernel.load_tile %[[XB]][
// CHECK: %[[LOW:.*]] = arith.maxsi %{{.*}}, %c16
// CHECK: arith.minsi %[[LOW]], %c17
// CHECK: scf.if
// CHECK: kernel.load_tile %[[X]][

// With few every worker makes the rows, in front of its units, which read them as blocks of columns.
// CHECK-LABEL: kernel.func @norm_linear_4096x1024_bf16
// CHECK: %[[ALL:.*]] = kernel.stack_rows (%[[ROW:.*]]) to %{{.*}} -> !kernel.tile<8x4096xbf16> {
// CHECK: kernel.load_tile %arg0[%[[ROW]], %c0]
// CHECK: kernel.reduce sum
// CHECK: kernel.yield
// CHECK: %[[LEFT:.*]] = kernel.slice %[[ALL]] from 0
// CHECK: %[[RIGHT:.*]] = kernel.slice %[[ALL]] from 2048
// CHECK: kernel.parallel (%{{.*}}, %{{.*}}) to (%{{.*}}, %c1) step [1, 1]
// CHECK: %[[S:.*]] = kernel.mma %[[LEFT]]
// CHECK: kernel.mma %[[RIGHT]], %{{.*}}, %[[S]]

// The unit goes over the rows, then lays their pairs out.
// CHECK-LABEL: kernel.func @router_64x12_top_3_f32
// CHECK: kernel.parallel (%{{.*}}) to (%c1) step [1]
// CHECK: scf.for
// CHECK: kernel.mma
// CHECK: kernel.select_experts
// CHECK: kernel.group_rows
