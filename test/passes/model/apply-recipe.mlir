// RUN: glm-opt %s "--glm-apply-recipe=rules=*.mlp.experts.*:int4/32,*.q_a_proj.weight:keep,*:int8" --cse | FileCheck %s
// RUN: glm-opt %s "--glm-apply-recipe=rules=*.up_proj.weight:int8-weights" | FileCheck %s --check-prefix=ROUND
// RUN: glm-opt %s "--glm-apply-recipe=rules=*.mlp.experts.*:int4/32-zeros,*:int4-zeros-weights" | FileCheck %s --check-prefix=ZEROS
// RUN: glm-opt %s --glm-apply-recipe | FileCheck %s --check-prefix=NONE

// Without rules nothing happens.
// NONE-NOT: glm.quantize

module {
  glm.weight @model.layers.0.q_a_proj.weight : tensor<40x64xbf16> from "f" at 0
  glm.weight @model.layers.0.up_proj.weight : tensor<40x64xbf16> from "f" at 0
  glm.weight @model.layers.0.gate.weight : tensor<4x64xbf16> from "f" at 0
  glm.weight @model.layers.1.q_a_proj.weight : tensor<40x64xbf16> from "f" at 0
  glm.weight @model.layers.1.other.weight : tensor<40x64xbf16> from "f" at 0
  glm.weight @model.layers.1.gate.weight : tensor<4x64xbf16> from "f" at 0
  glm.bank @model.layers.0.mlp.experts.up : tensor<4x8x64xbf16> tensors "{}" from ["f"] [0, 0, 0, 0] at [0, 0, 0, 0]
  glm.bank @model.layers.1.mlp.experts.up : tensor<4x8x64xbf16> tensors "{}" from ["f"] [0, 0, 0, 0] at [0, 0, 0, 0]

  // Rows become codes once, whatever number of weights read them, and before they are copied for experts; the router's stay.
  // CHECK-LABEL: func.func private @moe(
  // CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[KEPT:[a-z0-9]+]]: {{.*}}, %[[UP:[a-z0-9]+]]: {{.*}}, %[[GATE:[a-z0-9]+]]: {{.*}}, %{{.*}}, %[[BANK:[a-z0-9]+]]: tensor<4x8x64xbf16>
  // CHECK-DAG: %[[BC:.*]], %[[BS:.*]] = glm.quantize %[[BANK]] columns 32 : tensor<4x8x64xbf16> -> tensor<4x8x64xi4>, tensor<4x8x2xf32>
  // CHECK-DAG: %[[BQ:.*]] = glm.quantized %[[BC]], %[[BS]] : {{.*}} -> tensor<4x8x64x!glm.quantized<i4, 1, 32>>
  // CHECK-DAG: %[[UC:.*]], %[[US:.*]] = glm.quantize %[[UP]] columns 64 : tensor<40x64xbf16> -> tensor<40x64xi8>, tensor<40x1xf32>
  // CHECK-DAG: %[[UQ:.*]] = glm.quantized %[[UC]], %[[US]]
  // CHECK-DAG: glm.linear %[[X]], %[[KEPT]] : tensor<?x64xf32>, tensor<40x64xbf16>
  // CHECK-DAG: %[[XC:.*]], %[[XS:.*]] = glm.quantize %[[X]] columns 64
  // CHECK-DAG: %[[XQ:.*]] = glm.quantized %[[XC]], %[[XS]]
  // CHECK-DAG: glm.linear %[[XQ]], %[[UQ]]
  // CHECK-DAG: glm.linear %[[X]], %[[GATE]] : tensor<?x64xf32>, tensor<4x64xbf16>
  // CHECK-DAG: %[[D:.*]] = glm.dispatch %[[XQ]]
  // CHECK-DAG: glm.expert_linear %[[D]], %[[BQ]]
  // CHECK: return

  // Only one of the layers has a weight of that name: each gets a function.
  // ROUND-LABEL: func.func private @moe(
  // ROUND-NOT: glm.quantize
  // ROUND-LABEL: func.func private @moe_0(
  // ROUND: %[[C:.*]], %[[S:.*]] = glm.quantize %{{.*}} columns 64
  // ROUND: %[[Q:.*]] = glm.quantized %[[C]], %[[S]]
  // ROUND: %[[N:.*]] = glm.dequantize %[[Q]] : {{.*}} -> tensor<40x64xf32>
  // ROUND: glm.linear %{{.*}}, %[[N]] : tensor<?x64xf32>, tensor<40x64xf32>
  // ROUND-LABEL: func.func @step
  // ROUND: call @moe_0
  // ROUND: call @moe(

  // A zero stands beside every scale, of numbers that are only rounded too.
  // ZEROS-LABEL: func.func private @moe(
  // ZEROS-DAG: %[[UC:.*]], %[[US:.*]], %[[UZ:.*]] = glm.quantize %{{.*}} columns 64 asymmetric : tensor<40x64xbf16> -> tensor<40x64xi4>, tensor<40x1xf32>, tensor<40x1xi8>
  // ZEROS-DAG: %[[UQ:.*]] = glm.quantized %[[UC]], %[[US]] zeros %[[UZ]]
  // ZEROS-DAG: glm.dequantize %[[UQ]]
  // ZEROS-DAG: %[[BC:.*]], %[[BS:.*]], %[[BZ:.*]] = glm.quantize %{{.*}} columns 32 asymmetric : tensor<4x8x64xbf16> -> tensor<4x8x64xi4>, tensor<4x8x2xf32>, tensor<4x8x2xi8>
  // ZEROS-DAG: %[[BQ:.*]] = glm.quantized %[[BC]], %[[BS]] zeros %[[BZ]]
  // ZEROS-DAG: glm.expert_linear %{{.*}}, %[[BQ]]
  func.func private @moe(%x: tensor<?x64xf32>, %q: tensor<40x64xbf16>, %u: tensor<40x64xbf16>, %g: tensor<4x64xbf16>,
                         %b: tensor<4xf32>, %e: tensor<4x8x64xbf16>) -> (tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x8xf32>) {
    %0 = glm.linear %x, %q : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
    %1 = glm.linear %x, %u : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
    %l = glm.linear %x, %g : tensor<?x64xf32>, tensor<4x64xbf16> -> tensor<?x4xf32>
    %r = glm.route %l, %b groups 1 kept 1 scale 1.0 : tensor<?x4xf32>, tensor<4xf32> -> !glm.routing<4, 2>
    %d = glm.dispatch %x, %r : tensor<?x64xf32>, !glm.routing<4, 2> -> tensor<?x64xf32>
    %2 = glm.expert_linear %d, %e, %r : tensor<?x64xf32>, tensor<4x8x64xbf16>, !glm.routing<4, 2> -> tensor<?x8xf32>
    return %0, %1, %2 : tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x8xf32>
  }
  func.func @step(%x: tensor<?x64xf32>, %b: tensor<4xf32>) attributes {glm.entry} {
    %0 = glm.weight_value @model.layers.0.q_a_proj.weight : tensor<40x64xbf16>
    %1 = glm.weight_value @model.layers.0.up_proj.weight : tensor<40x64xbf16>
    %2 = glm.weight_value @model.layers.0.gate.weight : tensor<4x64xbf16>
    %3 = glm.weight_value @model.layers.0.mlp.experts.up : tensor<4x8x64xbf16>
    %4:3 = call @moe(%x, %0, %1, %2, %b, %3) : (tensor<?x64xf32>, tensor<40x64xbf16>, tensor<40x64xbf16>, tensor<4x64xbf16>, tensor<4xf32>, tensor<4x8x64xbf16>) -> (tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x8xf32>)
    %5 = glm.weight_value @model.layers.1.q_a_proj.weight : tensor<40x64xbf16>
    %6 = glm.weight_value @model.layers.1.other.weight : tensor<40x64xbf16>
    %7 = glm.weight_value @model.layers.1.gate.weight : tensor<4x64xbf16>
    %8 = glm.weight_value @model.layers.1.mlp.experts.up : tensor<4x8x64xbf16>
    %9:3 = call @moe(%x, %5, %6, %7, %b, %8) : (tensor<?x64xf32>, tensor<40x64xbf16>, tensor<40x64xbf16>, tensor<4x64xbf16>, tensor<4xf32>, tensor<4x8x64xbf16>) -> (tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x8xf32>)
    return
  }
}
