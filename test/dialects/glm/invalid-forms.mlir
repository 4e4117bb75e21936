// RUN: glm-opt %s --verify-diagnostics --split-input-file

// glm.sparse_attention C1: the cache is as wide as a latent and a rotated key.
func.func @width(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %c: !glm.cache<40xf32>,
                 %s: !glm.selection<10>, %w: tensor<192x24xf32>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.sparse_attention' op latent is 40 wide, expected 36}}
  %0 = glm.sparse_attention %qn, %qr, %c, %s, %w, %rows scale 0.17 : tensor<?x4x20xf32>, tensor<?x4x12xf32>, !glm.cache<40xf32>, !glm.selection<10>, tensor<192x24xf32> -> tensor<?x4x28xf32>
  return
}

// -----

// glm.sparse_attention C2: kv_b makes a key and a value for every head.
func.func @weight(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %c: !glm.cache<36xf32>,
                  %s: !glm.selection<10>, %w: tensor<190x24xf32>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.sparse_attention' op kv_b is [190, 24], expected [192, 24]}}
  %0 = glm.sparse_attention %qn, %qr, %c, %s, %w, %rows scale 0.17 : tensor<?x4x20xf32>, tensor<?x4x12xf32>, !glm.cache<36xf32>, !glm.selection<10>, tensor<190x24xf32> -> tensor<?x4x28xf32>
  return
}

// -----

// glm.sparse_attention C3: the scale is positive.
func.func @scale(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %c: !glm.cache<36xf32>,
                 %s: !glm.selection<10>, %w: tensor<192x24xf32>, %rows: !glm.rows) {
  // expected-error@+1 {{'glm.sparse_attention' op scale must be greater than 0}}
  %0 = glm.sparse_attention %qn, %qr, %c, %s, %w, %rows scale 0.0 : tensor<?x4x20xf32>, tensor<?x4x12xf32>, !glm.cache<36xf32>, !glm.selection<10>, tensor<192x24xf32> -> tensor<?x4x28xf32>
  return
}

// -----

// glm.call_by_keys C1: all three are functions.
func.func private @a(!glm.rows) -> tensor<?x4xf32>
func.func @missing(%rows: !glm.rows) {
  // expected-error@+1 {{'glm.call_by_keys' op @b is not a function}}
  %0 = glm.call_by_keys gathered @a masked @b causal @a(%rows) : (!glm.rows) -> tensor<?x4xf32>
  return
}

// -----

// glm.call_by_keys C1: all three are of one type.
func.func private @a(!glm.rows) -> tensor<?x4xf32>
func.func private @c(!glm.rows) -> tensor<?x8xf32>
func.func @type(%rows: !glm.rows) {
  // expected-error@+1 {{'glm.call_by_keys' op @c is of type}}
  %0 = glm.call_by_keys gathered @a masked @a causal @c(%rows) : (!glm.rows) -> tensor<?x4xf32>
  return
}
