// RUN: glm-opt %s --glm-apply-precision=precision=bf16 | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: glm-opt %s --glm-apply-precision=precision=f32 | FileCheck %s --check-prefixes=CHECK,F32
// RUN: glm-opt %s "--glm-apply-precision=precision=bf16 index-keys=int8" | FileCheck %s --check-prefixes=CODES

// BF16: module attributes {glm.precision = "bf16"}
// F32: module attributes {glm.precision = "f32"}
module {
  // Caches hold what keys are multiplied in.
  // BF16: glm.state @layer0.index : !glm.cache<32xbf16>
  // F32: glm.state @layer0.index : !glm.cache<32xf32>
  glm.state @layer0.index : !glm.cache<32xf32>

  // In bf16 the input is rounded, in f32 the weight is widened.
  // CHECK-LABEL: func.func @linear
  // BF16: %[[X:.*]] = glm.cast %arg0 : tensor<?x64xf32> -> tensor<?x64xbf16>
  // BF16: glm.linear %[[X]], %arg1
  // F32: %[[W:.*]] = glm.cast %arg1 : tensor<40x64xbf16> -> tensor<40x64xf32>
  // F32: glm.linear %arg0, %[[W]]
  func.func @linear(%x: tensor<?x64xf32>, %w: tensor<40x64xbf16>) -> tensor<?x40xf32> {
    %y = glm.linear %x, %w : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }

  // The choice of experts is a comparison: the router is exact in both.
  // CHECK-LABEL: func.func @router
  // CHECK-NOT: tensor<?x64xbf16>
  // CHECK: %[[W:.*]] = glm.cast %arg1 : tensor<12x64xbf16> -> tensor<12x64xf32>
  // CHECK: glm.linear %arg0, %[[W]] : tensor<?x64xf32>, tensor<12x64xf32>
  func.func @router(%x: tensor<?x64xf32>, %w: tensor<12x64xbf16>, %b: tensor<12xf32>)
      -> !glm.routing<12, 3> {
    %z = glm.linear %x, %w : tensor<?x64xf32>, tensor<12x64xbf16> -> tensor<?x12xf32>
    %r = glm.route %z, %b groups 1 kept 1 scale 2.5 normalize
       : tensor<?x12xf32>, tensor<12xf32> -> !glm.routing<12, 3>
    return %r : !glm.routing<12, 3>
  }

  // Rows are rounded before they are copied for their experts.
  // CHECK-LABEL: func.func @experts
  // BF16: %[[X:.*]] = glm.cast %arg0 : tensor<?x64xf32> -> tensor<?x64xbf16>
  // BF16: glm.dispatch %[[X]], %arg2 : tensor<?x64xbf16>
  func.func @experts(%x: tensor<?x64xf32>, %bank: tensor<12x36x64xbf16>, %r: !glm.routing<12, 3>)
      -> tensor<?x36xf32> {
    %d = glm.dispatch %x, %r : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
    %e = glm.expert_linear %d, %bank, %r
       : tensor<?x64xf32>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
    return %e : tensor<?x36xf32>
  }

  // With int8 the caches that an indexer reads hold codes, those of callers and of their states too.
  // CODES: glm.state @layer1.index : !glm.cache<32xi8>
  // CODES: glm.state @layer1.latent : !glm.cache<36xbf16>
  // CODES-LABEL: func.func @index
  // CODES-SAME: !glm.cache<32xi8>
  // CODES-LABEL: func.func @entry
  // CODES: glm.state_value @layer1.index : !glm.cache<32xi8>
  // CODES: glm.state_value @layer1.latent : !glm.cache<36xbf16>
  glm.state @layer1.index : !glm.cache<32xf32>
  glm.state @layer1.latent : !glm.cache<36xf32>

  // Indexer queries are rounded, the weights of its heads are not; the signature takes the narrow cache.
  // CHECK-LABEL: func.func @index
  // BF16-SAME: !glm.cache<32xbf16>
  // BF16: %[[Q:.*]] = glm.cast %arg0 : tensor<?x8x32xf32> -> tensor<?x8x32xbf16>
  // CHECK: glm.cast %arg2 : tensor<8x64xbf16> -> tensor<8x64xf32>
  // BF16: glm.index_scores %[[Q]]
  func.func @index(%q: tensor<?x8x32xf32>, %x: tensor<?x64xf32>, %w: tensor<8x64xbf16>,
                   %keys: !glm.cache<32xf32>, %rows: !glm.rows) -> !glm.selection<10> {
    %h = glm.linear %x, %w : tensor<?x64xf32>, tensor<8x64xbf16> -> tensor<?x8xf32>
    %s = glm.index_scores %q, %h, %keys, %rows scale 0.0625
       : tensor<?x8x32xf32>, tensor<?x8xf32>, !glm.cache<32xf32> -> tensor<?x?xf32>
    %sel = glm.select_top_k %s, %rows : tensor<?x?xf32> -> !glm.selection<10>
    return %sel : !glm.selection<10>
  }

  // What is in the right type already stays as it is.
  // CHECK-LABEL: func.func @rounded
  // BF16-NOT: glm.cast
  // BF16: return
  func.func @rounded(%x: tensor<?x64xbf16>, %w: tensor<40x64xbf16>) -> tensor<?x40xf32> {
    %y = glm.linear %x, %w : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }

  func.func @entry(%q: tensor<?x8x32xf32>, %x: tensor<?x64xf32>, %w: tensor<8x64xbf16>, %y: tensor<?x36xf32>,
                   %rows: !glm.rows) -> !glm.selection<10> {
    %keys = glm.state_value @layer1.index : !glm.cache<32xf32>
    %latent = glm.state_value @layer1.latent : !glm.cache<36xf32>
    glm.append %y, %latent, %rows : tensor<?x36xf32>, !glm.cache<36xf32>
    %0 = func.call @index(%q, %x, %w, %keys, %rows)
       : (tensor<?x8x32xf32>, tensor<?x64xf32>, tensor<8x64xbf16>, !glm.cache<32xf32>, !glm.rows) -> !glm.selection<10>
    return %0 : !glm.selection<10>
  }
}
