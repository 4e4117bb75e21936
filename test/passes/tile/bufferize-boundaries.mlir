// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles --glm-tile-and-fuse --glm-bufferize-boundaries | FileCheck %s

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  glm.weight @kv_b : tensor<192x24xbf16> from "a.safetensors" at 0
  glm.weight @head : tensor<761x112xbf16> from "a.safetensors" at 9216
  glm.state @layer0.latent : !glm.cache<24xbf16>

  // A layer writes its result where the caller says; views are the same memory; weights are packed for their kernels.
  // CHECK-LABEL: func.func private @layer
  // CHECK-SAME: (%[[X:.*]]: !kernel.buffer<?x96xf32> {glm.name = "hidden"}, %[[W:.*]]: !kernel.buffer<192x24xbf16>, %[[C:.*]]: !kernel.cache<24xbf16>, %[[R:.*]]: !kernel.buffer<?x4xi32>, %[[OUT:.*]]: !kernel.buffer<?x4x28xf32>)
  // CHECK: %[[B:.*]] = program.buffer dim "rows" : {{.*}}<?x96xbf16>
  // CHECK: kernel.launch @rows_96_bf16(%[[X]]) outs(%[[B]]
  // CHECK: %[[P:.*]] = program.pack %[[W]] derive <begin = 20, transposed = false> : !kernel.buffer<192x24xbf16> -> !kernel.buffer<4x28x24xbf16, #kernel.panels<32, 2>>
  // CHECK: kernel.launch @head_linear_4x24x28_bf16(%[[B]], %[[P]]) outs(%[[OUT]]
  // CHECK-NEXT: return
  func.func private @layer(%x: tensor<?x96xf32> {glm.name = "hidden"}, %kv_b: tensor<192x24xbf16>,
                           %cache: !glm.cache<24xbf16>, %rows: !glm.rows) -> tensor<?x4x28xf32> {
    %0 = glm.cast %x : tensor<?x96xf32> -> tensor<?x96xbf16>
    %1 = glm.split_heads %0 : tensor<?x96xbf16> -> tensor<?x4x24xbf16>
    %uv = glm.head_rows %kv_b begin 20 : tensor<192x24xbf16> -> tensor<4x28x24xbf16>
    %2 = glm.head_linear %1, %uv : tensor<?x4x24xbf16>, tensor<4x28x24xbf16> -> tensor<?x4x28xf32>
    return %2 : tensor<?x4x28xf32>
  }

  // An entry returns buffers under the names its ports had; logit rows are a dimension of their own.
  // CHECK-LABEL: func.func @step
  // CHECK-SAME: (%[[H:.*]]: !kernel.buffer<?x96xf32> {glm.name = "hidden"}, {{.*}}) -> (!kernel.buffer<?x761xf32> {glm.name = "logits"}) attributes {glm.entry}
  // CHECK-DAG: %[[W:.*]] = program.weight_ref @kv_b : {{.*}}<192x24xbf16>
  // CHECK-DAG: %[[C:.*]] = program.state_ref @layer0.latent : {{.*}}<24xbf16>
  // CHECK: %[[L:.*]] = program.buffer dim "rows" : {{.*}}<?x4x28xf32>
  // CHECK: call @layer(%[[H]], %[[W]], %[[C]], %{{.*}}, %[[L]]) {glm.path = "model.layers.0"}
  // CHECK: %[[T:.*]] = program.buffer dim "logit_rows" : {{.*}}<?x112xbf16>
  // CHECK: kernel.launch @rows_take_112_bf16(%[[L]],
  // CHECK: %[[P:.*]] = program.pack
  // CHECK: %[[Y:.*]] = program.buffer dim "logit_rows" : {{.*}}<?x761xf32>
  // CHECK: kernel.launch @linear_112x761_bf16(%[[T]], %[[P]]) outs(%[[Y]]
  // CHECK: return %[[Y]]
  func.func @step(%h: tensor<?x96xf32> {glm.name = "hidden"}, %rows: !glm.rows {glm.name = "rows"},
                  %logit_rows: tensor<?xi32> {glm.name = "logit_rows"})
      -> (tensor<?x761xf32> {glm.name = "logits"}) attributes {glm.entry} {
    %w = glm.weight_value @kv_b : tensor<192x24xbf16>
    %c = glm.state_value @layer0.latent : !glm.cache<24xbf16>
    %0 = func.call @layer(%h, %w, %c, %rows) {glm.path = "model.layers.0"}
       : (tensor<?x96xf32>, tensor<192x24xbf16>, !glm.cache<24xbf16>, !glm.rows) -> tensor<?x4x28xf32>
    %1 = glm.merge_heads %0 : tensor<?x4x28xf32> -> tensor<?x112xf32>
    %2 = glm.take_rows %1, %logit_rows : tensor<?x112xf32>, tensor<?xi32> -> tensor<?x112xf32>
    %3 = glm.cast %2 : tensor<?x112xf32> -> tensor<?x112xbf16>
    %v = glm.weight_value @head : tensor<761x112xbf16>
    %4 = glm.linear %3, %v : tensor<?x112xbf16>, tensor<761x112xbf16> -> tensor<?x761xf32>
    return %4 : tensor<?x761xf32>
  }
}
