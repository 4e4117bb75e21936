// RUN: glm-opt %s --glm-fuse-moe-dispatch --split-input-file --verify-diagnostics | FileCheck %s

// No copy of a row is made for its experts any more, and their two linears are one op.
// CHECK-LABEL: func.func @experts
// CHECK-NEXT: %[[Y:.*]] = glm.expert_gated_linear %arg0, %arg1, %arg2, %arg3 : tensor<?x64xbf16>, tensor<12x36x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
// CHECK-NEXT: return %[[Y]]
func.func @experts(%x: tensor<?x64xbf16>, %gates: tensor<12x36x64xbf16>,
                   %ups: tensor<12x36x64xbf16>, %r: !glm.routing<12, 3>) -> tensor<?x36xf32> {
  %d = glm.dispatch %x, %r : tensor<?x64xbf16>, !glm.routing<12, 3> -> tensor<?x64xbf16>
  %g = glm.expert_linear %d, %gates, %r : tensor<?x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
  %s = glm.silu %g : tensor<?x36xf32>
  %u = glm.expert_linear %d, %ups, %r : tensor<?x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
  // expected-remark @+1 {{glm-fuse-moe-dispatch: fused into one gated linear of experts}}
  %y = glm.multiply %s, %u : tensor<?x36xf32>
  return %y : tensor<?x36xf32>
}

// -----

// Two copies of the same rows are one, and a dispatch that others read stays for them.
// CHECK-LABEL: func.func @copies
// CHECK-NEXT: %[[D:.*]] = glm.dispatch %arg0
// CHECK-NEXT: %[[Y:.*]] = glm.expert_gated_linear %arg0
// CHECK-NEXT: return %[[Y]], %[[D]]
func.func @copies(%x: tensor<?x64xbf16>, %gates: tensor<12x36x64xbf16>,
                  %ups: tensor<12x36x64xbf16>, %r: !glm.routing<12, 3>)
    -> (tensor<?x36xf32>, tensor<?x64xbf16>) {
  %d = glm.dispatch %x, %r : tensor<?x64xbf16>, !glm.routing<12, 3> -> tensor<?x64xbf16>
  %e = glm.dispatch %x, %r : tensor<?x64xbf16>, !glm.routing<12, 3> -> tensor<?x64xbf16>
  %g = glm.expert_linear %d, %gates, %r : tensor<?x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
  %s = glm.silu %g : tensor<?x36xf32>
  %u = glm.expert_linear %e, %ups, %r : tensor<?x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
  // expected-remark @+1 {{glm-fuse-moe-dispatch: fused into one gated linear of experts}}
  %y = glm.multiply %s, %u : tensor<?x36xf32>
  return %y, %d : tensor<?x36xf32>, tensor<?x64xbf16>
}

// -----

// Rows that come dispatched from elsewhere belong to no row this op could read.
// CHECK-LABEL: func.func @foreign_rows
// CHECK-NOT: glm.expert_gated_linear
func.func @foreign_rows(%d: tensor<?x64xf32>, %gates: tensor<12x36x64xf32>,
                        %ups: tensor<12x36x64xf32>, %r: !glm.routing<12, 3>) -> tensor<?x36xf32> {
  %g = glm.expert_linear %d, %gates, %r : tensor<?x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  %s = glm.silu %g : tensor<?x36xf32>
  %u = glm.expert_linear %d, %ups, %r : tensor<?x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  // expected-remark @+1 {{glm-fuse-moe-dispatch: kept apart: its rows are not dispatched beside it}}
  %y = glm.multiply %s, %u : tensor<?x36xf32>
  return %y : tensor<?x36xf32>
}

// -----

// Pairs of one routing are not pairs of another.
// CHECK-LABEL: func.func @other_routing
// CHECK-NOT: glm.expert_gated_linear
func.func @other_routing(%x: tensor<?x64xf32>, %gates: tensor<12x36x64xf32>,
                         %ups: tensor<12x36x64xf32>, %r: !glm.routing<12, 3>,
                         %q: !glm.routing<12, 3>) -> tensor<?x36xf32> {
  %d = glm.dispatch %x, %q : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
  %g = glm.expert_linear %d, %gates, %r : tensor<?x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  %s = glm.silu %g : tensor<?x36xf32>
  %u = glm.expert_linear %d, %ups, %r : tensor<?x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  // expected-remark @+1 {{glm-fuse-moe-dispatch: kept apart: its rows are dispatched by different routings}}
  %y = glm.multiply %s, %u : tensor<?x36xf32>
  return %y : tensor<?x36xf32>
}

// -----

// The linear of one bank is read by others: it is computed anyway.
// CHECK-LABEL: func.func @shared
// CHECK-NOT: glm.expert_gated_linear
func.func @shared(%x: tensor<?x64xf32>, %gates: tensor<12x36x64xf32>, %ups: tensor<12x36x64xf32>,
                  %r: !glm.routing<12, 3>) -> (tensor<?x36xf32>, tensor<?x36xf32>) {
  %d = glm.dispatch %x, %r : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
  %g = glm.expert_linear %d, %gates, %r : tensor<?x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  %s = glm.silu %g : tensor<?x36xf32>
  %u = glm.expert_linear %d, %ups, %r : tensor<?x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  // expected-remark @+1 {{glm-fuse-moe-dispatch: kept apart: one of its steps is read by others too}}
  %y = glm.multiply %s, %u : tensor<?x36xf32>
  return %y, %g : tensor<?x36xf32>, tensor<?x36xf32>
}
