// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles --glm-tile-and-fuse --split-input-file | FileCheck %s

// A weight is read once, however many rows there are.
module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  // CHECK-LABEL: func.func private @linear
  // CHECK: kernel.launch @linear_64x40_bf16({{.*}}) {bytes = #program.expr<5120>, {{.*}}flop = #program.expr<rows * 5120>
  func.func private @linear(%x: tensor<?x64xbf16>, %w: tensor<40x64xbf16>) -> tensor<?x40xf32> {
    %y = glm.linear %x, %w : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }

  // Of a table of embeddings only the rows' own; a norm multiplies no matrix.
  // CHECK-LABEL: func.func private @embed
  // CHECK: kernel.launch @rows_embed_norm_64_f32({{.*}}) {bytes = #program.expr<rows * 128 + 128>, dim = "rows", label
  func.func private @embed(%table: tensor<761x64xbf16>, %gain: tensor<64xbf16>, %rows: !glm.rows) -> tensor<?x64xf32> {
    %h = glm.embed %table, %rows : tensor<761x64xbf16> -> tensor<?x64xf32>
    %y = glm.rms_norm %h, %gain eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}

// -----

// A fused op costs what its steps cost. No more experts are read than there are pairs. Routing is two launches, the
// first has its bias.
module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  // CHECK-LABEL: func.func private @experts
  // CHECK: kernel.launch @route_12_top_3_f32({{.*}}) {bytes = #program.expr<48>, dim
  // CHECK: kernel.launch @group_rows_12_top_3_i32({{.*}}) {dim
  // CHECK: kernel.launch @expert_gated_linear_12x64x36_bf16({{.*}}) {bytes = #program.expr<min(rows * 3, 12) * 4608 + min(rows * 3, 12) * 4608>, {{.*}}flop = #program.expr<rows * 3 * 4608 + rows * 3 * 4608>
  func.func private @experts(%z: tensor<?x12xf32>, %bias: tensor<12xf32>, %x: tensor<?x64xbf16>,
      %gates: tensor<12x36x64xbf16>, %ups: tensor<12x36x64xbf16>) -> tensor<?x36xf32> {
    %r = glm.route %z, %bias groups 4 kept 2 scale 2.5 normalize
       : tensor<?x12xf32>, tensor<12xf32> -> !glm.routing<12, 3>
    %y = glm.expert_gated_linear %x, %gates, %ups, %r
       : tensor<?x64xbf16>, tensor<12x36x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
    return %y : tensor<?x36xf32>
  }
}

// -----

// Keys: those that need scores are scored and read, those selected are gathered and multiplied, new ones are written.
module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  // CHECK-LABEL: func.func private @attention
  // CHECK: kernel.launch @rows_append{{.*}} {bytes = #program.expr<rows * 64>, dim
  // CHECK: kernel.launch @index{{.*}} {bytes = #program.expr<indexed_keys * 64>, {{.*}}flop = #program.expr<scored_keys * 512>
  // CHECK: kernel.launch @attend{{.*}} {bytes = #program.expr<min(selected_keys, cached_keys) * 72>, {{.*}}flop = #program.expr<selected_keys * 480>
  func.func private @attention(%iq: tensor<?x8x32xbf16>, %w: tensor<?x8xf32>, %k: tensor<?x32xf32>,
      %keys: !glm.cache<32xbf16>, %q: tensor<?x4x24xbf16>, %qr: tensor<?x4x12xbf16>,
      %latent: !glm.cache<36xbf16>, %rows: !glm.rows) -> tensor<?x4x24xf32> {
    glm.append %k, %keys, %rows : tensor<?x32xf32>, !glm.cache<32xbf16>
    %s = glm.index_scores %iq, %w, %keys, %rows scale 0.0625
       : tensor<?x8x32xbf16>, tensor<?x8xf32>, !glm.cache<32xbf16> -> tensor<?x?xf32>
    %sel = glm.select_top_k %s, %rows : tensor<?x?xf32> -> !glm.selection<10>
    %g = glm.gather %latent, %sel, %rows
       : !glm.cache<36xbf16>, !glm.selection<10> -> tensor<?x?x36xbf16>
    %y = glm.attend_latent %q, %qr, %g, %sel scale 0.17
       : tensor<?x4x24xbf16>, tensor<?x4x12xbf16>, tensor<?x?x36xbf16>, !glm.selection<10>
         -> tensor<?x4x24xf32>
    return %y : tensor<?x4x24xf32>
  }
}
