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

// The merge goes on with the memory of the search.
// CHECK-LABEL: func.func private @attention
// CHECK: %[[SEARCH:.*]]:3 = kernel.launch @index_8x32_top_10_bf16
// CHECK: %[[SELECTION:.*]] = kernel.launch @merge_8x32_top_10_bf16(%[[SEARCH]]#1, %[[SEARCH]]#2, %{{.*}}, %[[SEARCH]]#0)
// CHECK: kernel.launch @attend_4x36_top_10_bf16({{.*}}%[[SELECTION]]

// The cache that an indexer reads is packed in lines, for who writes it too.
// CHECK-LABEL: kernel.func @rows_append
// CHECK: kernel.store_tile %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] : {{.*}}<1x32xbf16>, !kernel.cache<32xbf16, #kernel.lines<16>>

// Rows and ranges of keys are the units; eight rows of one slot read each line of keys once.
// CHECK-LABEL: kernel.func @index_8x32_top_10_bf16
// CHECK-SAME: !kernel.buffer<?x8x32xbf16>, %{{.*}}: !kernel.buffer<?x8x1xf32>, %[[KEYS:[a-z0-9]+]]: !kernel.cache<32xbf16, #kernel.lines<16>>, {{.*}}, %[[OUT:[a-z0-9]+]]: !kernel.buffer<?x10xi32>, %[[SCORES:[a-z0-9]+]]: !kernel.buffer<128x10xf32>, %[[IDS:[a-z0-9]+]]: !kernel.buffer<128x10xi32>
// CHECK: %[[W:.*]] = kernel.workers
// CHECK: kernel.parallel (%{{.*}}, %[[RANGE:.*]]) to (%{{.*}}, %{{.*}}) step [8, 1]
// CHECK: %[[Q:.*]] = kernel.load_tile %{{.*}} inside : {{.*}} -> <64x32xbf16>
// Scores exist for two lines of keys at a time: relu, weight, sum over each row's heads, scale.
// CHECK: %[[BEST:.*]], %[[BESTS:.*]] = kernel.top_k (%[[T:.*]]) from %{{.*}} to {{.*}} step 32 -> {{.*}}<8x10xi32>, {{.*}}<8x10xf32>
// CHECK: kernel.load_tile %[[KEYS]][%{{.*}}, %[[T]]]
// CHECK: kernel.mma %[[Q]], {{.*}}<64x32xf32>
// CHECK: arith.cmpf ogt
// CHECK: arith.mulf
// CHECK: kernel.reduce sum %{{.*}} along 0 : <64x32xf32> -> <8x32xf32>
// With one range the best are the selection, with several they are candidates.
// CHECK: kernel.store_tile %[[BEST]], %[[OUT]]
// CHECK: else
// CHECK: kernel.store_tile %[[BESTS]], %[[SCORES]]
// CHECK: kernel.store_tile %[[BEST]], %[[IDS]]
// Rows of different slots, and those that are no full block, go one by one.
// CHECK: scf.for
// CHECK: kernel.top_k {{.*}}<1x10xi32>, {{.*}}<1x10xf32>

// The best of the ranges' best; numbers behind the end of a list do not exist.
// CHECK-LABEL: kernel.func @merge_8x32_top_10_bf16
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: !kernel.buffer<?x10xi32> {kernel.updated})
// CHECK: %[[BEST:.*]] = kernel.top_k (%{{.*}}) from %c0 to %{{.*}} step 32 -> {{.*}}<1x10xi32>
// CHECK: %[[ID:.*]] = kernel.map
// CHECK: kernel.yield %{{.*}}, %[[ID]] : {{.*}}<1x32xf32>, {{.*}}<1x32xi32>
// CHECK: kernel.store_tile %[[BEST]], %[[OUT]]

// One token's heads share the gathered rows; keys from the count on do not exist.
// CHECK-LABEL: kernel.func @attend_4x36_top_10_bf16
// CHECK: kernel.parallel (%[[I:.*]], %[[H:.*]]) to (%{{.*}}, %c4) step [1, 2]
// CHECK: %[[Q:.*]] = kernel.concat
// CHECK: %[[N:.*]] = arith.minsi %{{.*}}, %c10
// CHECK: kernel.online_softmax (%[[T:.*]]) to %[[N]] step 16 -> {{.*}}<2x24xf32>
// CHECK: %[[R:.*]] = kernel.gather_rows
// CHECK: kernel.mma %[[Q]], %[[R]]
// CHECK: kernel.yield %{{.*}}, %[[R]]
