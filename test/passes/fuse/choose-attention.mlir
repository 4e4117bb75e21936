// RUN: glm-opt %s --glm-choose-attention 2>/dev/null | FileCheck %s
// RUN: glm-opt %s --glm-choose-attention=expanded-keys=0 2>/dev/null | FileCheck %s --check-prefix=NEVER
// RUN: glm-opt %s --glm-choose-attention 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// The shapes of GLM-5, twice: both layers call the same three functions, which round as the layers did.
// REMARK: glm-choose-attention: up to {{[0-9]+}} keys are expanded for {{[0-9]+}} rows or more
// REMARK: 2048 rows to 2048 keys: {{.*}}: expanded
// REMARK: 2048 rows to 8192 keys: {{.*}}: gathered
// CHECK: program.presets = {expanded_keys = {{[0-9]+}} : i64, expanded_rows = {{[0-9]+}} : i64, full_rows = {{[0-9]+}} : i64, max_keys = 32768 : i64, unmasked_keys = 2048 : i64}
// CHECK: func.func private @attend_gathered
// CHECK: glm.gather
// CHECK: glm.attend_expanded
// CHECK: glm.cast
// CHECK: func.func private @attend_masked
// CHECK: glm.sparse_attention %arg0, %arg1, %arg2, %arg3
// CHECK: func.func private @attend_causal
// CHECK: %[[ALL:.*]] = glm.select_visible
// CHECK: glm.sparse_attention %arg0, %arg1, %arg2, %[[ALL]]
// CHECK-LABEL: func.func @one
// CHECK: glm.call_by_keys gathered @attend_gathered masked @attend_masked causal @attend_causal
// CHECK-LABEL: func.func @two
// CHECK: glm.call_by_keys gathered @attend_gathered masked @attend_masked causal @attend_causal

// Where keys are never expanded there is one form.
// NEVER-NOT: program.presets
// NEVER-NOT: call_by_keys
// NEVER-LABEL: func.func @one
// NEVER: glm.gather
// NEVER: glm.attend_expanded
func.func @one(%qn: tensor<?x64x192xbf16>, %qr: tensor<?x64x64xbf16>, %cache: !glm.cache<576xbf16>,
               %sel: !glm.selection<2048>, %kv_b: tensor<28672x512xbf16>, %rows: !glm.rows)
    -> tensor<?x16384xbf16> {
  %y = glm.sparse_attention %qn, %qr, %cache, %sel, %kv_b, %rows scale 0.0625
     : tensor<?x64x192xbf16>, tensor<?x64x64xbf16>, !glm.cache<576xbf16>, !glm.selection<2048>, tensor<28672x512xbf16>
       -> tensor<?x64x256xf32>
  %m = glm.merge_heads %y : tensor<?x64x256xf32> -> tensor<?x16384xf32>
  %r = glm.cast %m : tensor<?x16384xf32> -> tensor<?x16384xbf16>
  return %r : tensor<?x16384xbf16>
}
func.func @two(%qn: tensor<?x64x192xbf16>, %qr: tensor<?x64x64xbf16>, %cache: !glm.cache<576xbf16>,
               %sel: !glm.selection<2048>, %kv_b: tensor<28672x512xbf16>, %rows: !glm.rows)
    -> tensor<?x16384xbf16> {
  %y = glm.sparse_attention %qn, %qr, %cache, %sel, %kv_b, %rows scale 0.0625
     : tensor<?x64x192xbf16>, tensor<?x64x64xbf16>, !glm.cache<576xbf16>, !glm.selection<2048>, tensor<28672x512xbf16>
       -> tensor<?x64x256xf32>
  %m = glm.merge_heads %y : tensor<?x64x256xf32> -> tensor<?x16384xf32>
  %r = glm.cast %m : tensor<?x16384xf32> -> tensor<?x16384xbf16>
  return %r : tensor<?x16384xbf16>
}
