// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles --glm-tile-and-fuse | FileCheck %s

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
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

// The cache that an indexer reads is packed in lines, for who writes it too.
// CHECK-LABEL: kernel.func @rows_append
// CHECK: kernel.store_tile %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] : {{.*}}<1x32xbf16>, !kernel.cache<32xbf16, #kernel.lines<16>>

// Scores exist for sixteen keys at a time: relu, weight, sum over heads, scale.
// CHECK-LABEL: kernel.func @index_8x32_top_10_bf16
// CHECK-SAME: !kernel.buffer<?x8x32xbf16>, %{{.*}}: !kernel.buffer<?x8x1xf32>, %[[KEYS:.*]]: !kernel.cache<32xbf16, #kernel.lines<16>>
// CHECK: %[[COUNT:.*]] = arith.addi %{{.*}}, %c1
// CHECK: %[[IDS:.*]] = kernel.top_k (%[[T:.*]]) to %[[COUNT]] step 16 -> {{.*}}<1x10xi32>
// CHECK: kernel.load_tile %[[KEYS]][%{{.*}}, %[[T]]]
// CHECK: kernel.mma {{.*}}<8x16xf32>
// CHECK: arith.maximumf
// CHECK: arith.mulf
// CHECK: kernel.reduce sum %{{.*}} along 0
// CHECK: kernel.store_tile %[[IDS]]

// One token's heads share the gathered rows; keys from the count on do not exist.
// CHECK-LABEL: kernel.func @attend_4x36_top_10_bf16
// CHECK: kernel.parallel (%[[I:.*]], %[[H:.*]]) to (%{{.*}}, %c4) step [1, 2]
// CHECK: %[[Q:.*]] = kernel.concat
// CHECK: %[[N:.*]] = arith.minsi %{{.*}}, %c10
// CHECK: kernel.online_softmax (%[[T:.*]]) to %[[N]] step 16 -> {{.*}}<2x24xf32>
// CHECK: %[[R:.*]] = kernel.gather_rows
// CHECK: kernel.mma %[[Q]], %[[R]]
// CHECK: kernel.yield %{{.*}}, %[[R]]
