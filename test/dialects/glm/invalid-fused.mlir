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

// -----

// glm.linear_group C1: one linear is no group.
func.func @single(%x: tensor<?x64xf32>, %a: tensor<40x64xf32>) {
  // expected-error@+1 {{'glm.linear_group' op has 1 weight, a group has two at least}}
  %0 = glm.linear_group %x by %a : tensor<?x64xf32> by tensor<40x64xf32> -> tensor<?x40xf32>
  return
}

// -----

// glm.linear_group C2: the rows of all members are as many and as wide.
func.func @other_rows(%x: tensor<?x64xf32>, %z: tensor<?x32xf32>, %a: tensor<40x64xf32>, %b: tensor<8x32xf32>) {
  // expected-error@+1 {{'glm.linear_group' op rows 1 is [?, 32], expected [?, 64]}}
  %0:2 = glm.linear_group %x, %z by %a, %b : tensor<?x64xf32>, tensor<?x32xf32> by tensor<40x64xf32>, tensor<8x32xf32> -> tensor<?x40xf32>, tensor<?x8xf32>
  return
}

// -----

// glm.linear_group C2: every weight maps the rows to its result.
func.func @width(%x: tensor<?x64xf32>, %a: tensor<40x64xf32>, %b: tensor<8x64xf32>) {
  // expected-error@+1 {{'glm.linear_group' op weight 1 is [8, 64], expected [9, 64]}}
  %0:2 = glm.linear_group %x, %x by %a, %b : tensor<?x64xf32>, tensor<?x64xf32> by tensor<40x64xf32>, tensor<8x64xf32> -> tensor<?x40xf32>, tensor<?x9xf32>
  return
}

// -----

// glm.linear_group C3: rounding is a cast of its own.
func.func @narrow(%x: tensor<?x64xf32>, %a: tensor<40x64xf32>, %b: tensor<8x64xf32>) {
  // expected-error@+1 {{'glm.linear_group' op}}
  %0:2 = glm.linear_group %x, %x by %a, %b : tensor<?x64xf32>, tensor<?x64xf32> by tensor<40x64xf32>, tensor<8x64xf32> -> tensor<?x40xf32>, tensor<?x8xbf16>
  return
}

// -----

// glm.norm_linear C1: as many results as weights.
func.func @results(%x: tensor<?x64xf32>, %g: tensor<64xf32>, %a: tensor<40x64xf32>) {
  // expected-error@+1 {{'glm.norm_linear' op has 1 weights and 2 results, expected as many of both}}
  %0:2 = glm.norm_linear %x, %g eps 1.0e-05 by %a : tensor<?x64xf32>, tensor<64xf32> by tensor<40x64xf32> -> tensor<?x40xf32>, tensor<?x40xf32>
  return
}

// -----

// glm.norm_linear C2: one gain for each column.
func.func @gain(%x: tensor<?x64xf32>, %g: tensor<32xf32>, %a: tensor<40x64xf32>) {
  // expected-error@+1 {{'glm.norm_linear' op gain is [32], expected [64]}}
  %0 = glm.norm_linear %x, %g eps 1.0e-05 by %a : tensor<?x64xf32>, tensor<32xf32> by tensor<40x64xf32> -> tensor<?x40xf32>
  return
}

// -----

// glm.norm_linear C3: rounding is a cast of its own.
func.func @narrow(%x: tensor<?x64xf32>, %g: tensor<64xf32>, %a: tensor<40x64xf32>) {
  // expected-error@+1 {{'glm.norm_linear' op}}
  %0 = glm.norm_linear %x, %g eps 1.0e-05 by %a : tensor<?x64xf32>, tensor<64xf32> by tensor<40x64xf32> -> tensor<?x40xbf16>
  return
}

// -----

// glm.norm_linear C4: eps keeps a row of zeros finite.
func.func @eps(%x: tensor<?x64xf32>, %g: tensor<64xf32>, %a: tensor<40x64xf32>) {
  // expected-error@+1 {{'glm.norm_linear' op eps must be greater than 0, is 0}}
  %0 = glm.norm_linear %x, %g eps 0.0 by %a : tensor<?x64xf32>, tensor<64xf32> by tensor<40x64xf32> -> tensor<?x40xf32>
  return
}

// -----

// glm.router C1: one row of the matrix for each expert.
func.func @matrix(%x: tensor<?x64xf32>, %w: tensor<12x64xf32>, %b: tensor<16xf32>) {
  // expected-error@+1 {{'glm.router' op weight is [12, 64], expected [16, 64]}}
  %0 = glm.router %x, %w, %b groups 1 kept 1 scale 1.0 : tensor<?x64xf32>, tensor<12x64xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return
}

// -----

// glm.router C2: groups are equal.
func.func @groups(%x: tensor<?x64xf32>, %w: tensor<16x64xf32>, %b: tensor<16xf32>) {
  // expected-error@+1 {{'glm.router' op 3 groups do not divide 16 experts}}
  %0 = glm.router %x, %w, %b groups 3 kept 1 scale 1.0 : tensor<?x64xf32>, tensor<16x64xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return
}

// -----

// glm.router C3: there are experts enough.
func.func @kept(%x: tensor<?x64xf32>, %w: tensor<16x64xf32>, %b: tensor<16xf32>) {
  // expected-error@+1 {{'glm.router' op chooses 4 of the 2 experts in 1 kept groups}}
  %0 = glm.router %x, %w, %b groups 8 kept 1 scale 1.0 : tensor<?x64xf32>, tensor<16x64xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return
}
