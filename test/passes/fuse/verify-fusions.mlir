// RUN: glm-opt %s --glm-fuse-pipeline="verify-fusions expanded-keys=0" -o /dev/null --split-input-file --verify-diagnostics

// Sizes are made small and elements f32: what takes a second at the model's sizes takes none. Both linears do the same
// sums in the same order, so their products are equal to the bit.
func.func @mlp(%x: tensor<?x6144xbf16>, %gate: tensor<12288x6144xbf16>, %up: tensor<12288x6144xbf16>)
    -> tensor<?x12288xf32> {
  %g = glm.linear %x, %gate : tensor<?x6144xbf16>, tensor<12288x6144xbf16> -> tensor<?x12288xf32>
  %s = glm.silu %g : tensor<?x12288xf32>
  %u = glm.linear %x, %up : tensor<?x6144xbf16>, tensor<12288x6144xbf16> -> tensor<?x12288xf32>
  // expected-remark @+2 {{glm-fuse-gated-mlp: fused into one gated linear}}
  // expected-remark @+1 {{glm-verify-fusions: equal to what it replaced}}
  %y = glm.multiply %s, %u : tensor<?x12288xf32>
  return %y : tensor<?x12288xf32>
}

// -----

// A random routing among fewer experts.
func.func @experts(%x: tensor<?x6144xbf16>, %gates: tensor<256x2048x6144xbf16>, %ups: tensor<256x2048x6144xbf16>,
                   %r: !glm.routing<256, 8>) -> tensor<?x2048xf32> {
  %d = glm.dispatch %x, %r : tensor<?x6144xbf16>, !glm.routing<256, 8> -> tensor<?x6144xbf16>
  %g = glm.expert_linear %d, %gates, %r : tensor<?x6144xbf16>, tensor<256x2048x6144xbf16>, !glm.routing<256, 8> -> tensor<?x2048xf32>
  %s = glm.silu %g : tensor<?x2048xf32>
  %u = glm.expert_linear %d, %ups, %r : tensor<?x6144xbf16>, tensor<256x2048x6144xbf16>, !glm.routing<256, 8> -> tensor<?x2048xf32>
  // expected-remark @+2 {{glm-fuse-moe-dispatch: fused into one gated linear of experts}}
  // expected-remark @+1 {{glm-verify-fusions: equal to what it replaced}}
  %y = glm.multiply %s, %u : tensor<?x2048xf32>
  return %y : tensor<?x2048xf32>
}

// -----

// Absorbed attention sums in another order: equal to 1e-5 of the largest value.
func.func @attention(%qn: tensor<?x4x20xbf16>, %qr: tensor<?x4x12xbf16>, %cache: !glm.cache<36xbf16>,
                     %sel: !glm.selection<10>, %kv_b: tensor<192x24xbf16>, %rows: !glm.rows)
    -> tensor<?x4x28xf32> {
  %g = glm.gather %cache, %sel, %rows : !glm.cache<36xbf16>, !glm.selection<10> -> tensor<?x?x36xbf16>
  // expected-remark @+4 {{glm-fuse-sparse-attention: fused with the gathering of its rows}}
  // expected-remark-re @+3 {{glm-choose-attention: gathered only: up to {{.*}} keys expanding them never pays}}
  // expected-remark @+2 {{glm-absorb: absorbed into latent attention}}
  // expected-remark @+1 {{glm-verify-fusions: equal to what it replaced}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.17
     : tensor<?x4x20xbf16>, tensor<?x4x12xbf16>, tensor<?x?x36xbf16>, tensor<192x24xbf16>,
       !glm.selection<10> -> tensor<?x4x28xf32>
  return %y : tensor<?x4x28xf32>
}

// -----

// The sizes of GLM-5: `begin` of a slice belongs to them, so they stay as they are.
func.func @full_size(%qn: tensor<?x64x192xbf16>, %qr: tensor<?x64x64xbf16>, %cache: !glm.cache<576xbf16>,
                     %sel: !glm.selection<2048>, %kv_b: tensor<28672x512xbf16>, %rows: !glm.rows)
    -> tensor<?x64x256xf32> {
  %g = glm.gather %cache, %sel, %rows : !glm.cache<576xbf16>, !glm.selection<2048> -> tensor<?x?x576xbf16>
  // expected-remark @+4 {{glm-fuse-sparse-attention: fused with the gathering of its rows}}
  // expected-remark-re @+3 {{glm-choose-attention: gathered only: up to {{.*}} keys expanding them never pays}}
  // expected-remark @+2 {{glm-absorb: absorbed into latent attention}}
  // expected-remark @+1 {{glm-verify-fusions: equal to what it replaced}}
  %y = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.0625
     : tensor<?x64x192xbf16>, tensor<?x64x64xbf16>, tensor<?x?x576xbf16>, tensor<28672x512xbf16>,
       !glm.selection<2048> -> tensor<?x64x256xf32>
  return %y : tensor<?x64x256xf32>
}

// -----

// A group does the sums of its members, all of which are compared; weights of another type read the rows before they were rounded.
func.func @group(%n: tensor<?x6144xf32>, %a: tensor<2048x6144xbf16>, %b: tensor<32x6144xf32>)
    -> (tensor<?x2048xf32>, tensor<?x32xf32>) {
  %x = glm.cast %n : tensor<?x6144xf32> -> tensor<?x6144xbf16>
  // expected-remark @+2 {{glm-fuse-mla-prologue: fused 2 linears of the same rows into one group}}
  // expected-remark @+1 {{glm-verify-fusions: equal to what it replaced}}
  %0 = glm.linear %x, %a : tensor<?x6144xbf16>, tensor<2048x6144xbf16> -> tensor<?x2048xf32>
  %1 = glm.linear %n, %b : tensor<?x6144xf32>, tensor<32x6144xf32> -> tensor<?x32xf32>
  return %0, %1 : tensor<?x2048xf32>, tensor<?x32xf32>
}

// -----

// Rows that are normalised inside the linear are the same rows.
func.func @norm(%h: tensor<?x6144xbf16>, %q_a: tensor<2048x6144xbf16>, %gain: tensor<2048xbf16>, %q_b: tensor<16384x2048xbf16>)
    -> tensor<?x16384xf32> {
  %x = glm.linear %h, %q_a : tensor<?x6144xbf16>, tensor<2048x6144xbf16> -> tensor<?x2048xf32>
  // expected-remark @+1 {{glm-fuse-norm-linear: fused into the linears behind it}}
  %n = glm.rms_norm %x, %gain eps 1.0e-05 : tensor<?x2048xf32>, tensor<2048xbf16> -> tensor<?x2048xf32>
  %r = glm.cast %n : tensor<?x2048xf32> -> tensor<?x2048xbf16>
  // expected-remark @+1 {{glm-verify-fusions: equal to what it replaced}}
  %q = glm.linear %r, %q_b : tensor<?x2048xbf16>, tensor<16384x2048xbf16> -> tensor<?x16384xf32>
  return %q : tensor<?x16384xf32>
}

// -----

// Routings are compared too: the same experts with the same weights.
func.func @router(%x: tensor<?x512xf32>, %w: tensor<16x512xf32>, %b: tensor<16xf32>) -> !glm.routing<16, 4> {
  %l = glm.linear %x, %w : tensor<?x512xf32>, tensor<16x512xf32> -> tensor<?x16xf32>
  // expected-remark @+2 {{glm-fuse-router: fused into one router}}
  // expected-remark @+1 {{glm-verify-fusions: equal to what it replaced}}
  %r = glm.route %l, %b groups 4 kept 2 scale 2.5 normalize : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return %r : !glm.routing<16, 4>
}
