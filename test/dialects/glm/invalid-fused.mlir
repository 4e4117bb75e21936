// RUN: glm-opt %s --verify-diagnostics --split-input-file

// glm.gated_linear C1: the gate reads rows of that width.
func.func @gate(%x: tensor<?x64xf32>, %g: tensor<40x32xf32>, %u: tensor<40x64xf32>) {
  // expected-error@+1 {{'glm.gated_linear' op gate is [40, 32], expected [40, 64]}}
  %0 = glm.gated_linear %x, %g, %u : tensor<?x64xf32>, tensor<40x32xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  return
}

// -----

// glm.gated_linear C1: both are as wide as the result.
func.func @up(%x: tensor<?x64xf32>, %g: tensor<40x64xf32>, %u: tensor<36x64xf32>) {
  // expected-error@+1 {{'glm.gated_linear' op up is [36, 64], expected [40, 64]}}
  %0 = glm.gated_linear %x, %g, %u : tensor<?x64xf32>, tensor<40x64xf32>, tensor<36x64xf32> -> tensor<?x40xf32>
  return
}

// -----

// glm.gated_linear C1: one row of the result for each row.
func.func @rows(%x: tensor<2x64xf32>, %g: tensor<40x64xf32>, %u: tensor<40x64xf32>) {
  // expected-error@+1 {{'glm.gated_linear' op result is [3, 40], expected [2, ?]}}
  %0 = glm.gated_linear %x, %g, %u : tensor<2x64xf32>, tensor<40x64xf32>, tensor<40x64xf32> -> tensor<3x40xf32>
  return
}

// -----

// glm.gated_linear C2: both weights are of one type.
func.func @mixed(%x: tensor<?x64xf32>, %g: tensor<40x64xf32>, %u: tensor<40x64xbf16>) {
  // expected-error@+1 {{'glm.gated_linear' op up has elements of 'bf16', expected 'f32'}}
  %0 = glm.gated_linear %x, %g, %u : tensor<?x64xf32>, tensor<40x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
  return
}

// -----

// glm.gated_linear C3: rounding is a cast of its own.
func.func @narrow(%x: tensor<?x64xf32>, %g: tensor<40x64xf32>, %u: tensor<40x64xf32>) {
  // expected-error@+1 {{'glm.gated_linear' op}}
  %0 = glm.gated_linear %x, %g, %u : tensor<?x64xf32>, tensor<40x64xf32>, tensor<40x64xf32> -> tensor<?x40xbf16>
  return
}

// -----

// glm.expert_gated_linear C1: one matrix for each expert of the routing.
func.func @gates(%x: tensor<?x64xf32>, %g: tensor<8x36x64xf32>, %u: tensor<12x36x64xf32>, %r: !glm.routing<12, 3>) {
  // expected-error@+1 {{'glm.expert_gated_linear' op gates is [8, 36, 64], expected [12, 36, 64]}}
  %0 = glm.expert_gated_linear %x, %g, %u, %r : tensor<?x64xf32>, tensor<8x36x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  return
}

// -----

// glm.expert_gated_linear C1: both banks are as wide as the result.
func.func @ups(%x: tensor<?x64xf32>, %g: tensor<12x36x64xf32>, %u: tensor<12x40x64xf32>, %r: !glm.routing<12, 3>) {
  // expected-error@+1 {{'glm.expert_gated_linear' op ups is [12, 40, 64], expected [12, 36, 64]}}
  %0 = glm.expert_gated_linear %x, %g, %u, %r : tensor<?x64xf32>, tensor<12x36x64xf32>, tensor<12x40x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  return
}

// -----

// glm.expert_gated_linear C1: one row for each pair.
func.func @pairs(%x: tensor<2x64xf32>, %g: tensor<12x36x64xf32>, %u: tensor<12x36x64xf32>, %r: !glm.routing<12, 3>) {
  // expected-error@+1 {{'glm.expert_gated_linear' op result is [2, 36], expected [6, ?]}}
  %0 = glm.expert_gated_linear %x, %g, %u, %r : tensor<2x64xf32>, tensor<12x36x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<2x36xf32>
  return
}

// -----

// glm.expert_gated_linear C2: both banks are of one type.
func.func @mixed(%x: tensor<?x64xf32>, %g: tensor<12x36x64xbf16>, %u: tensor<12x36x64xf32>, %r: !glm.routing<12, 3>) {
  // expected-error@+1 {{'glm.expert_gated_linear' op ups has elements of 'f32', expected 'bf16'}}
  %0 = glm.expert_gated_linear %x, %g, %u, %r : tensor<?x64xf32>, tensor<12x36x64xbf16>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  return
}

// -----

// glm.expert_gated_linear C3: rounding is a cast of its own.
func.func @narrow(%x: tensor<?x64xf32>, %g: tensor<12x36x64xf32>, %u: tensor<12x36x64xf32>, %r: !glm.routing<12, 3>) {
  // expected-error@+1 {{'glm.expert_gated_linear' op}}
  %0 = glm.expert_gated_linear %x, %g, %u, %r : tensor<?x64xf32>, tensor<12x36x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xbf16>
  return
}
