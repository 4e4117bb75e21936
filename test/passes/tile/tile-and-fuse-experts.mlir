// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles --glm-tile-and-fuse | FileCheck %s

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  func.func private @experts(%z: tensor<?x12xf32>, %bias: tensor<12xf32>, %x: tensor<?x64xf32>,
      %up: tensor<12x36x64xf32>, %down: tensor<12x64x36xf32>) -> tensor<?x64xf32> {
    %r = glm.route %z, %bias groups 4 kept 2 scale 2.5 normalize
       : tensor<?x12xf32>, tensor<12xf32> -> !glm.routing<12, 3>
    %d = glm.dispatch %x, %r : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
    %u = glm.expert_linear %d, %up, %r
       : tensor<?x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
    %e = glm.expert_linear %u, %down, %r
       : tensor<?x36xf32>, tensor<12x64x36xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
    %y = glm.combine %e, %r : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}

// A routing is six tensors; each kernel takes those it reads.
// CHECK-LABEL: func.func private @experts
// CHECK: kernel.by_rows less 5
// CHECK: kernel.launch @route_group_12_top_3_f32
// CHECK: } otherwise {
// CHECK: %[[C:.*]]:2 = kernel.launch @route_12_top_3_f32
// CHECK: kernel.launch @group_rows_12_top_3_i32(%[[C]]#0)
// CHECK-DAG: %[[P:.*]]:6 = builtin.unrealized_conversion_cast %{{.*}} : !glm.routing<12, 3> to
// CHECK: %[[U:.*]] = kernel.launch @expert_linear_gathered_12x64x36_f32(%arg2, %arg3, %
// CHECK: %[[D:.*]] = kernel.launch @expert_linear_12x36x64_f32(%[[U]], %arg4, %
// CHECK: kernel.launch @rows_combine_64_f32(%{{.*}}, %{{.*}}, %[[D]])

// The bias takes part in the choice, never in the weight.
// CHECK-LABEL: kernel.func @route_12_top_3_f32
// CHECK: %[[S:.*]] = kernel.map{{.*}}{{.*}}<1x12xf32>
// CHECK: math.exp
// CHECK: %[[B:.*]] = kernel.map(%[[S]]
// CHECK: %[[IDS:.*]] = kernel.select_experts %[[B]] groups 4 kept 2
// CHECK: %[[W:.*]] = kernel.take_columns %[[S]], %[[IDS]]
// CHECK: %[[SUM:.*]] = kernel.reduce sum %[[W]] along 1
// CHECK: kernel.map(%[[W]], %[[SUM]])

// CHECK-LABEL: kernel.func @group_rows_12_top_3_i32
// CHECK: kernel.parallel (%{{.*}}) to (%c1) step [1]
// CHECK: kernel.group_rows

// One unit is an expert with rows and a panel of its matrix; the rows are gathered by pair.
// CHECK-LABEL: kernel.func @expert_linear_gathered_12x64x36_f32
// CHECK-SAME: !kernel.buffer<?x64xf32>, %[[BANK:.*]]: !kernel.bank<12x36x64xf32, #kernel.panels<16, 1>>
// CHECK: %[[N:.*]] = arith.index_cast
// CHECK: kernel.parallel (%[[G:.*]], %[[A:.*]]) to (%{{.*}}, %[[N]]) step [1, 1]
// CHECK: scf.for %[[BLOCK:.*]] = %c0 to %{{.*}} step %c1
// CHECK: %[[VALID:.*]] = arith.subi
// CHECK: %[[P:.*]] = arith.addi
// CHECK: arith.divsi
// CHECK: %[[ROWS:.*]] = kernel.gather_rows
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %{{.*}} step %c16
// CHECK: kernel.load_tile %[[BANK]]
// CHECK: kernel.mma %[[ROWS]]
// CHECK: kernel.store_tile %{{.*}}, %{{.*}}[%[[P]], %[[J]]] valid %[[VALID]]

// Pairs are read where they lie.
// CHECK-LABEL: kernel.func @expert_linear_12x36x64_f32
// CHECK: kernel.flatten %{{.*}} : {{.*}}<?x3x36xf32> -> {{.*}}<?x36xf32>
// CHECK-NOT: kernel.gather_rows
// CHECK: kernel.return

// CHECK-LABEL: kernel.func @rows_combine_64_f32
// CHECK-COUNT-3: kernel.load_tile
// CHECK: kernel.map
