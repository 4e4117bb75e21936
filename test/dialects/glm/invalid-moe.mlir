// RUN: glm-opt %s --verify-diagnostics --split-input-file

// glm.route C1: one logit for each expert.
func.func @logits(%l: tensor<?x8xf32>, %b: tensor<16xf32>) {
  // expected-error@+1 {{'glm.route' op logits is [?, 8], expected [?, 16]}}
  %0 = glm.route %l, %b groups 1 kept 1 scale 1.0 : tensor<?x8xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return
}

// -----

// glm.route C1: one bias for each expert.
func.func @bias(%l: tensor<?x16xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{'glm.route' op bias is [8], expected [16]}}
  %0 = glm.route %l, %b groups 1 kept 1 scale 1.0 : tensor<?x16xf32>, tensor<8xf32> -> !glm.routing<16, 4>
  return
}

// -----

// glm.route C2: groups are of equal size.
func.func @groups(%l: tensor<?x16xf32>, %b: tensor<16xf32>) {
  // expected-error@+1 {{'glm.route' op 3 groups do not divide 16 experts}}
  %0 = glm.route %l, %b groups 3 kept 1 scale 1.0 : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return
}

// -----

// glm.route C2: some of the groups are kept.
func.func @kept(%l: tensor<?x16xf32>, %b: tensor<16xf32>) {
  // expected-error@+1 {{'glm.route' op keeps 5 of 4 groups}}
  %0 = glm.route %l, %b groups 4 kept 5 scale 1.0 : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return
}

// -----

// glm.route C3: there are enough experts left.
func.func @too_few(%l: tensor<?x16xf32>, %b: tensor<16xf32>) {
  // expected-error@+1 {{'glm.route' op chooses 6 of the 4 experts in 1 kept groups}}
  %0 = glm.route %l, %b groups 4 kept 1 scale 1.0 : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 6>
  return
}

// -----

// glm.dispatch C1: one row for each pair.
func.func @dispatch(%x: tensor<5x8xf32>, %r: !glm.routing<4, 2>) {
  // expected-error@+1 {{'glm.dispatch' op result is [5, 8], expected [10, 8]}}
  %0 = glm.dispatch %x, %r : tensor<5x8xf32>, !glm.routing<4, 2> -> tensor<5x8xf32>
  return
}

// -----

// glm.dispatch C1: rows are moved as they are.
func.func @dispatch_element(%x: tensor<?x8xf32>, %r: !glm.routing<4, 2>) {
  // expected-error@+1 {{'glm.dispatch' op result has elements of 'bf16', expected 'f32'}}
  %0 = glm.dispatch %x, %r : tensor<?x8xf32>, !glm.routing<4, 2> -> tensor<?x8xbf16>
  return
}

// -----

// glm.expert_linear C1: one matrix for each expert of the routing.
func.func @bank(%x: tensor<?x8xf32>, %bank: tensor<3x6x8xbf16>, %r: !glm.routing<4, 2>) {
  // expected-error@+1 {{'glm.expert_linear' op bank is [3, 6, 8], expected [4, 6, 8]}}
  %0 = glm.expert_linear %x, %bank, %r : tensor<?x8xf32>, tensor<3x6x8xbf16>, !glm.routing<4, 2> -> tensor<?x6xf32>
  return
}

// -----

// glm.expert_linear C2.
func.func @expert_sum(%x: tensor<?x8xf32>, %bank: tensor<4x6x8xbf16>, %r: !glm.routing<4, 2>) {
  // expected-error@+1 {{'glm.expert_linear' op result has elements of 'bf16', expected f32 or f64: sums are rounded by glm.cast only}}
  %0 = glm.expert_linear %x, %bank, %r : tensor<?x8xf32>, tensor<4x6x8xbf16>, !glm.routing<4, 2> -> tensor<?x6xbf16>
  return
}

// -----

// glm.combine C1.
func.func @combine(%x: tensor<?x8xf32>, %r: !glm.routing<4, 2>) {
  // expected-error@+1 {{'glm.combine' op result is [?, 6], expected [?, 8]}}
  %0 = glm.combine %x, %r : tensor<?x8xf32>, !glm.routing<4, 2> -> tensor<?x6xf32>
  return
}

// -----

// glm.routing_ids C1.
func.func @ids(%r: !glm.routing<4, 2>) {
  // expected-error@+1 {{'glm.routing_ids' op result is [?, 3], expected [?, 2]}}
  %0 = glm.routing_ids %r : !glm.routing<4, 2> -> tensor<?x3xi32>
  return
}

// -----

// glm.routing_weights C1.
func.func @weights(%r: !glm.routing<4, 2>) {
  // expected-error@+1 {{'glm.routing_weights' op result is [?, 3], expected [?, 2]}}
  %0 = glm.routing_weights %r : !glm.routing<4, 2> -> tensor<?x3xf32>
  return
}
