// RUN: glm-opt %s --verify-diagnostics --split-input-file

// glm.weight C1: the size of a checkpoint's tensor is known.
// expected-error@+1 {{'glm.weight' op type must be static, is 'tensor<?xbf16>'}}
glm.weight @w : tensor<?xbf16> from "model.safetensors" at 0

// -----

// glm.weight C2: a tensor lies somewhere.
// expected-error@+1 {{'glm.weight' op file must not be empty}}
glm.weight @w : tensor<4xbf16> from "" at 0

// -----

// glm.weight C2: in front of a file there is nothing.
// expected-error@+1 {{'glm.weight' op offset must not be negative, is -8}}
glm.weight @w : tensor<4xbf16> from "model.safetensors" at -8

// -----

// glm.bank C1: a bank is one matrix for each expert.
// expected-error@+1 {{'glm.bank' op type must be static with rank 3, is 'tensor<4x4xbf16>'}}
glm.bank @b : tensor<4x4xbf16> tensors "e.{}" from ["m"] [0, 0, 0, 0] at [0, 8, 16, 24]

// -----

// glm.bank C2: every expert has a place.
// expected-error@+1 {{'glm.bank' op has 2 files and 1 offsets for 2 experts}}
glm.bank @b : tensor<2x4x4xbf16> tensors "e.{}" from ["m"] [0, 0] at [0]

// -----

// glm.bank C2: the place is in a file of the list.
// expected-error@+1 {{'glm.bank' op names file 1 of 1}}
glm.bank @b : tensor<2x4x4xbf16> tensors "e.{}" from ["m"] [0, 1] at [0, 32]

// -----

// glm.bank C2: in front of a file there is nothing.
// expected-error@+1 {{'glm.bank' op offset must not be negative, is -1}}
glm.bank @b : tensor<2x4x4xbf16> tensors "e.{}" from ["m"] [0, 0] at [0, -1]

// -----

// glm.weight_value C1: nothing is invented.
func.func @missing() {
  // expected-error@+1 {{'glm.weight_value' op @w is no glm.weight or glm.bank of the module}}
  %0 = glm.weight_value @w : tensor<4xbf16>
  return
}

// -----

glm.weight @w : tensor<4xbf16> from "model.safetensors" at 0

// glm.weight_value C1: a weight is what the checkpoint has.
func.func @other_type() {
  // expected-error@+1 {{'glm.weight_value' op @w is 'tensor<4xbf16>', the result 'tensor<4xf32>'}}
  %0 = glm.weight_value @w : tensor<4xf32>
  return
}

// -----

// glm.head_rows takes rows of a matrix.
func.func @no_matrix(%w: tensor<4xbf16>) {
  // expected-error@+1 {{'glm.head_rows' op takes rows of a matrix for every head, not 'tensor<4xbf16>' to 'tensor<4xbf16>'}}
  %0 = glm.head_rows %w begin 0 : tensor<4xbf16> -> tensor<4xbf16>
  return
}

// -----

// glm.head_rows C1: the heads share the rows.
func.func @indivisible(%w: tensor<10x4xbf16>) {
  // expected-error@+1 {{'glm.head_rows' op 4 heads do not divide 10 rows}}
  %0 = glm.head_rows %w begin 0 : tensor<10x4xbf16> -> tensor<4x2x4xbf16>
  return
}

// -----

// glm.head_rows C2: a head ends where the next begins.
func.func @beyond_head(%w: tensor<12x4xbf16>) {
  // expected-error@+1 {{'glm.head_rows' op rows 1 to 4 are not within the 3 rows of a head}}
  %0 = glm.head_rows %w begin 1 : tensor<12x4xbf16> -> tensor<4x3x4xbf16>
  return
}

// -----

// glm.state_value C1: a cache is declared.
func.func @no_state() {
  // expected-error@+1 {{'glm.state_value' op @keys is no glm.state of the module}}
  %0 = glm.state_value @keys : !glm.cache<4xf32>
  return
}

// -----

glm.state @keys : !glm.cache<8xf32>

// glm.state_value C1: a cache is what was declared.
func.func @other_state() {
  // expected-error@+1 {{'glm.state_value' op @keys is '!glm.cache<8xf32>', the result '!glm.cache<4xf32>'}}
  %0 = glm.state_value @keys : !glm.cache<4xf32>
  return
}

// -----

// glm.append C1: values are as wide as the cache.
func.func @append(%values: tensor<?x4xf32>, %cache: !glm.cache<8xf32>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.append' op values is [?, 4], expected [?, 8]}}
  glm.append %values, %cache, %rows : tensor<?x4xf32>, !glm.cache<8xf32>
  return
}
