// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles=block=2048 --glm-tile-and-fuse | FileCheck %s
// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles --glm-tile-and-fuse | FileCheck %s --check-prefix=WHOLE

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  func.func private @linear(%x: tensor<?x4096xbf16>, %w: tensor<1024x4096xbf16> {glm.name = "o_proj.weight"})
      -> tensor<?x1024xf32> {
    // CHECK: kernel.launch @linear_4096x1024_bf16(%arg0, %arg1) {bytes = #program.expr<8388608>, dim = "rows", flop = #program.expr<rows * 8388608>, label = "o_proj"}
    %y = glm.linear %x, %w : tensor<?x4096xbf16>, tensor<1024x4096xbf16> -> tensor<?x1024xf32>
    return %y : tensor<?x1024xf32>
  }
  func.func private @narrow(%x: tensor<?x4x32xf32>, %w: tensor<4x20x24xf32>, %s: tensor<8x4096xf32>)
      -> tensor<?x4x24xbf16> {
    %c = glm.slice %x begin 12 : tensor<?x4x32xf32> -> tensor<?x4x20xf32>
    %y = glm.head_linear %c, %w transposed
       : tensor<?x4x20xf32>, tensor<4x20x24xf32> -> tensor<?x4x24xf32>
    %z = glm.cast %y : tensor<?x4x24xf32> -> tensor<?x4x24xbf16>
    return %z : tensor<?x4x24xbf16>
  }
  func.func private @tail(%x: tensor<?x2x20xf32>, %w: tensor<2x100x20xf32>) -> tensor<?x2x100xf32> {
    %y = glm.head_linear %x, %w : tensor<?x2x20xf32>, tensor<2x100x20xf32> -> tensor<?x2x100xf32>
    return %y : tensor<?x2x100xf32>
  }
}

// Groups of panels outside, blocks of rows inside, K in blocks.
// CHECK-LABEL: kernel.func @linear_4096x1024_bf16
// CHECK-SAME: %[[X:.*]]: !kernel.buffer<?x4096xbf16>, %[[W:.*]]: !kernel.buffer<1024x4096xbf16, #kernel.panels<64, 2>>, %[[Y:.*]]: !kernel.buffer<?x1024xf32>
// CHECK-SAME: schedule = #kernel.schedule<m = 120, n = 64, k = 2048>
// CHECK: %[[ROWS:.*]] = kernel.dim %[[Y]], 0
// CHECK: kernel.parallel (%[[G:.*]], %[[B:.*]]) to (%[[GROUPS:.*]], %[[BLOCKS:.*]]) step [1, 1]
// CHECK: %[[BELOW:.*]] = arith.muli %[[ROWS]], %[[B]]
// CHECK: %[[I:.*]] = arith.divui %[[BELOW]], %[[BLOCKS]]
// CHECK: %[[VALID:.*]] = arith.subi %{{.*}}, %[[I]]
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %{{.*}} step %c64
// CHECK: %[[S:.*]] = scf.for %[[K:.*]] = %{{.*}} to %c4096 step %c2048 iter_args(%[[C:.*]] = %{{.*}}) -> ({{.*}}<120x64xf32>)
// CHECK: %[[A:.*]] = kernel.load_tile %[[X]][%[[I]], %[[K]]]
// CHECK: %[[B:.*]] = kernel.load_tile %[[W]][%[[J]], %[[K]]]
// CHECK: kernel.mma %[[A]], %[[B]], %[[C]]
// CHECK: kernel.store_tile %[[S]], %[[Y]][%[[I]], %[[J]]] valid %[[VALID]]

// Rows that are whole in one block are loaded in front of the panels.
// WHOLE-LABEL: kernel.func @linear_4096x1024_bf16
// WHOLE: %[[A:.*]] = kernel.load_tile {{.*}} -> <60x4096xbf16>
// WHOLE: scf.for
// WHOLE: kernel.mma %[[A]], %{{.*}}, %{{.*}} : <60x4096xbf16>, <64x4096xbf16>, <60x64xf32>

// Heads lie side by side: the slice is an offset, the padding of the tile is cut off, the result is rounded.
// CHECK-LABEL: kernel.func @head_linear_4x20x24_f32_to_bf16
// CHECK-SAME: !kernel.buffer<?x128xf32>, %{{.*}}: !kernel.buffer<4x24x20xf32, #kernel.panels<32, 1>> {kernel.transposed}, %{{.*}}: !kernel.buffer<?x96xbf16>
// CHECK: %[[H:.*]] = arith.muli %{{.*}}, %c32
// CHECK: %[[AT:.*]] = arith.addi %[[H]], %c12
// CHECK: kernel.load_tile %{{.*}}[%{{.*}}, %[[AT]]] : {{.*}}<126x20xf32>
// CHECK: kernel.mma
// CHECK: %[[R:.*]] = kernel.map
// CHECK: arith.truncf
// CHECK: %[[V:.*]] = kernel.slice %[[R]] from 0 : {{.*}}<126x32xbf16> -> {{.*}}<126x24xbf16>
// CHECK: kernel.store_tile %[[V]]

// Where several tiles cover a head only the last is cut.
// CHECK-LABEL: kernel.func @head_linear_2x20x100_f32
// CHECK: %[[LAST:.*]] = arith.cmpi eq, %{{.*}}, %c64
// CHECK: scf.if %[[LAST]]
// CHECK: kernel.slice %{{.*}} from 0 : {{.*}}<126x36xf32>
// CHECK: kernel.store_tile %{{.*}} valid %{{.*}} : {{.*}}<126x36xf32>
// CHECK: } else {
// CHECK: kernel.store_tile %{{.*}} valid %{{.*}} : {{.*}}<126x64xf32>
