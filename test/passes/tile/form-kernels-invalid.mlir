// RUN: glm-opt %s --glm-form-kernels --split-input-file --verify-diagnostics

func.func @expanded(%qn: tensor<?x4x20xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x36xf32>,
                    %sel: !glm.selection<10>, %kv_b: tensor<192x24xf32>) -> tensor<?x4x28xf32> {
  // expected-error @+1 {{[GLM0405]: glm.attend_expanded: attends to expanded keys; run glm-absorb-latent-projections first; nothing falls back to slower code by itself}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xf32>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}

// -----

func.func @scores(%q: tensor<?x8x32xf32>, %w: tensor<?x8xf32>, %keys: !glm.cache<32xf32>,
                  %rows: !glm.rows) -> tensor<?x?xf32> {
  // expected-error @+1 {{[GLM0405]: glm.index_scores: keeps its scores, which are computed only to be selected from}}
  %s = glm.index_scores %q, %w, %keys, %rows scale 0.0625
     : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}

// -----

func.func @select(%s: tensor<?x?xf32>, %rows: !glm.rows) -> !glm.selection<10> {
  // expected-error @+1 {{[GLM0405]: glm.select_top_k: selects from scores that are not computed beside it}}
  %sel = glm.select_top_k %s, %rows : tensor<?x?xf32> -> !glm.selection<10>
  return %sel : !glm.selection<10>
}

// -----

func.func @attend(%q: tensor<?x4x24xf32>, %qr: tensor<?x4x12xf32>, %g: tensor<?x?x36xf32>,
                  %sel: !glm.selection<10>) -> tensor<?x4x24xf32> {
  // expected-error @+1 {{[GLM0405]: glm.attend_latent: attends to rows that are not gathered beside it}}
  %y = glm.attend_latent %q, %qr, %g, %sel scale 0.17
     : tensor<?x4x24xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, !glm.selection<10>
       -> tensor<?x4x24xf32>
  return %y : tensor<?x4x24xf32>
}

// -----

func.func @dispatched(%x: tensor<?x64xf32>, %r: !glm.routing<12, 3>) -> tensor<?x64xf32> {
  // expected-error @+1 {{[GLM0405]: glm.dispatch: keeps dispatched rows, which are read only by their experts}}
  %d = glm.dispatch %x, %r : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
  return %d : tensor<?x64xf32>
}

// -----

// What no kind of kernel covers is refused, not interpreted.
func.func @unknown(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // expected-error @+1 {{[GLM0405]: arith.negf: is of no kind that has kernels}}
  %y = arith.negf %x : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
