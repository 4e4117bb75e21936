// RUN: glm-opt %s --glm-fuse-norm-linear=width=80 --split-input-file --verify-diagnostics | FileCheck %s

// The query latent: a product computes it, nobody but a group of linears reads it normalised.
// CHECK-LABEL: func.func @latent
// CHECK-NEXT: %[[X:.*]] = glm.linear %arg0, %arg1
// CHECK-NEXT: %[[Y:.*]]:2 = glm.norm_linear %[[X]], %arg2 eps 1.000000e-05 by %arg3, %arg4 : tensor<?x40xf32>, tensor<40xbf16> by tensor<80x40xbf16>, tensor<64x40xbf16> -> tensor<?x80xf32>, tensor<?x64xf32>
// CHECK-NEXT: return %[[Y]]#0, %[[Y]]#1
func.func @latent(%h: tensor<?x64xbf16>, %q_a: tensor<40x64xbf16>, %gain: tensor<40xbf16>, %q_b: tensor<80x40xbf16>,
                  %wq_b: tensor<64x40xbf16>) -> (tensor<?x80xf32>, tensor<?x64xf32>) {
  %x = glm.linear %h, %q_a : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-norm-linear: fused into the linears behind it}}
  %n = glm.rms_norm %x, %gain eps 1.0e-05 : tensor<?x40xf32>, tensor<40xbf16> -> tensor<?x40xf32>
  %r = glm.cast %n : tensor<?x40xf32> -> tensor<?x40xbf16>
  %q, %i = glm.linear_group %r, %r by %q_b, %wq_b
     : tensor<?x40xbf16>, tensor<?x40xbf16> by tensor<80x40xbf16>, tensor<64x40xbf16> -> tensor<?x80xf32>, tensor<?x64xf32>
  return %q, %i : tensor<?x80xf32>, tensor<?x64xf32>
}

// -----

// In a layer without an indexer it is one linear, in f32 without any rounding.
// CHECK-LABEL: func.func @alone
// CHECK: glm.norm_linear %{{.*}}, %arg2 eps 1.000000e-05 by %arg3 : tensor<?x40xf32>, tensor<40xf32> by tensor<80x40xf32> -> tensor<?x80xf32>
func.func @alone(%h: tensor<?x64xf32>, %q_a: tensor<40x64xf32>, %gain: tensor<40xf32>, %q_b: tensor<80x40xf32>)
    -> tensor<?x80xf32> {
  %x = glm.linear %h, %q_a : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-norm-linear: fused into the linears behind it}}
  %n = glm.rms_norm %x, %gain eps 1.0e-05 : tensor<?x40xf32>, tensor<40xf32> -> tensor<?x40xf32>
  %q = glm.linear %n, %q_b : tensor<?x40xf32>, tensor<80x40xf32> -> tensor<?x80xf32>
  return %q : tensor<?x80xf32>
}

// -----

// Behind the attention experts read the rows as well: they are written anyway.
// CHECK-LABEL: func.func @shared
// CHECK-NOT: glm.norm_linear
func.func @shared(%h: tensor<?x64xf32>, %q_a: tensor<40x64xf32>, %gain: tensor<40xf32>, %q_b: tensor<80x40xf32>)
    -> (tensor<?x80xf32>, tensor<?x40xf32>) {
  %x = glm.linear %h, %q_a : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-norm-linear: kept apart: its rows have other readers, so they are written anyway}}
  %n = glm.rms_norm %x, %gain eps 1.0e-05 : tensor<?x40xf32>, tensor<40xf32> -> tensor<?x40xf32>
  %q = glm.linear %n, %q_b : tensor<?x40xf32>, tensor<80x40xf32> -> tensor<?x80xf32>
  return %q, %n : tensor<?x80xf32>, tensor<?x40xf32>
}

// -----

// A layer begins with rows of the layer before, which a row-wise kernel wrote: its norm is in that launch's interval.
// CHECK-LABEL: func.func @input
// CHECK-NOT: glm.norm_linear
func.func @input(%h: tensor<?x64xf32>, %gain: tensor<64xf32>, %q_a: tensor<40x64xf32>) -> tensor<?x40xf32> {
  // expected-remark @+1 {{glm-fuse-norm-linear: kept apart: no product computes its rows, so no barrier would fall}}
  %n = glm.rms_norm %h, %gain eps 1.0e-05 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  %q = glm.linear %n, %q_a : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  return %q : tensor<?x40xf32>
}

// -----

// Every worker would keep eight rows of 96 elements for itself.
// CHECK-LABEL: func.func @long
// CHECK-NOT: glm.norm_linear
func.func @long(%h: tensor<?x64xf32>, %w: tensor<96x64xf32>, %gain: tensor<96xf32>, %v: tensor<40x96xf32>)
    -> tensor<?x40xf32> {
  %x = glm.linear %h, %w : tensor<?x64xf32>, tensor<96x64xf32> -> tensor<?x96xf32>
  // expected-remark @+1 {{glm-fuse-norm-linear: kept apart: its rows are longer than what workers keep for themselves}}
  %n = glm.rms_norm %x, %gain eps 1.0e-05 : tensor<?x96xf32>, tensor<96xf32> -> tensor<?x96xf32>
  %q = glm.linear %n, %v : tensor<?x96xf32>, tensor<40x96xf32> -> tensor<?x40xf32>
  return %q : tensor<?x40xf32>
}

// -----

// A recipe may leave one of the weights as it was.
// CHECK-LABEL: func.func @mixed
// CHECK-NOT: glm.norm_linear
func.func @mixed(%h: tensor<?x64xf32>, %q_a: tensor<40x64xf32>, %gain: tensor<40xf32>, %q_b: tensor<80x40xbf16>)
    -> tensor<?x80xf32> {
  %x = glm.linear %h, %q_a : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-norm-linear: kept apart: the element types of the rows and a weight differ}}
  %n = glm.rms_norm %x, %gain eps 1.0e-05 : tensor<?x40xf32>, tensor<40xf32> -> tensor<?x40xf32>
  %q = glm.linear %n, %q_b : tensor<?x40xf32>, tensor<80x40xbf16> -> tensor<?x80xf32>
  return %q : tensor<?x80xf32>
}

// -----

// What is rounded where it is written stays with a launch that rounds.
// CHECK-LABEL: func.func @rounded
// CHECK-NOT: glm.norm_linear
func.func @rounded(%h: tensor<?x64xf32>, %q_a: tensor<40x64xf32>, %gain: tensor<40xf32>, %q_b: tensor<80x40xf32>)
    -> tensor<?x80xbf16> {
  %x = glm.linear %h, %q_a : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-norm-linear: kept apart: the result behind it is rounded where it is written}}
  %n = glm.rms_norm %x, %gain eps 1.0e-05 : tensor<?x40xf32>, tensor<40xf32> -> tensor<?x40xf32>
  %q = glm.linear %n, %q_b : tensor<?x40xf32>, tensor<80x40xf32> -> tensor<?x80xf32>
  %r = glm.cast %q : tensor<?x80xf32> -> tensor<?x80xbf16>
  return %r : tensor<?x80xbf16>
}
