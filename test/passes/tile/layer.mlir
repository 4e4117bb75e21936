// RUN: glm-opt %s --glm-model-pipeline=precision=bf16 --glm-fuse-pipeline=expanded-keys=64 --glm-tile-pipeline 2>/dev/null \
// RUN:   | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: glm-opt %s --glm-model-pipeline=precision=f32 --glm-fuse-pipeline=expanded-keys=64 --glm-tile-pipeline 2>/dev/null \
// RUN:   | FileCheck %s --check-prefixes=CHECK,F32

// A layer with an indexer and experts, with the sizes of the glm5-tiny checkpoint, through three phases: which kernels run
// in which order, and what they hand on.

// Absorbed query, attention over latent rows, values; or keys and values expanded, which share the values' weight.
// CHECK-LABEL: func.func private @attend_gathered
// CHECK: program.pack %{{.*}} derive <begin = 0, transposed = true>
// BF16: kernel.launch @head_linear_4x20x24_bf16_to_bf16(
// F32: kernel.launch @head_linear_4x20x24_f32(
// CHECK: kernel.launch @attend_4x36_top_10_{{bf16|f32}}(
// CHECK: program.pack %{{.*}} derive <begin = 20, transposed = false> : {{.*}} -> !kernel.buffer<[[UV:[^>]*>]]
// BF16: kernel.launch @head_linear_4x24x28_bf16_to_bf16(
// F32: kernel.launch @head_linear_4x24x28_f32(
// CHECK-LABEL: func.func private @attend_masked
// CHECK: program.pack %{{.*}} derive <begin = 0, transposed = false>
// CHECK: program.pack %{{.*}} derive <begin = 20, transposed = false> : {{.*}} -> !kernel.buffer<[[UV]]
// CHECK: %[[K:.*]] = program.buffer dim "keys" : <?x128xf32>
// CHECK: kernel.launch @expand_4x20x12x28_{{bf16|f32}}(
// CHECK: kernel.launch @hide_all_but
// CHECK: kernel.launch @attend_masked_4x20x12x28_{{bf16_to_bf16|f32}}(
// CHECK-LABEL: func.func private @attend_causal
// CHECK: kernel.launch @expand_4x20x12x28_{{bf16|f32}}(
// CHECK-NOT: kernel.launch @hide
// CHECK: kernel.launch @attend_causal_4x20x12x28_{{bf16_to_bf16|f32}}(

// CHECK-LABEL: func.func private @moe_full
// CHECK-SAME: %[[LATENT:[a-z0-9]+]]: !kernel.cache<36x{{bf16|f32}}> {glm.name = "latent"}, %[[KEYS:[a-z0-9]+]]: !kernel.cache<32x{{bf16|f32}}, #kernel.lines<16>> {glm.name = "index"}

// Projections of the normed input; the weights of indexer heads are exact in both precisions.
// BF16: kernel.launch @rows_norm_64_bf16
// F32: kernel.launch @rows_norm_64_f32
// CHECK: kernel.launch @linear_group_64x40_36_32_8_[[T:bf16|f32]](

// One kernel for two norms, two rotations and two appends; the norm of the query latent is the linears' own.
// CHECK: kernel.launch @rows_norm_rope_append_36_f32({{.*}}%[[LATENT]]{{.*}}%[[KEYS]]
// CHECK: program.branch <rows> less <9> {
// CHECK-NEXT: kernel.launch @norm_linear_40x128_256_[[T]](
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: kernel.launch @rows_norm_40_[[T]](
// CHECK-NEXT: kernel.launch @linear_group_40x128_256_[[T]](
// CHECK: kernel.launch @rows_rope_256_[[T]](

// Search, and attention in the form that fits the step.
// CHECK: kernel.launch @index_8x32_top_10_[[T]]({{.*}}%[[KEYS]]
// CHECK: program.branch <keys> less <1> {
// CHECK-NEXT: func.call @attend_gathered({{.*}}%[[LATENT]]
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: program.branch <unmasked_keys> less <keys> {
// CHECK-NEXT: func.call @attend_masked(
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: func.call @attend_causal(
// CHECK: kernel.launch @linear_112x64_[[T]](

// Residual and norm, router, experts beside the shared one, and their sum in one kernel with the residual.
// CHECK: kernel.launch @rows_add_norm_64_
// CHECK: program.branch <rows> less <5> {
// CHECK-NEXT: kernel.launch @router_64x12_top_3_f32(
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: kernel.launch @linear_64x12_f32(
// CHECK-NEXT: kernel.launch @route_12_top_3_f32(
// CHECK-NEXT: kernel.launch @group_rows_12_top_3_i32(
// BF16: kernel.launch @gated_linear_64x36_bf16_to_bf16(
// F32: kernel.launch @gated_linear_64x36_f32(
// BF16: kernel.launch @expert_gated_linear_12x64x36_bf16_to_bf16(
// F32: kernel.launch @expert_gated_linear_12x64x36_f32(
// CHECK: kernel.launch @linear_36x64_[[T]](
// CHECK: kernel.launch @expert_linear_12x36x64_[[T]](
// CHECK: kernel.launch @rows_combine_add_64_f32(
// CHECK-NEXT: return

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  func.func private @moe_full(
      %hidden: tensor<?x64xf32> {glm.name = "hidden"}, %rows: !glm.rows {glm.name = "rows"},
      %angles: tensor<?x12xf32> {glm.name = "angles"},
      %latent: !glm.cache<36xf32> {glm.name = "latent"},
      %index: !glm.cache<32xf32> {glm.name = "index"},
      %input_layernorm: tensor<64xbf16> {glm.name = "input_layernorm.weight"},
      %post_attention_layernorm: tensor<64xbf16> {glm.name = "post_attention_layernorm.weight"},
      %q_a_proj: tensor<40x64xbf16> {glm.name = "self_attn.q_a_proj.weight"},
      %q_a_layernorm: tensor<40xbf16> {glm.name = "self_attn.q_a_layernorm.weight"},
      %q_b_proj: tensor<128x40xbf16> {glm.name = "self_attn.q_b_proj.weight"},
      %kv_a_proj_with_mqa: tensor<36x64xbf16> {glm.name = "self_attn.kv_a_proj_with_mqa.weight"},
      %kv_a_layernorm: tensor<24xbf16> {glm.name = "self_attn.kv_a_layernorm.weight"},
      %kv_b_proj: tensor<192x24xbf16> {glm.name = "self_attn.kv_b_proj.weight"},
      %o_proj: tensor<64x112xbf16> {glm.name = "self_attn.o_proj.weight"},
      %wq_b: tensor<256x40xbf16> {glm.name = "self_attn.indexer.wq_b.weight"},
      %wk: tensor<32x64xbf16> {glm.name = "self_attn.indexer.wk.weight"},
      %k_norm: tensor<32xbf16> {glm.name = "self_attn.indexer.k_norm.weight"},
      %k_norm_bias: tensor<32xbf16> {glm.name = "self_attn.indexer.k_norm.bias"},
      %indexer: tensor<8x64xbf16> {glm.name = "self_attn.indexer.weights_proj.weight"},
      %gate: tensor<12x64xbf16> {glm.name = "mlp.gate.weight"},
      %gate_e_score_correction_bias: tensor<12xf32> {glm.name = "mlp.gate.e_score_correction_bias"},
      %experts_gate_proj: tensor<12x36x64xbf16> {glm.name = "mlp.experts.gate_proj"},
      %experts_up_proj: tensor<12x36x64xbf16> {glm.name = "mlp.experts.up_proj"},
      %experts_down_proj: tensor<12x64x36xbf16> {glm.name = "mlp.experts.down_proj"},
      %shared_experts_gate_proj: tensor<36x64xbf16> {glm.name = "mlp.shared_experts.gate_proj.weight"},
      %shared_experts_up_proj: tensor<36x64xbf16> {glm.name = "mlp.shared_experts.up_proj.weight"},
      %shared_experts_down_proj: tensor<64x36xbf16> {glm.name = "mlp.shared_experts.down_proj.weight"})
      -> (tensor<?x64xf32>, !glm.selection<10>, !glm.routing<12, 3>) {
    %0 = glm.rms_norm %hidden, %input_layernorm eps 1.0e-05
       : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
    %1 = glm.linear %0, %q_a_proj : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
    %2 = glm.rms_norm %1, %q_a_layernorm eps 1.0e-05
       : tensor<?x40xf32>, tensor<40xbf16> -> tensor<?x40xf32>
    %3 = glm.linear %2, %q_b_proj : tensor<?x40xf32>, tensor<128x40xbf16> -> tensor<?x128xf32>
    %4 = glm.split_heads %3 : tensor<?x128xf32> -> tensor<?x4x32xf32>
    %5 = glm.slice %4 begin 0 : tensor<?x4x32xf32> -> tensor<?x4x20xf32>
    %6 = glm.slice %4 begin 20 : tensor<?x4x32xf32> -> tensor<?x4x12xf32>
    %7 = glm.rope %6, %angles interleaved : tensor<?x4x12xf32>, tensor<?x12xf32>
    %8 = glm.linear %0, %kv_a_proj_with_mqa
       : tensor<?x64xf32>, tensor<36x64xbf16> -> tensor<?x36xf32>
    %9 = glm.slice %8 begin 0 : tensor<?x36xf32> -> tensor<?x24xf32>
    %10 = glm.rms_norm %9, %kv_a_layernorm eps 1.0e-05
       : tensor<?x24xf32>, tensor<24xbf16> -> tensor<?x24xf32>
    %11 = glm.slice %8 begin 24 : tensor<?x36xf32> -> tensor<?x12xf32>
    %12 = glm.rope %11, %angles interleaved : tensor<?x12xf32>, tensor<?x12xf32>
    %13 = glm.concat %10, %12 : tensor<?x24xf32>, tensor<?x12xf32> -> tensor<?x36xf32>
    glm.append %13, %latent, %rows : tensor<?x36xf32>, !glm.cache<36xf32>
    %14 = glm.linear %2, %wq_b : tensor<?x40xf32>, tensor<256x40xbf16> -> tensor<?x256xf32>
    %15 = glm.split_heads %14 : tensor<?x256xf32> -> tensor<?x8x32xf32>
    %16 = glm.linear %0, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
    %17 = glm.layer_norm %16, %k_norm, %k_norm_bias eps 1.0e-06
       : tensor<?x32xf32>, tensor<32xbf16>, tensor<32xbf16> -> tensor<?x32xf32>
    %18 = glm.slice %17 begin 0 : tensor<?x32xf32> -> tensor<?x12xf32>
    %19 = glm.rope %18, %angles interleaved : tensor<?x12xf32>, tensor<?x12xf32>
    %20 = glm.slice %17 begin 12 : tensor<?x32xf32> -> tensor<?x20xf32>
    %21 = glm.concat %19, %20 : tensor<?x12xf32>, tensor<?x20xf32> -> tensor<?x32xf32>
    glm.append %21, %index, %rows : tensor<?x32xf32>, !glm.cache<32xf32>
    %22 = glm.linear %0, %indexer : tensor<?x64xf32>, tensor<8x64xbf16> -> tensor<?x8xf32>
    %23 = glm.slice %15 begin 0 : tensor<?x8x32xf32> -> tensor<?x8x12xf32>
    %24 = glm.rope %23, %angles interleaved : tensor<?x8x12xf32>, tensor<?x12xf32>
    %25 = glm.slice %15 begin 12 : tensor<?x8x32xf32> -> tensor<?x8x20xf32>
    %26 = glm.concat %24, %25 : tensor<?x8x12xf32>, tensor<?x8x20xf32> -> tensor<?x8x32xf32>
    %27 = glm.index_scores %26, %22, %index, %rows scale 0.0625
       : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
    %28 = glm.select_top_k %27, %rows : tensor<?x?xf32> -> !glm.selection<10>
    %29 = glm.gather %latent, %28, %rows
       : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
    %30 = glm.attend_expanded %5, %7, %29, %kv_b_proj, %28 scale 0.17677669
       : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xbf16>, !glm.selection<10>
        -> tensor<?x4x28xf32>
    %31 = glm.merge_heads %30 : tensor<?x4x28xf32> -> tensor<?x112xf32>
    %32 = glm.linear %31, %o_proj : tensor<?x112xf32>, tensor<64x112xbf16> -> tensor<?x64xf32>
    %33 = glm.add %hidden, %32 : tensor<?x64xf32>
    %34 = glm.rms_norm %33, %post_attention_layernorm eps 1.0e-05
       : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
    %35 = glm.linear %34, %gate : tensor<?x64xf32>, tensor<12x64xbf16> -> tensor<?x12xf32>
    %36 = glm.route %35, %gate_e_score_correction_bias groups 1 kept 1 scale 2.5 normalize
       : tensor<?x12xf32>, tensor<12xf32> -> !glm.routing<12, 3>
    %37 = glm.dispatch %34, %36 : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
    %38 = glm.expert_linear %37, %experts_gate_proj, %36
       : tensor<?x64xf32>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
    %39 = glm.silu %38 : tensor<?x36xf32>
    %40 = glm.expert_linear %37, %experts_up_proj, %36
       : tensor<?x64xf32>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
    %41 = glm.multiply %39, %40 : tensor<?x36xf32>
    %42 = glm.expert_linear %41, %experts_down_proj, %36
       : tensor<?x36xf32>, tensor<12x64x36xbf16>, !glm.routing<12, 3> -> tensor<?x64xf32>
    %43 = glm.combine %42, %36 : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
    %44 = glm.linear %34, %shared_experts_gate_proj
       : tensor<?x64xf32>, tensor<36x64xbf16> -> tensor<?x36xf32>
    %45 = glm.silu %44 : tensor<?x36xf32>
    %46 = glm.linear %34, %shared_experts_up_proj
       : tensor<?x64xf32>, tensor<36x64xbf16> -> tensor<?x36xf32>
    %47 = glm.multiply %45, %46 : tensor<?x36xf32>
    %48 = glm.linear %47, %shared_experts_down_proj
       : tensor<?x36xf32>, tensor<64x36xbf16> -> tensor<?x64xf32>
    %49 = glm.add %43, %48 : tensor<?x64xf32>
    %50 = glm.add %33, %49 : tensor<?x64xf32>
    return %50, %28, %36 : tensor<?x64xf32>, !glm.selection<10>, !glm.routing<12, 3>
  }

  func.func @step(
      %hidden: tensor<?x64xf32> {glm.name = "hidden"}, %rows: !glm.rows {glm.name = "rows"},
      %angles: tensor<?x12xf32> {glm.name = "angles"},
      %latent: !glm.cache<36xf32> {glm.name = "latent"},
      %index: !glm.cache<32xf32> {glm.name = "index"},
      %input_layernorm: tensor<64xbf16> {glm.name = "input_layernorm.weight"},
      %post_attention_layernorm: tensor<64xbf16> {glm.name = "post_attention_layernorm.weight"},
      %q_a_proj: tensor<40x64xbf16> {glm.name = "self_attn.q_a_proj.weight"},
      %q_a_layernorm: tensor<40xbf16> {glm.name = "self_attn.q_a_layernorm.weight"},
      %q_b_proj: tensor<128x40xbf16> {glm.name = "self_attn.q_b_proj.weight"},
      %kv_a_proj_with_mqa: tensor<36x64xbf16> {glm.name = "self_attn.kv_a_proj_with_mqa.weight"},
      %kv_a_layernorm: tensor<24xbf16> {glm.name = "self_attn.kv_a_layernorm.weight"},
      %kv_b_proj: tensor<192x24xbf16> {glm.name = "self_attn.kv_b_proj.weight"},
      %o_proj: tensor<64x112xbf16> {glm.name = "self_attn.o_proj.weight"},
      %wq_b: tensor<256x40xbf16> {glm.name = "self_attn.indexer.wq_b.weight"},
      %wk: tensor<32x64xbf16> {glm.name = "self_attn.indexer.wk.weight"},
      %k_norm: tensor<32xbf16> {glm.name = "self_attn.indexer.k_norm.weight"},
      %k_norm_bias: tensor<32xbf16> {glm.name = "self_attn.indexer.k_norm.bias"},
      %indexer: tensor<8x64xbf16> {glm.name = "self_attn.indexer.weights_proj.weight"},
      %gate: tensor<12x64xbf16> {glm.name = "mlp.gate.weight"},
      %gate_e_score_correction_bias: tensor<12xf32> {glm.name = "mlp.gate.e_score_correction_bias"},
      %experts_gate_proj: tensor<12x36x64xbf16> {glm.name = "mlp.experts.gate_proj"},
      %experts_up_proj: tensor<12x36x64xbf16> {glm.name = "mlp.experts.up_proj"},
      %experts_down_proj: tensor<12x64x36xbf16> {glm.name = "mlp.experts.down_proj"},
      %shared_experts_gate_proj: tensor<36x64xbf16> {glm.name = "mlp.shared_experts.gate_proj.weight"},
      %shared_experts_up_proj: tensor<36x64xbf16> {glm.name = "mlp.shared_experts.up_proj.weight"},
      %shared_experts_down_proj: tensor<64x36xbf16> {glm.name = "mlp.shared_experts.down_proj.weight"})
      -> (tensor<?x64xf32> {glm.name = "hidden"}, tensor<?x10xi32> {glm.name = "selection"},
          tensor<?x3xi32> {glm.name = "experts"}) attributes {glm.entry} {
    %0:3 = func.call @moe_full(
        %hidden, %rows, %angles, %latent, %index, %input_layernorm, %post_attention_layernorm,
        %q_a_proj, %q_a_layernorm, %q_b_proj, %kv_a_proj_with_mqa, %kv_a_layernorm, %kv_b_proj,
        %o_proj, %wq_b, %wk, %k_norm, %k_norm_bias, %indexer, %gate, %gate_e_score_correction_bias,
        %experts_gate_proj, %experts_up_proj, %experts_down_proj, %shared_experts_gate_proj,
        %shared_experts_up_proj, %shared_experts_down_proj)
      : (
        tensor<?x64xf32>, !glm.rows, tensor<?x12xf32>, !glm.cache<36xf32>, !glm.cache<32xf32>,
        tensor<64xbf16>, tensor<64xbf16>, tensor<40x64xbf16>, tensor<40xbf16>, tensor<128x40xbf16>,
        tensor<36x64xbf16>, tensor<24xbf16>, tensor<192x24xbf16>, tensor<64x112xbf16>,
        tensor<256x40xbf16>, tensor<32x64xbf16>, tensor<32xbf16>, tensor<32xbf16>,
        tensor<8x64xbf16>, tensor<12x64xbf16>, tensor<12xf32>, tensor<12x36x64xbf16>,
        tensor<12x36x64xbf16>, tensor<12x64x36xbf16>, tensor<36x64xbf16>, tensor<36x64xbf16>,
        tensor<64x36xbf16>)
      -> (tensor<?x64xf32>, !glm.selection<10>, !glm.routing<12, 3>)
    %1 = glm.selection_ids %0#1 : !glm.selection<10> -> tensor<?x10xi32>
    %2 = glm.routing_ids %0#2 : !glm.routing<12, 3> -> tensor<?x3xi32>
    return %0#0, %1, %2 : tensor<?x64xf32>, tensor<?x10xi32>, tensor<?x3xi32>
  }
}
