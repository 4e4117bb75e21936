// RUN: glm-opt %s --verify-diagnostics --split-input-file

// glm.index_scores C1: keys are as wide as queries.
func.func @keys(%q: tensor<?x8x32xf32>, %w: tensor<?x8xf32>, %keys: !glm.cache<16xf32>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.index_scores' op q is [?, 8, 32], expected [?, ?, 16]}}
  %0 = glm.index_scores %q, %w, %keys, %rows scale 1.0 : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<16xf32> -> tensor<?x?xf32>
  return
}

// -----

// glm.index_scores C1: one weight a head.
func.func @weights(%q: tensor<?x8x32xf32>, %w: tensor<?x4xf32>, %keys: !glm.cache<32xf32>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.index_scores' op weights is [?, 4], expected [?, 8]}}
  %0 = glm.index_scores %q, %w, %keys, %rows scale 1.0 : tensor<?x8x32xf32>, tensor<?x4xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
  return
}

// -----

// glm.index_scores C2: scores are compared, so they are not rounded.
func.func @rounded(%q: tensor<?x8x32xf32>, %w: tensor<?x8xf32>, %keys: !glm.cache<32xf32>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.index_scores' op result has elements of 'bf16', expected f32 or f64: sums are rounded by glm.cast only}}
  %0 = glm.index_scores %q, %w, %keys, %rows scale 1.0 : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xbf16>
  return
}

// -----

// glm.index_scores C3: a negative scale would turn the order around.
func.func @scale(%q: tensor<?x8x32xf32>, %w: tensor<?x8xf32>, %keys: !glm.cache<32xf32>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.index_scores' op scale must be greater than 0, is -1.000000e+00}}
  %0 = glm.index_scores %q, %w, %keys, %rows scale -1.0 : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
  return
}

// -----

// glm.select_top_k C1: scores are a matrix.
func.func @select(%s: tensor<?xf32>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.select_top_k' op operand #0 must be 2D tensor of}}
  %0 = glm.select_top_k %s, %rows : tensor<?xf32> -> !glm.selection<10>
  return
}

// -----

// glm.selection_ids C1.
func.func @ids(%sel: !glm.selection<10>) {
  // expected-error@+1 {{'glm.selection_ids' op result is [?, 9], expected [?, 10]}}
  %0 = glm.selection_ids %sel : !glm.selection<10> -> tensor<?x9xi32>
  return
}

// -----

// glm.selection_of_ids C1.
func.func @of_ids(%ids: tensor<?x9xi32>) {
  // expected-error@+1 {{'glm.selection_of_ids' op ids is [?, 9], expected [?, 10]}}
  %0 = glm.selection_of_ids %ids : tensor<?x9xi32> -> !glm.selection<10>
  return
}

// -----

// glm.gather C1: rows are taken whole.
func.func @gather(%cache: !glm.cache<36xf32>, %sel: !glm.selection<10>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.gather' op result is [?, ?, 24], expected [?, ?, 36]}}
  %0 = glm.gather %cache, %sel, %rows : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x24xf32>
  return
}

// -----

// glm.gather C1: and as they are.
func.func @gather_element(%cache: !glm.cache<36xbf16>, %sel: !glm.selection<10>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.gather' op result has elements of 'f32', expected 'bf16'}}
  %0 = glm.gather %cache, %sel, %rows : !glm.cache<36xbf16>, !glm.selection<10> -> tensor<?x?x36xf32>
  return
}

// -----

// glm.attend_expanded C1: latent and rope make up a gathered row.
func.func @expanded_width(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x32xf32>, %kv_b: tensor<192x24xbf16>, %sel: !glm.selection<10>) {
  // expected-error@+1 {{'glm.attend_expanded' op gathered is [?, ?, 32], expected [?, ?, 36]}}
  %0 = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 1.0
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x32xf32>, tensor<192x24xbf16>, !glm.selection<10> -> tensor<?x4x28xf32>
  return
}

// -----

// glm.attend_expanded C2: kv_b has a key and a value for every head.
func.func @expanded_rows(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x36xf32>, %kv_b: tensor<188x24xbf16>, %sel: !glm.selection<10>) {
  // expected-error@+1 {{'glm.attend_expanded' op kv_b is [188, 24], expected [192, 24]}}
  %0 = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 1.0
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<188x24xbf16>, !glm.selection<10> -> tensor<?x4x28xf32>
  return
}

// -----

// glm.attend_expanded C3.
func.func @expanded_scale(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x36xf32>, %kv_b: tensor<192x24xbf16>, %sel: !glm.selection<10>) {
  // expected-error@+1 {{'glm.attend_expanded' op scale must be greater than 0, is 0.000000e+00}}
  %0 = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.0
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xbf16>, !glm.selection<10> -> tensor<?x4x28xf32>
  return
}

// -----

// glm.attend_latent C1: the result is a latent.
func.func @latent(%q: tensor<?x4x24xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x36xf32>, %sel: !glm.selection<10>) {
  // expected-error@+1 {{'glm.attend_latent' op result is [?, 4, 28], expected [?, 4, 24]}}
  %0 = glm.attend_latent %q, %qr, %g, %sel scale 1.0
     : tensor<?x4x24xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, !glm.selection<10> -> tensor<?x4x28xf32>
  return
}

// -----

// glm.attend_latent C2.
func.func @latent_scale(%q: tensor<?x4x24xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x36xf32>, %sel: !glm.selection<10>) {
  // expected-error@+1 {{'glm.attend_latent' op scale must be greater than 0, is -1.000000e+00}}
  %0 = glm.attend_latent %q, %qr, %g, %sel scale -1.0
     : tensor<?x4x24xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, !glm.selection<10> -> tensor<?x4x24xf32>
  return
}
