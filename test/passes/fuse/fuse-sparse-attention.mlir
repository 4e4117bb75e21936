// RUN: glm-opt %s --glm-fuse-sparse-attention=verify --split-input-file --verify-diagnostics | FileCheck %s

// Gathering and attention are one step: how keys come to rows is open.
// CHECK-LABEL: func.func @fires
// CHECK-NOT: glm.gather
// CHECK: glm.sparse_attention %arg0, %arg1, %arg2, %arg3, %arg4, %arg5 scale 1.700000e-01
func.func @fires(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %cache: !glm.cache<36xf32>,
                 %sel: !glm.selection<10>, %kv_b: tensor<192x24xf32>, %rows: !glm.rows)
    -> tensor<?x4x28xf32> {
  %g = glm.gather %cache, %sel, %rows : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
  // expected-remark @+2 {{glm-fuse-sparse-attention: fused with the gathering of its rows}}
  // expected-remark @+1 {{glm-verify-fusions: equal to what it replaced}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xf32>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}

// -----

// Rows from elsewhere may be those of any cache.
// CHECK-LABEL: func.func @foreign_rows
// CHECK: glm.attend_expanded
func.func @foreign_rows(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x36xf32>,
                        %sel: !glm.selection<10>, %kv_b: tensor<192x24xf32>) -> tensor<?x4x28xf32> {
  // expected-remark @+1 {{glm-fuse-sparse-attention: kept apart: its rows are not gathered from a cache}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xf32>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}

// -----

// What is appended behind the gathering is not attended to.
// CHECK-LABEL: func.func @append_between
// CHECK: glm.attend_expanded
func.func @append_between(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %cache: !glm.cache<36xf32>,
                          %sel: !glm.selection<10>, %kv_b: tensor<192x24xf32>, %rows: !glm.rows,
                          %new: tensor<?x36xf32>) -> tensor<?x4x28xf32> {
  %g = glm.gather %cache, %sel, %rows : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
  glm.append %new, %cache, %rows : tensor<?x36xf32>, !glm.cache<36xf32>
  // expected-remark @+1 {{glm-fuse-sparse-attention: kept apart: rows may be appended between gathering and attention}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xf32>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}
