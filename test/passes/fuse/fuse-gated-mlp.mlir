// RUN: glm-opt %s --glm-fuse-gated-mlp --split-input-file --verify-diagnostics | FileCheck %s

// Gate and up read the same rows: one op, whatever side of the product the gate stands on.
// CHECK-LABEL: func.func @mlp
// CHECK-NEXT: %[[A:.*]] = glm.gated_linear %arg0, %arg1, %arg2 : tensor<?x64xbf16>, tensor<40x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
// CHECK-NEXT: %[[B:.*]] = glm.gated_linear %arg0, %arg2, %arg1
// CHECK-NEXT: return %[[A]], %[[B]]
func.func @mlp(%x: tensor<?x64xbf16>, %gate: tensor<40x64xbf16>, %up: tensor<40x64xbf16>)
    -> (tensor<?x40xf32>, tensor<?x40xf32>) {
  %g = glm.linear %x, %gate : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  %s = glm.silu %g : tensor<?x40xf32>
  %u = glm.linear %x, %up : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-gated-mlp: fused into one gated linear}}
  %y = glm.multiply %s, %u : tensor<?x40xf32>
  %h = glm.linear %x, %up : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  %t = glm.silu %h : tensor<?x40xf32>
  %v = glm.linear %x, %gate : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-gated-mlp: fused into one gated linear}}
  %z = glm.multiply %v, %t : tensor<?x40xf32>
  return %y, %z : tensor<?x40xf32>, tensor<?x40xf32>
}

// -----

// A value that somebody else reads has to be computed anyway: fusing would compute it twice.
// CHECK-LABEL: func.func @shared
// CHECK-NOT: glm.gated_linear
func.func @shared(%x: tensor<?x64xf32>, %gate: tensor<40x64xf32>, %up: tensor<40x64xf32>)
    -> (tensor<?x40xf32>, tensor<?x40xf32>) {
  %g = glm.linear %x, %gate : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  %s = glm.silu %g : tensor<?x40xf32>
  %u = glm.linear %x, %up : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-gated-mlp: kept apart: one of its steps is read by others too}}
  %y = glm.multiply %s, %u : tensor<?x40xf32>
  return %y, %u : tensor<?x40xf32>, tensor<?x40xf32>
}

// -----

// Two rows of activations would be two streams: nothing is shared.
// CHECK-LABEL: func.func @other_rows
// CHECK-NOT: glm.gated_linear
func.func @other_rows(%x: tensor<?x64xf32>, %z: tensor<?x64xf32>, %gate: tensor<40x64xf32>,
                      %up: tensor<40x64xf32>) -> tensor<?x40xf32> {
  %g = glm.linear %x, %gate : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  %s = glm.silu %g : tensor<?x40xf32>
  %u = glm.linear %z, %up : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-gated-mlp: kept apart: its two linears read different rows}}
  %y = glm.multiply %s, %u : tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// -----

// A recipe may leave one of the weights as it was.
// CHECK-LABEL: func.func @mixed
// CHECK-NOT: glm.gated_linear
func.func @mixed(%x: tensor<?x64xf32>, %gate: tensor<40x64xf32>, %up: tensor<40x64xbf16>)
    -> tensor<?x40xf32> {
  %g = glm.linear %x, %gate : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  %s = glm.silu %g : tensor<?x40xf32>
  %u = glm.linear %x, %up : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-gated-mlp: kept apart: its two weights differ in element type}}
  %y = glm.multiply %s, %u : tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// -----

// Another activation is another model.
// CHECK-LABEL: func.func @ungated
// CHECK-NOT: glm.gated_linear
func.func @ungated(%x: tensor<?x64xf32>, %gate: tensor<40x64xf32>, %up: tensor<40x64xf32>)
    -> tensor<?x40xf32> {
  %g = glm.linear %x, %gate : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  %u = glm.linear %x, %up : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  %y = glm.multiply %g, %u : tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}
