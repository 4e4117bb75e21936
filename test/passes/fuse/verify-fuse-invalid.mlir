// RUN: glm-opt %s --glm-verify-fuse --split-input-file --verify-diagnostics

func.func @expanded(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x36xf32>,
                    %sel: !glm.selection<10>, %kv_b: tensor<192x24xf32>) -> tensor<?x4x28xf32> {
  // expected-error @+1 {{[GLM0401]: glm.attend_expanded: expanded attention is left, for which no target has a kernel; run the fuse pipeline on the module}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xf32>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}

// -----

// A matrix of all scores never exists.
func.func @scores(%q: tensor<?x8x32xf32>, %w: tensor<?x8xf32>, %keys: !glm.cache<32xf32>,
                  %rows: !glm.rows) -> tensor<?x?xf32> {
  // expected-error @+1 {{[GLM0401]: glm.index_scores: scores are read by one glm.select_top_k and nothing else; run the fuse pipeline on the module}}
  %s = glm.index_scores %q, %w, %keys, %rows scale 0.0625
     : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}

// -----

func.func @select(%s: tensor<?x?xf32>, %rows: !glm.rows) -> !glm.selection<10> {
  // expected-error @+1 {{[GLM0401]: glm.select_top_k: selects from scores that no glm.index_scores computes; run the fuse pipeline on the module}}
  %sel = glm.select_top_k %s, %rows : tensor<?x?xf32> -> !glm.selection<10>
  return %sel : !glm.selection<10>
}

// -----

func.func @gathered(%cache: !glm.cache<36xf32>, %sel: !glm.selection<10>, %rows: !glm.rows)
    -> tensor<?x?x36xf32> {
  // expected-error @+1 {{[GLM0401]: glm.gather: gathered rows are read by attention only; run the fuse pipeline on the module}}
  %g = glm.gather %cache, %sel, %rows : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
  return %g : tensor<?x?x36xf32>
}

// -----

// Derived weights are laid out when weights are packed and are no values at run time.
func.func @derived(%kv_b: tensor<192x24xf32>) -> tensor<4x20x24xf32> {
  // expected-error @+1 {{[GLM0401]: glm.head_rows: a derived weight is read by linears only; run the fuse pipeline on the module}}
  %uk = glm.head_rows %kv_b begin 0 : tensor<192x24xf32> -> tensor<4x20x24xf32>
  return %uk : tensor<4x20x24xf32>
}
