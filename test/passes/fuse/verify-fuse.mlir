// RUN: glm-opt %s --glm-verify-fuse | FileCheck %s

// What one kernel can do passes: scores that are selected from, rows that are attended to.
// CHECK-LABEL: func.func @attention
func.func @attention(%iq: tensor<?x8x32xf32>, %w: tensor<?x8xf32>, %keys: !glm.cache<32xf32>,
                     %q: tensor<?x4x24xf32>, %qr: tensor<?x4x12xf32>, %cache: !glm.cache<36xf32>,
                     %rows: !glm.rows) -> tensor<?x4x24xf32> {
  %s = glm.index_scores %iq, %w, %keys, %rows scale 0.0625
     : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
  %sel = glm.select_top_k %s, %rows : tensor<?x?xf32> -> !glm.selection<10>
  %g = glm.gather %cache, %sel, %rows : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
  %y = glm.attend_latent %q, %qr, %g, %sel scale 0.17
     : tensor<?x4x24xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, !glm.selection<10>
       -> tensor<?x4x24xf32>
  return %y : tensor<?x4x24xf32>
}
