// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fuse phase: the model's own steps become the steps that are cheap.

#ifndef GLM_PASSES_FUSE_PASSES_TD
#define GLM_PASSES_FUSE_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseSparseAttention : Pass<"glm-fuse-sparse-attention", "::mlir::ModuleOp"> {
  let summary = "see the gathering of rows and the attention to them as one step";
  let description = [{
    Gathered rows are one way of attending to a selection; a mask is another. `glm.sparse_attention` leaves it open.

    ```mlir
    %g = glm.gather %latent, %sel, %rows
    %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
    // =>
    %y = glm.sparse_attention %qn, %qr, %latent, %sel, %kv_b, %rows scale 0.17
    ```

    A remark `glm-fuse-sparse-attention` says what was fused, or why not: rows come from elsewhere or by another
    selection, others read them too, or the cache may change in between.
  }];
  let options = [
    Option<"verify", "verify", "bool", "false", "let the interpreter compare each fusion with what it replaced">
  ];
  let statistics = [
    Statistic<"fused", "attentions-fused", "attentions that gather their rows themselves">,
    Statistic<"kept", "attentions-kept", "attentions whose rows stayed apart">,
    Statistic<"compared", "fusions-compared", "fusions that the interpreter compared">
  ];
}

def ChooseAttention : Pass<"glm-choose-attention", "::mlir::ModuleOp"> {
  let summary = "write attention in the forms that pay, and when each does";
  let description = [{
    A row that attends to gathered latents multiplies `2 L + R` numbers a key and head; with keys and values expanded it
    is `D + R + V`, half as many, but every key has to be expanded, and keys that the row does not select are
    computed and hidden. So few rows gather, and many rows expand as long as there are not many keys. From the shapes
    follow the most keys (`expanded_keys`) for which calls of `chunk` rows should expand them, and the fewest rows: at as
    many keys as a selection holds (`expanded_rows`), and at `expanded_keys` (`full_rows`). They become
    `program.presets` of the module; AttentionCosts.h has the formulas.

    Each attention becomes a call of one of three private functions of equal type, shared by all that are alike: the
    absorbed one is made of the steps of `gathered` by `glm-absorb-latent-projections`, the other two are left to the
    tile phase. Where no call should expand, attention becomes its steps again.

    ```mlir
    %y = glm.sparse_attention %qn, %qr, %latent, %sel, %kv_b, %rows scale 0.17
    // =>
    func.func private @attend_gathered(%qn, …) { glm.gather ; glm.attend_expanded }
    func.func private @attend_masked(%qn, …) { glm.sparse_attention … %sel … }
    func.func private @attend_causal(%qn, …) { %all = glm.select_visible %rows ; glm.sparse_attention … %all … }
    %y = glm.call_by_keys gathered @attend_gathered masked @attend_masked causal @attend_causal (%qn, …)
    ```

    Remarks `glm-choose-attention` give the decision and what both forms cost at some lengths.
  }];
  let options = [
    Option<"chunk", "chunk", "int64_t", "2048", "rows of one call of a long prompt">,
    Option<"longest", "longest", "int64_t", "32768", "most keys that may ever be expanded">,
    Option<"gatheredSpeed", "gathered-speed", "int64_t", "60",
           "speed of gathered attention in percent of expanded attention at the same arithmetic">,
    Option<"leastRows", "least-rows", "int64_t", "128",
           "fewest rows that expand: two units of the kernel, and more than a step that decodes or verifies drafts has, "
           "so that bits of such a row do not depend on the rows beside it">,
    Option<"expandedKeys", "expanded-keys", "int64_t", "-1",
           "most keys to expand, instead of what follows from the shapes; 0: never">
  ];
  let statistics = [
    Statistic<"chosen", "attentions-chosen", "attentions that are called in one of several forms">,
    Statistic<"kept", "attentions-kept", "attentions with one form">,
    Statistic<"functions", "functions-written", "functions that are forms of attention">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

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

def FuseMlaPrologue : Pass<"glm-fuse-mla-prologue", "::mlir::ModuleOp"> {
  let summary = "compute the linears that read the same rows together";
  let description = [{
    Latent attention begins with linears of the same rows: `q_a`, `kv_a` and the indexer's keys and weights read the
    normalised residual, `q_b` and the indexer's `wq_b` the query latent. All linears of one value, whatever it is
    rounded to in front of them, become one `glm.linear_group`: one kernel whose units are the panels of all
    weights, so that workers share the sum of them evenly where four launches share four times a few.

    ```mlir
    %q = glm.linear %xb, %q_a ; %kv = glm.linear %xb, %kv_a ; %k = glm.linear %xb, %wk ; %s = glm.linear %x, %wp
    // =>
    %q, %kv, %k, %s = glm.linear_group %xb, %xb, %xb, %x by %q_a, %kv_a, %wk, %wp
    ```

    A remark `glm-fuse-mla-prologue` says what was fused, or why a linear of rows that others read too stayed
    alone: its weight is computed behind the others' first reader, or its result is rounded where it is written.
  }];
  let options = [
    Option<"verify", "verify", "bool", "false", "let the interpreter compare each fusion with what it replaced">
  ];
  let statistics = [
    Statistic<"fused", "linears-fused", "linears that became part of a group">,
    Statistic<"kept", "linears-kept", "linears of shared rows that stayed alone">,
    Statistic<"compared", "fusions-compared", "fusions that the interpreter compared">
  ];
}

def FuseNormLinear : Pass<"glm-fuse-norm-linear", "::mlir::ModuleOp"> {
  let summary = "normalise rows inside the linears that read them";
  let description = [{
    Between two products a norm is a launch of its own with a barrier on each side, and with few rows one worker
    computes while the others wait. Where nobody but linears of one launch reads the normalised rows, all of it
    becomes `glm.norm_linear`: with few rows every worker normalises them for itself.

    ```mlir
    %n = glm.rms_norm %x, %gain eps 1.0e-05 ; %r = glm.cast %n
    %q, %i = glm.linear_group %r, %r by %q_b, %wq_b
    // =>
    %q, %i = glm.norm_linear %x, %gain eps 1.0e-05 by %q_b, %wq_b
    ```

    A remark `glm-fuse-norm-linear` says what was fused, or why not: the rows have other readers, so they are written
    anyway; they are not computed by a product, so no barrier stands in front of the norm that would fall; or
    they are longer than `width` elements, of which each worker keeps eight rows.
  }];
  let options = [
    Option<"verify", "verify", "bool", "false", "let the interpreter compare each fusion with what it replaced">,
    Option<"width", "width", "int64_t", "8192", "longest row, in elements, that workers keep for themselves">
  ];
  let statistics = [
    Statistic<"fused", "norms-fused", "norms that became part of a linear">,
    Statistic<"kept", "norms-kept", "norms in front of linears that stayed apart">,
    Statistic<"compared", "fusions-compared", "fusions that the interpreter compared">
  ];
}

def FuseRouter : Pass<"glm-fuse-router", "::mlir::ModuleOp"> {
  let summary = "choose experts where their logits are computed";
  let description = [{
    The linear of the router and the choice behind it become one `glm.router` where its matrix is so small that
    one worker reads it faster than all would meet: with few rows logits, choice and layout by expert are one
    launch of one unit then, instead of three launches and two barriers.

    ```mlir
    %l = glm.linear %x, %w ; %r = glm.route %l, %bias groups 1 kept 1 scale 2.5 normalize
    // =>
    %r = glm.router %x, %w, %bias groups 1 kept 1 scale 2.5 normalize
    ```

    A remark `glm-fuse-router` says what was fused, or why not: the logits are not computed beside the choice, are
    read by others, or the matrix has more than `bytes`, which all workers should read. The choice and the
    layout by expert are one launch for few rows in any case (`glm-form-kernels`).
  }];
  let options = [
    Option<"verify", "verify", "bool", "false", "let the interpreter compare each fusion with what it replaced">,
    Option<"bytes", "bytes", "int64_t", "65536", "largest matrix, in bytes, that one worker reads alone">
  ];
  let statistics = [
    Statistic<"fused", "routers-fused", "routers that became one op">,
    Statistic<"kept", "routers-kept", "routers whose linear stayed apart">,
    Statistic<"compared", "fusions-compared", "fusions that the interpreter compared">
  ];
}

def VerifyFuse : Pass<"glm-verify-fuse", "::mlir::ModuleOp"> {
  let summary = "check the rules of a module that is ready to be tiled";
  let description = [{
    - no `glm.attend_expanded` is left: no target has a kernel for it; `glm.sparse_attention` is one of the forms that a
      `glm.call_by_keys` chooses from, in a function of its own;
    - scores are used by one `glm.select_top_k`, gathered rows by attention only, both of which become one kernel;
    - a weight derived by `glm.head_rows` is read by linears only: it exists when weights are packed.

    The module is not changed.
  }];
  let statistics = [
    Statistic<"attentions", "attentions", "attentions over latent rows">
  ];
}

#endif // GLM_PASSES_FUSE_PASSES_TD
