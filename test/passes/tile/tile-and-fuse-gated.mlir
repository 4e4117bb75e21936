// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles=block=2048 --glm-tile-and-fuse | FileCheck %s

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  func.func private @dense(%x: tensor<?x4096xbf16>, %gate: tensor<1024x4096xbf16>, %up: tensor<1024x4096xbf16>)
      -> tensor<?x1024xbf16> {
    %y = glm.gated_linear %x, %gate, %up : tensor<?x4096xbf16>, tensor<1024x4096xbf16>, tensor<1024x4096xbf16> -> tensor<?x1024xf32>
    %c = glm.cast %y : tensor<?x1024xf32> -> tensor<?x1024xbf16>
    return %c : tensor<?x1024xbf16>
  }
  func.func private @experts(%x: tensor<?x64xf32>, %gates: tensor<12x36x64xf32>, %ups: tensor<12x36x64xf32>,
      %r: !glm.routing<12, 3>) -> tensor<?x36xf32> {
    %y = glm.expert_gated_linear %x, %gates, %ups, %r : tensor<?x64xf32>, tensor<12x36x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
    return %y : tensor<?x36xf32>
  }
}

// The rounding of the result is part of the kernel.
// CHECK-LABEL: func.func private @dense
// CHECK: %[[Y:.*]] = kernel.launch @gated_linear_4096x1024_bf16_to_bf16(%arg0, %arg1, %arg2)
// CHECK-SAME: -> tensor<?x1024xbf16>
// CHECK: return %[[Y]]

// One block of rows meets the panel of the gate and that of the other weight; both sums are carried.
// CHECK-LABEL: kernel.func @gated_linear_4096x1024_bf16_to_bf16
// CHECK-SAME: %[[X:.*]]: !kernel.buffer<?x4096xbf16>, %[[G:.*]]: !kernel.buffer<1024x4096xbf16, #kernel.panels<64, 2>>, %[[U:.*]]: !kernel.buffer<1024x4096xbf16, #kernel.panels<64, 2>>, %[[OUT:.*]]: !kernel.buffer<?x1024xbf16>
// CHECK: kernel.parallel
// CHECK: %[[VALID:.*]] = arith.subi %{{.*}}, %[[I:.*]] : index
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %{{.*}} step %c64
// CHECK: %[[S:.*]]:2 = scf.for %[[K:.*]] = %c0 to %c4096 step %c2048 iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}})
// CHECK-NEXT: %[[ROWS:.*]] = kernel.load_tile %[[X]][%[[I]], %[[K]]]
// CHECK-NEXT: %[[GT:.*]] = kernel.load_tile %[[G]][%[[J]], %[[K]]]
// CHECK-NEXT: %[[A1:.*]] = kernel.mma %[[ROWS]], %[[GT]], %[[A]]
// CHECK-NEXT: %[[UT:.*]] = kernel.load_tile %[[U]][%[[J]], %[[K]]]
// CHECK-NEXT: %[[B1:.*]] = kernel.mma %[[ROWS]], %[[UT]], %[[B]]
// CHECK-NEXT: scf.yield %[[A1]], %[[B1]]
// CHECK: %[[T:.*]] = kernel.map(%[[S]]#0, %[[S]]#1)
// CHECK: math.exp
// CHECK: arith.truncf
// CHECK: kernel.store_tile %[[T]], %[[OUT]][%[[I]], %[[J]]] valid %[[VALID]]

// Rows are gathered once for both matrices of an expert.
// CHECK-LABEL: kernel.func @expert_gated_linear_12x64x36_f32
// CHECK: scf.for
// CHECK-COUNT-1: kernel.gather_rows
// CHECK-NOT: kernel.gather_rows
// CHECK: kernel.map
// CHECK: kernel.store_tile {{.*}} valid
