// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fuse phase: the model's own steps become the steps that are cheap.

#ifndef GLM_PASSES_FUSE_PASSES_TD
#define GLM_PASSES_FUSE_PASSES_TD

include "mlir/Pass/PassBase.td"

def AbsorbLatentProjections : Pass<"glm-absorb-latent-projections", "::mlir::ModuleOp"> {
  let summary = "attend over latent rows instead of expanded keys and values";
  let description = [{
    Keys and values of a head are linear in the latent row: `k_hr = W_UK[h] c_r`, `v_hr = W_UV[h] c_r`, both parts
    of `kv_b`. So `q . k_hr = (W_UK[h]^T q) . c_r`, and the weighted sum of values is `W_UV[h]` of the weighted sum
    of latent rows: two small linears a row instead of two a gathered key. The attention width is `L + R`
    for all heads, and the rows are read once.

    ```mlir
    %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
    // =>
    %uk = glm.head_rows %kv_b begin 0 ; %uv = glm.head_rows %kv_b begin D
    %q  = glm.head_linear %qn, %uk transposed
    %o  = glm.attend_latent %q, %qr, %g, %sel scale 0.17
    %y  = glm.head_linear %o, %uv
    ```

    Where the operands of a product are bf16, `%q` and `%o` are rounded to it, as `glm-apply-precision` would.
    A remark `glm-absorb` says what was rewritten, or why an op was left alone: its gathered rows are not
    those of one cache, or its operands disagree in element type.
  }];
  let statistics = [
    Statistic<"absorbed", "attentions-absorbed", "attentions that became latent">,
    Statistic<"kept", "attentions-kept", "attentions that stayed expanded">
  ];
  let dependentDialects = ["::glm::model::GlmDialect"];
}

def VerifyFuse : Pass<"glm-verify-fuse", "::mlir::ModuleOp"> {
  let summary = "check the rules of a module that is ready to be tiled";
  let description = [{
    - no `glm.attend_expanded` is left: no target has a kernel for it;
    - scores are used by one `glm.select_top_k`, gathered rows by attention only, both of which become one kernel;
    - a weight derived by `glm.head_rows` is read by linears only: it exists when weights are packed.

    The module is not changed.
  }];
  let statistics = [
    Statistic<"attentions", "attentions", "attentions over latent rows">
  ];
}

#endif // GLM_PASSES_FUSE_PASSES_TD
