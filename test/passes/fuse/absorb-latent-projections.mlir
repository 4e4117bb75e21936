// RUN: glm-opt %s --glm-absorb-latent-projections --split-input-file --verify-diagnostics | FileCheck %s

// Keys and values are never expanded: two small linears stand before and behind the attention.
// CHECK-LABEL: func.func @f32
// CHECK-DAG: %[[UK:.*]] = glm.head_rows %arg4 begin 0 : tensor<192x24xf32> -> tensor<4x20x24xf32>
// CHECK-DAG: %[[UV:.*]] = glm.head_rows %arg4 begin 20 : tensor<192x24xf32> -> tensor<4x28x24xf32>
// CHECK: %[[Q:.*]] = glm.head_linear %arg0, %[[UK]] transposed
// CHECK: %[[O:.*]] = glm.attend_latent %[[Q]], %arg1
// CHECK: %[[Y:.*]] = glm.head_linear %[[O]], %[[UV]]
// CHECK: return %[[Y]]
func.func @f32(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %cache: !glm.cache<36xf32>,
               %sel: !glm.selection<10>, %kv_b: tensor<192x24xf32>, %rows: !glm.rows)
    -> tensor<?x4x28xf32> {
  %g = glm.gather %cache, %sel, %rows : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
  // expected-remark @+1 {{glm-absorb: absorbed into latent attention}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xf32>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}

// -----

// In bf16 the absorbed query and the latent sum are rounded where they are multiplied again.
// CHECK-LABEL: func.func @bf16
// CHECK: %[[Q:.*]] = glm.head_linear %arg0, %{{.*}} transposed
// CHECK: %[[QR:.*]] = glm.cast %[[Q]] : tensor<?x4x24xf32> -> tensor<?x4x24xbf16>
// CHECK: %[[O:.*]] = glm.attend_latent %[[QR]], %arg1
// CHECK: %[[OR:.*]] = glm.cast %[[O]]
// CHECK: glm.head_linear %[[OR]], %{{.*}} : tensor<?x4x24xbf16>, tensor<4x28x24xbf16>
func.func @bf16(%qn: tensor<?x4x20xbf16>, %qr: tensor<?x4x12xbf16>, %cache: !glm.cache<36xbf16>,
                %sel: !glm.selection<10>, %kv_b: tensor<192x24xbf16>, %rows: !glm.rows)
    -> tensor<?x4x28xf32> {
  %g = glm.gather %cache, %sel, %rows : !glm.cache<36xbf16>, !glm.selection<10> -> tensor<?x?x36xbf16>
  // expected-remark @+1 {{glm-absorb: absorbed into latent attention}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xbf16>, tensor<?x4x12xbf16>, tensor<?x?x36xbf16>, tensor<192x24xbf16>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}

// -----

// Rows from elsewhere may not be latent rows of these heads.
// CHECK-LABEL: func.func @foreign_rows
// CHECK: glm.attend_expanded
func.func @foreign_rows(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x36xf32>,
                        %sel: !glm.selection<10>, %kv_b: tensor<192x24xf32>) -> tensor<?x4x28xf32> {
  // expected-remark @+1 {{glm-absorb: kept expanded: its rows are not gathered from a cache}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xf32>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}

// -----

// Where a product has two types nobody has decided on the rounding yet.
// CHECK-LABEL: func.func @mixed
// CHECK: glm.attend_expanded
func.func @mixed(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %cache: !glm.cache<36xf32>,
                 %sel: !glm.selection<10>, %kv_b: tensor<192x24xbf16>, %rows: !glm.rows)
    -> tensor<?x4x28xf32> {
  %g = glm.gather %cache, %sel, %rows : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
  // expected-remark @+1 {{glm-absorb: kept expanded: the element types of query and projection differ}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xbf16>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}
