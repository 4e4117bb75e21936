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
  let options = [
    Option<"verify", "verify", "bool", "false", "let the interpreter compare each fusion with what it replaced">
  ];
  let statistics = [
    Statistic<"absorbed", "attentions-absorbed", "attentions that became latent">,
    Statistic<"kept", "attentions-kept", "attentions that stayed expanded">,
    Statistic<"compared", "fusions-compared", "fusions that the interpreter compared">
  ];
  let dependentDialects = ["::glm::model::GlmDialect"];
}

def FuseGatedMlp : Pass<"glm-fuse-gated-mlp", "::mlir::ModuleOp"> {
  let summary = "compute gate and up of a dense network together";
  let description = [{
    Two linears of the same rows that only meet in `silu(gate) * up` become one `glm.gated_linear`: their rows are
    read once, and neither result is ever written. For dense layers and shared experts.

    ```mlir
    %g = glm.linear %x, %gate ; %u = glm.linear %x, %up
    %y = glm.multiply (glm.silu %g), %u
    // =>
    %y = glm.gated_linear %x, %gate, %up
    ```

    A remark `glm-fuse-gated-mlp` says what was fused, or why not: the linears read different rows, their weights
    differ in element type, or one of the steps has another reader and would be computed twice.
  }];
  let options = [
    Option<"verify", "verify", "bool", "false", "let the interpreter compare each fusion with what it replaced">
  ];
  let statistics = [
    Statistic<"fused", "mlps-fused", "products that became a gated linear">,
    Statistic<"kept", "mlps-kept", "products of that form that stayed apart">,
    Statistic<"compared", "fusions-compared", "fusions that the interpreter compared">
  ];
}

def FuseMoeDispatch : Pass<"glm-fuse-moe-dispatch", "::mlir::ModuleOp"> {
  let summary = "compute gate and up of experts together, without copying rows";
  let description = [{
    The dispatch of rows to their experts, both linears behind it and `silu(gate) * up` become one
    `glm.expert_gated_linear`, which reads rows where they are.

    ```mlir
    %d = glm.dispatch %x, %r
    %g = glm.expert_linear %d, %gates, %r ; %u = glm.expert_linear %d, %ups, %r
    %y = glm.multiply (glm.silu %g), %u
    // =>
    %y = glm.expert_gated_linear %x, %gates, %ups, %r
    ```

    A remark `glm-fuse-moe-dispatch` says what was fused, or why not: rows are not dispatched beside the linears or
    by another routing, the linears read different rows, their banks differ in element type, or one of the steps
    has another reader.
  }];
  let options = [
    Option<"verify", "verify", "bool", "false", "let the interpreter compare each fusion with what it replaced">
  ];
  let statistics = [
    Statistic<"fused", "experts-fused", "products that became a gated linear of experts">,
    Statistic<"kept", "experts-kept", "products of that form that stayed apart">,
    Statistic<"compared", "fusions-compared", "fusions that the interpreter compared">
  ];
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
