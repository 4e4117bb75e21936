// RUN: glm-opt %s --verify-diagnostics --split-input-file

// glm.embed C1.
func.func @embed(%table: tensor<9x4xbf16>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.embed' op result is [?, 8], expected [?, 4]}}
  %0 = glm.embed %table, %rows : tensor<9x4xbf16> -> tensor<?x8xf32>
  return
}

// -----

// glm.take_rows C1: the width is kept.
func.func @take_rows(%x: tensor<?x4xf32>, %indices: tensor<2xi32>) {
  // expected-error@+1 {{'glm.take_rows' op result is [3, 4], expected [2, 4]}}
  %0 = glm.take_rows %x, %indices : tensor<?x4xf32>, tensor<2xi32> -> tensor<3x4xf32>
  return
}

// -----

// glm.take_rows C1: the element type is kept.
func.func @take_rows_element(%x: tensor<?x4xf32>, %indices: tensor<?xi32>) {
  // expected-error@+1 {{'glm.take_rows' op result has elements of 'bf16', expected 'f32'}}
  %0 = glm.take_rows %x, %indices : tensor<?x4xf32>, tensor<?xi32> -> tensor<?x4xbf16>
  return
}

// -----

// glm.linear C1: weights are [N, K], not [K, N].
func.func @linear(%x: tensor<?x4xf32>, %w: tensor<4x8xbf16>) {
  // expected-error@+1 {{'glm.linear' op weight is [4, 8], expected [8, 4]}}
  %0 = glm.linear %x, %w : tensor<?x4xf32>, tensor<4x8xbf16> -> tensor<?x8xf32>
  return
}

// -----

// glm.linear C2: a sum is not rounded in passing.
func.func @linear_sum(%x: tensor<?x4xf32>, %w: tensor<8x4xbf16>) {
  // expected-error@+1 {{'glm.linear' op result has elements of 'bf16', expected f32 or f64: sums are rounded by glm.cast only}}
  %0 = glm.linear %x, %w : tensor<?x4xf32>, tensor<8x4xbf16> -> tensor<?x8xbf16>
  return
}

// -----

// glm.head_linear C1: as many matrices as heads.
func.func @head_linear(%x: tensor<?x4x2xf32>, %w: tensor<3x5x2xbf16>) {
  // expected-error@+1 {{'glm.head_linear' op weight is [3, 5, 2], expected [4, 5, 2]}}
  %0 = glm.head_linear %x, %w : tensor<?x4x2xf32>, tensor<3x5x2xbf16> -> tensor<?x4x5xf32>
  return
}

// -----

// glm.head_linear C1: transposed, the input width comes first.
func.func @head_linear_transposed(%x: tensor<?x4x2xf32>, %w: tensor<4x5x2xbf16>) {
  // expected-error@+1 {{'glm.head_linear' op weight is [4, 5, 2], expected [4, 2, 5]}}
  %0 = glm.head_linear %x, %w transposed : tensor<?x4x2xf32>, tensor<4x5x2xbf16> -> tensor<?x4x5xf32>
  return
}

// -----

// glm.head_linear C2.
func.func @head_linear_sum(%x: tensor<?x4x2xf32>, %w: tensor<4x5x2xbf16>) {
  // expected-error@+1 {{'glm.head_linear' op result has elements of 'bf16', expected f32 or f64: sums are rounded by glm.cast only}}
  %0 = glm.head_linear %x, %w : tensor<?x4x2xf32>, tensor<4x5x2xbf16> -> tensor<?x4x5xbf16>
  return
}

// -----

// glm.rms_norm C1.
func.func @rms_norm(%x: tensor<?x4xf32>, %g: tensor<8xbf16>) {
  // expected-error@+1 {{'glm.rms_norm' op gain is [8], expected [4]}}
  %0 = glm.rms_norm %x, %g eps 1.0e-05 : tensor<?x4xf32>, tensor<8xbf16> -> tensor<?x4xf32>
  return
}

// -----

// glm.rms_norm C2.
func.func @rms_norm_eps(%x: tensor<?x4xf32>, %g: tensor<4xbf16>) {
  // expected-error@+1 {{'glm.rms_norm' op eps must be greater than 0, is 0.000000e+00}}
  %0 = glm.rms_norm %x, %g eps 0.0 : tensor<?x4xf32>, tensor<4xbf16> -> tensor<?x4xf32>
  return
}

// -----

// glm.layer_norm C1.
func.func @layer_norm(%x: tensor<?x4xf32>, %g: tensor<4xbf16>, %b: tensor<3xbf16>) {
  // expected-error@+1 {{'glm.layer_norm' op bias is [3], expected [4]}}
  %0 = glm.layer_norm %x, %g, %b eps 1.0e-06 : tensor<?x4xf32>, tensor<4xbf16>, tensor<3xbf16> -> tensor<?x4xf32>
  return
}

// -----

// glm.layer_norm C2.
func.func @layer_norm_eps(%x: tensor<?x4xf32>, %g: tensor<4xbf16>) {
  // expected-error@+1 {{'glm.layer_norm' op eps must be greater than 0, is -1.000000e+00}}
  %0 = glm.layer_norm %x, %g, %g eps -1.0 : tensor<?x4xf32>, tensor<4xbf16>, tensor<4xbf16> -> tensor<?x4xf32>
  return
}

// -----

// glm.rope_angles C1.
func.func @rope_angles(%rows: !glm.rows) {
  // expected-error@+1 {{'glm.rope_angles' op result must have an even width, is 'tensor<?x3xf32>'}}
  %0 = glm.rope_angles %rows theta 1.0e+06 : tensor<?x3xf32>
  return
}

// -----

// glm.rope_angles C2.
func.func @rope_theta(%rows: !glm.rows) {
  // expected-error@+1 {{'glm.rope_angles' op theta must be greater than 1, is 1.000000e+00}}
  %0 = glm.rope_angles %rows theta 1.0 : tensor<?x4xf32>
  return
}

// -----

// glm.rope C1: as many angles as elements of a head.
func.func @rope(%x: tensor<?x2x4xf32>, %a: tensor<?x8xf32>) {
  // expected-error@+1 {{'glm.rope' op angles is [?, 8], expected [?, 4]}}
  %0 = glm.rope %x, %a half : tensor<?x2x4xf32>, tensor<?x8xf32>
  return
}

// -----

// glm.rope C1: pairs rotate.
func.func @rope_odd(%x: tensor<?x2x3xf32>, %a: tensor<?x3xf32>) {
  // expected-error@+1 {{'glm.rope' op x must have an even width, is 'tensor<?x2x3xf32>'}}
  %0 = glm.rope %x, %a half : tensor<?x2x3xf32>, tensor<?x3xf32>
  return
}

// -----

// glm.rope C1: rows or heads of rows.
func.func @rope_rank(%x: tensor<4xf32>, %a: tensor<?x4xf32>) {
  // expected-error@+1 {{'glm.rope' op x must have rank 2 or 3, is 'tensor<4xf32>'}}
  %0 = glm.rope %x, %a half : tensor<4xf32>, tensor<?x4xf32>
  return
}

// -----

// glm.rope: the pairing has no default.
func.func @rope_pairing(%x: tensor<?x2x4xf32>, %a: tensor<?x4xf32>) {
  // expected-error@+2 {{custom op 'glm.rope' expected valid keyword or string}}
  // expected-error@+1 {{custom op 'glm.rope' failed to parse Glm_PairingAttr parameter 'value'}}
  %0 = glm.rope %x, %a : tensor<?x2x4xf32>, tensor<?x4xf32>
  return
}

// -----

// glm.slice C1: the columns are there.
func.func @slice(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'glm.slice' op columns 3 to 5 are not within the 4 columns of x}}
  %0 = glm.slice %x begin 3 : tensor<?x4xf32> -> tensor<?x2xf32>
  return
}

// -----

// glm.slice C1: everything else is kept.
func.func @slice_heads(%x: tensor<?x3x4xf32>) {
  // expected-error@+1 {{'glm.slice' op result is [?, 2, 2], expected [?, 3, 2]}}
  %0 = glm.slice %x begin 0 : tensor<?x3x4xf32> -> tensor<?x2x2xf32>
  return
}

// -----

// glm.concat C1.
func.func @concat(%x: tensor<?x4xf32>, %y: tensor<?x2xf32>) {
  // expected-error@+1 {{'glm.concat' op result is [?, 8], expected [?, 6]}}
  %0 = glm.concat %x, %y : tensor<?x4xf32>, tensor<?x2xf32> -> tensor<?x8xf32>
  return
}

// -----

// glm.split_heads C1.
func.func @split_heads(%x: tensor<?x9xf32>) {
  // expected-error@+1 {{'glm.split_heads' op x is [?, 9], expected [?, 8]}}
  %0 = glm.split_heads %x : tensor<?x9xf32> -> tensor<?x2x4xf32>
  return
}

// -----

// glm.merge_heads C1.
func.func @merge_heads(%x: tensor<?x2x4xf32>) {
  // expected-error@+1 {{'glm.merge_heads' op result is [?, 9], expected [?, 8]}}
  %0 = glm.merge_heads %x : tensor<?x2x4xf32> -> tensor<?x9xf32>
  return
}
