// RUN: glm-opt %s | glm-opt | FileCheck %s
// RUN: glm-opt %s --mlir-print-op-generic | glm-opt | FileCheck %s

// Every op and type of the dialect, as its description writes it, survives printing and parsing.

// CHECK: glm.weight @model.norm.weight : tensor<64xbf16> from "model-00001-of-00003.safetensors" at 4096
glm.weight @model.norm.weight : tensor<64xbf16> from "model-00001-of-00003.safetensors" at 4096
// CHECK: glm.bank @up_proj : tensor<2x36x64xbf16> tensors "model.layers.1.mlp.experts.{}.up_proj.weight"
// CHECK-SAME: from ["model-00001-of-00003.safetensors"] [0, 0] at [8192, 12800]
glm.bank @up_proj : tensor<2x36x64xbf16>
  tensors "model.layers.1.mlp.experts.{}.up_proj.weight"
  from ["model-00001-of-00003.safetensors"] [0, 0] at [8192, 12800]
// CHECK: glm.state @layer0.latent : !glm.cache<36xf32>
glm.state @layer0.latent : !glm.cache<36xf32>
// CHECK: glm.state @layer0.index : !glm.cache<32xbf16>
glm.state @layer0.index : !glm.cache<32xbf16>

// Weights and caches become values; rows are appended.
// CHECK-LABEL: @weights
func.func @weights(%values: tensor<?x36xf32>, %kv_b: tensor<192x24xbf16>, %rows: !glm.rows) -> tensor<4x20x24xbf16> {
  // CHECK: glm.weight_value @model.norm.weight : tensor<64xbf16>
  %0 = glm.weight_value @model.norm.weight : tensor<64xbf16>
  // CHECK: glm.weight_value @up_proj : tensor<2x36x64xbf16>
  %1 = glm.weight_value @up_proj : tensor<2x36x64xbf16>
  // CHECK: glm.state_value @layer0.latent : !glm.cache<36xf32>
  %2 = glm.state_value @layer0.latent : !glm.cache<36xf32>
  // CHECK: glm.append %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x36xf32>, !glm.cache<36xf32>
  glm.append %values, %2, %rows : tensor<?x36xf32>, !glm.cache<36xf32>
  // CHECK: glm.head_rows %{{.*}} begin 0 : tensor<192x24xbf16> -> tensor<4x20x24xbf16>
  %3 = glm.head_rows %kv_b begin 0 : tensor<192x24xbf16> -> tensor<4x20x24xbf16>
  return %3 : tensor<4x20x24xbf16>
}

// Rows of a batch: embedding, masking, taking.
// CHECK-LABEL: @rows
func.func @rows(%table: tensor<761x64xbf16>, %rows: !glm.rows, %indices: tensor<?xi32>) -> tensor<?x64xf32> {
  // CHECK: glm.embed %{{.*}}, %{{.*}} : tensor<761x64xbf16> -> tensor<?x64xf32>
  %0 = glm.embed %table, %rows : tensor<761x64xbf16> -> tensor<?x64xf32>
  // CHECK: glm.mask_start %{{.*}}, %{{.*}} : tensor<?x64xf32>
  %1 = glm.mask_start %0, %rows : tensor<?x64xf32>
  // CHECK: glm.take_rows %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
  %2 = glm.take_rows %1, %indices : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
  return %2 : tensor<?x64xf32>
}

// Linears and norms.
// CHECK-LABEL: @linears
func.func @linears(%x: tensor<?x64xf32>, %w: tensor<32x64xbf16>, %g: tensor<64xbf16>, %b: tensor<32xbf16>,
                   %heads: tensor<?x4x20xf32>, %uk: tensor<4x20x24xbf16>, %uv: tensor<4x28x20xbf16>) -> tensor<?x32xf32> {
  // CHECK: glm.rms_norm %{{.*}}, %{{.*}} eps 1.000000e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
  %0 = glm.rms_norm %x, %g eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
  // CHECK: glm.cast %{{.*}} : tensor<?x64xf32> -> tensor<?x64xbf16>
  %1 = glm.cast %0 : tensor<?x64xf32> -> tensor<?x64xbf16>
  // CHECK: glm.linear %{{.*}}, %{{.*}} : tensor<?x64xbf16>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %2 = glm.linear %1, %w : tensor<?x64xbf16>, tensor<32x64xbf16> -> tensor<?x32xf32>
  // CHECK: glm.gated_linear %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %gated = glm.gated_linear %1, %w, %w : tensor<?x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16> -> tensor<?x32xf32>
  // CHECK: glm.linear_group %{{.*}}, %{{.*}} by %{{.*}}, %{{.*}} : tensor<?x64xbf16>, tensor<?x64xbf16> by tensor<32x64xbf16>, tensor<32x64xbf16> -> tensor<?x32xf32>, tensor<?x32xf32>
  %group:2 = glm.linear_group %1, %1 by %w, %w : tensor<?x64xbf16>, tensor<?x64xbf16> by tensor<32x64xbf16>, tensor<32x64xbf16> -> tensor<?x32xf32>, tensor<?x32xf32>
  // CHECK: glm.layer_norm %{{.*}}, %{{.*}}, %{{.*}} eps 9.9{{[0-9]*}}E-7
  // CHECK-SAME: : tensor<?x32xf32>, tensor<32xbf16>, tensor<32xbf16> -> tensor<?x32xf32>
  %3 = glm.layer_norm %2, %b, %b eps 1.0e-06 : tensor<?x32xf32>, tensor<32xbf16>, tensor<32xbf16> -> tensor<?x32xf32>
  // CHECK: glm.head_linear %{{.*}}, %{{.*}} transposed : tensor<?x4x20xf32>, tensor<4x20x24xbf16> -> tensor<?x4x24xf32>
  %4 = glm.head_linear %heads, %uk transposed : tensor<?x4x20xf32>, tensor<4x20x24xbf16> -> tensor<?x4x24xf32>
  // CHECK: glm.head_linear %{{.*}}, %{{.*}} : tensor<?x4x20xf32>, tensor<4x28x20xbf16> -> tensor<?x4x28xf32>
  %5 = glm.head_linear %heads, %uv : tensor<?x4x20xf32>, tensor<4x28x20xbf16> -> tensor<?x4x28xf32>
  return %3 : tensor<?x32xf32>
}

// Rotation, arithmetic and changes of shape.
// CHECK-LABEL: @dense
func.func @dense(%x: tensor<?x128xf32>, %k: tensor<?x32xf32>, %rows: !glm.rows) -> tensor<?x128xf32> {
  // CHECK: glm.rope_angles %{{.*}} theta 1.000000e+06 : tensor<?x12xf32>
  %a = glm.rope_angles %rows theta 1.0e+06 : tensor<?x12xf32>
  // CHECK: glm.split_heads %{{.*}} : tensor<?x128xf32> -> tensor<?x4x32xf32>
  %0 = glm.split_heads %x : tensor<?x128xf32> -> tensor<?x4x32xf32>
  // CHECK: glm.slice %{{.*}} begin 20 : tensor<?x4x32xf32> -> tensor<?x4x12xf32>
  %1 = glm.slice %0 begin 20 : tensor<?x4x32xf32> -> tensor<?x4x12xf32>
  // CHECK: glm.rope %{{.*}}, %{{.*}} interleaved : tensor<?x4x12xf32>, tensor<?x12xf32>
  %2 = glm.rope %1, %a interleaved : tensor<?x4x12xf32>, tensor<?x12xf32>
  // CHECK: glm.slice %{{.*}} begin 0 : tensor<?x32xf32> -> tensor<?x12xf32>
  %3 = glm.slice %k begin 0 : tensor<?x32xf32> -> tensor<?x12xf32>
  // CHECK: glm.rope %{{.*}}, %{{.*}} half : tensor<?x12xf32>, tensor<?x12xf32>
  %4 = glm.rope %3, %a half : tensor<?x12xf32>, tensor<?x12xf32>
  %5 = glm.slice %0 begin 0 : tensor<?x4x32xf32> -> tensor<?x4x20xf32>
  // CHECK: glm.concat %{{.*}}, %{{.*}} : tensor<?x4x20xf32>, tensor<?x4x12xf32> -> tensor<?x4x32xf32>
  %6 = glm.concat %5, %2 : tensor<?x4x20xf32>, tensor<?x4x12xf32> -> tensor<?x4x32xf32>
  // CHECK: glm.merge_heads %{{.*}} : tensor<?x4x32xf32> -> tensor<?x128xf32>
  %7 = glm.merge_heads %6 : tensor<?x4x32xf32> -> tensor<?x128xf32>
  // CHECK: glm.silu %{{.*}} : tensor<?x128xf32>
  %8 = glm.silu %7 : tensor<?x128xf32>
  // CHECK: glm.multiply %{{.*}}, %{{.*}} : tensor<?x128xf32>
  %9 = glm.multiply %8, %x : tensor<?x128xf32>
  // CHECK: glm.add %{{.*}}, %{{.*}} : tensor<?x128xf32>
  %10 = glm.add %9, %x : tensor<?x128xf32>
  return %10 : tensor<?x128xf32>
}

// Sparse attention.
// CHECK-LABEL: @attention
func.func @attention(%q: tensor<?x8x32xf32>, %w: tensor<?x8xf32>, %keys: !glm.cache<32xf32>, %latent: !glm.cache<36xf32>,
                     %rows: !glm.rows, %qn: tensor<?x4x20xf32>, %ql: tensor<?x4x24xf32>, %qr: tensor<?x4x12xf32>,
                     %kv_b: tensor<192x24xbf16>) -> (tensor<?x4x28xf32>, tensor<?x4x24xf32>) {
  // CHECK: glm.index_scores %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} scale 6.250000e-02
  // CHECK-SAME: : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
  %s = glm.index_scores %q, %w, %keys, %rows scale 0.0625 : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
  // CHECK: glm.select_top_k %{{.*}}, %{{.*}} : tensor<?x?xf32> -> !glm.selection<10>
  %0 = glm.select_top_k %s, %rows : tensor<?x?xf32> -> !glm.selection<10>
  // CHECK: glm.selection_ids %{{.*}} : !glm.selection<10> -> tensor<?x10xi32>
  %ids = glm.selection_ids %0 : !glm.selection<10> -> tensor<?x10xi32>
  // CHECK: glm.selection_of_ids %{{.*}} : tensor<?x10xi32> -> !glm.selection<10>
  %sel = glm.selection_of_ids %ids : tensor<?x10xi32> -> !glm.selection<10>
  // CHECK: glm.gather %{{.*}}, %{{.*}}, %{{.*}} : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
  %g = glm.gather %latent, %sel, %rows : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
  // CHECK: glm.attend_expanded %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} scale 1.250000e-01
  // CHECK-SAME: : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xbf16>, !glm.selection<10> -> tensor<?x4x28xf32>
  %1 = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.125
     : tensor<?x4x20xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, tensor<192x24xbf16>, !glm.selection<10> -> tensor<?x4x28xf32>
  // CHECK: glm.attend_latent %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} scale 1.250000e-01
  // CHECK-SAME: : tensor<?x4x24xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, !glm.selection<10> -> tensor<?x4x24xf32>
  %2 = glm.attend_latent %ql, %qr, %g, %sel scale 0.125
     : tensor<?x4x24xf32>, tensor<?x4x12xf32>, tensor<?x?x36xf32>, !glm.selection<10> -> tensor<?x4x24xf32>
  return %1, %2 : tensor<?x4x28xf32>, tensor<?x4x24xf32>
}

// Mixture of experts.
// CHECK-LABEL: @moe
func.func @moe(%x: tensor<?x64xf32>, %matrix: tensor<16x64xf32>, %gain: tensor<64xf32>, %logits: tensor<?x16xf32>, %bias: tensor<16xf32>, %up: tensor<16x36x64xbf16>,
               %down: tensor<16x64x36xbf16>) -> (tensor<?x64xf32>, tensor<?x4xi32>, tensor<?x4xf32>) {
  // CHECK: glm.route %{{.*}}, %{{.*}} groups 4 kept 2 scale 2.500000e+00 normalize
  // CHECK-SAME: : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  %r = glm.route %logits, %bias groups 4 kept 2 scale 2.5 normalize : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  // CHECK: glm.route %{{.*}}, %{{.*}} groups 1 kept 1 scale 1.000000e+00 : tensor<?x16xf32>
  %raw = glm.route %logits, %bias groups 1 kept 1 scale 1.0 : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  // CHECK: glm.router %{{.*}}, %{{.*}}, %{{.*}} groups 4 kept 2 scale 2.500000e+00 normalize : tensor<?x64xf32>, tensor<16x64xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  %router = glm.router %x, %matrix, %bias groups 4 kept 2 scale 2.5 normalize : tensor<?x64xf32>, tensor<16x64xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  // CHECK: glm.norm_linear %{{.*}}, %{{.*}} eps 1.000000e-05 by %{{.*}} : tensor<?x64xf32>, tensor<64xf32> by tensor<16x64xf32> -> tensor<?x16xf32>
  %normed = glm.norm_linear %x, %gain eps 1.0e-05 by %matrix : tensor<?x64xf32>, tensor<64xf32> by tensor<16x64xf32> -> tensor<?x16xf32>
  // CHECK: glm.dispatch %{{.*}}, %{{.*}} : tensor<?x64xf32>, !glm.routing<16, 4> -> tensor<?x64xf32>
  %d = glm.dispatch %x, %r : tensor<?x64xf32>, !glm.routing<16, 4> -> tensor<?x64xf32>
  // CHECK: glm.expert_linear %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<16x36x64xbf16>, !glm.routing<16, 4> -> tensor<?x36xf32>
  %e = glm.expert_linear %d, %up, %r : tensor<?x64xf32>, tensor<16x36x64xbf16>, !glm.routing<16, 4> -> tensor<?x36xf32>
  %f = glm.expert_linear %e, %down, %r : tensor<?x36xf32>, tensor<16x64x36xbf16>, !glm.routing<16, 4> -> tensor<?x64xf32>
  // CHECK: glm.expert_gated_linear %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<16x36x64xbf16>, tensor<16x36x64xbf16>, !glm.routing<16, 4> -> tensor<?x36xf32>
  %z = glm.expert_gated_linear %x, %up, %up, %r : tensor<?x64xf32>, tensor<16x36x64xbf16>, tensor<16x36x64xbf16>, !glm.routing<16, 4> -> tensor<?x36xf32>
  // CHECK: glm.combine %{{.*}}, %{{.*}} : tensor<?x64xf32>, !glm.routing<16, 4> -> tensor<?x64xf32>
  %y = glm.combine %f, %r : tensor<?x64xf32>, !glm.routing<16, 4> -> tensor<?x64xf32>
  // CHECK: glm.routing_ids %{{.*}} : !glm.routing<16, 4> -> tensor<?x4xi32>
  %ids = glm.routing_ids %r : !glm.routing<16, 4> -> tensor<?x4xi32>
  // CHECK: glm.routing_weights %{{.*}} : !glm.routing<16, 4> -> tensor<?x4xf32>
  %w = glm.routing_weights %r : !glm.routing<16, 4> -> tensor<?x4xf32>
  return %y, %ids, %w : tensor<?x64xf32>, tensor<?x4xi32>, tensor<?x4xf32>
}
