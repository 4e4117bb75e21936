// RUN: glm-opt %s --glm-inline-layers --split-input-file | FileCheck %s

// Two calls of one layer become two launches with the weights of each; ports come from arguments and results, and
// the label from the weight. What a launch costs goes with it.

kernel.func @linear(%x: !kernel.buffer<?x64xf32>, %w: !kernel.buffer<64x64xf32, #kernel.panels<16, 1>>, %y: !kernel.buffer<?x64xf32>) {
  kernel.return
}
func.func private @layer(%x: !kernel.buffer<?x64xf32>, %w: !kernel.buffer<64x64xbf16>, %y: !kernel.buffer<?x64xf32>) {
  %p = program.pack %w : !kernel.buffer<64x64xbf16> -> !kernel.buffer<64x64xf32, #kernel.panels<16, 1>>
  kernel.launch @linear(%x, %p) outs(%y : !kernel.buffer<?x64xf32>) {bytes = #program.expr<16384>, flop = #program.expr<rows * 8192>}
    : (!kernel.buffer<?x64xf32>, !kernel.buffer<64x64xf32, #kernel.panels<16, 1>>) -> ()
  func.return
}
// CHECK: program.device @host cpu "cpu"
// CHECK: program.dim @max_rows session max 2048
// CHECK: program.dim @max_logit_rows session max 2048 preset 64
// CHECK: program.dim @rows step max 2048 bound @max_rows
// CHECK: program.dim @logit_rows step max 2048 bound @max_logit_rows
// CHECK-LABEL: program.entry @step
// CHECK: %[[X:.*]] = program.buffer dim "rows" : <?x64xf32>
// CHECK-DAG: %[[W0:.*]] = program.weight_ref @model.layers.0.mlp.up_proj.weight : <64x64xf32, #kernel.panels<16, 1>>
// CHECK-DAG: %[[W1:.*]] = program.weight_ref @model.layers.1.mlp.up_proj.weight : <64x64xf32, #kernel.panels<16, 1>>
// CHECK: program.port input "x" %[[X]]
// CHECK: program.port output "y"
// CHECK: program.launch @linear(%[[X]], %[[W0]], %{{.*}}) label "model.layers.0.mlp.up_proj" flop <rows * 8192> bytes <16384> on @host
// CHECK: program.launch @linear(%{{.*}}, %[[W1]], %{{.*}}) label "model.layers.1.mlp.up_proj" flop <rows * 8192> bytes <16384> on @host
// CHECK-NOT: program.pack
// CHECK-NOT: func.func
func.func @step(%x: !kernel.buffer<?x64xf32> {glm.name = "x"}) -> (!kernel.buffer<?x64xf32> {glm.name = "y"}) attributes {glm.entry} {
  %w0 = program.weight_ref @model.layers.0.mlp.up_proj.weight : !kernel.buffer<64x64xbf16>
  %w1 = program.weight_ref @model.layers.1.mlp.up_proj.weight : !kernel.buffer<64x64xbf16>
  %h = program.buffer dim "rows" : !kernel.buffer<?x64xf32>
  %y = program.buffer dim "rows" : !kernel.buffer<?x64xf32>
  func.call @layer(%x, %w0, %h) : (!kernel.buffer<?x64xf32>, !kernel.buffer<64x64xbf16>, !kernel.buffer<?x64xf32>) -> ()
  func.call @layer(%h, %w1, %y) : (!kernel.buffer<?x64xf32>, !kernel.buffer<64x64xbf16>, !kernel.buffer<?x64xf32>) -> ()
  func.return %y : !kernel.buffer<?x64xf32>
}

// -----

// A function may give its memory back instead of taking it; `logit_rows` is its own dimension; a launch without weights is
// labelled by its own name.

kernel.func @take(%ids: !kernel.buffer<?xi32>, %y: !kernel.buffer<?x8xf32>) {
  kernel.return
}
func.func private @head(%ids: !kernel.buffer<?xi32>) -> !kernel.buffer<?x8xf32> {
  %y = program.buffer dim "logit_rows" : !kernel.buffer<?x8xf32>
  kernel.launch @take(%ids) outs(%y : !kernel.buffer<?x8xf32>) {label = "lm_head"} : (!kernel.buffer<?xi32>) -> ()
  func.return %y : !kernel.buffer<?x8xf32>
}
// CHECK-LABEL: program.entry @step
// CHECK: %[[IDS:.*]] = program.buffer dim "logit_rows" : <?xi32>
// CHECK: %[[Y:.*]] = program.buffer dim "logit_rows" : <?x8xf32>
// CHECK: program.port output "logits" %[[Y]]
// CHECK: program.launch @take(%[[IDS]], %[[Y]]) label "lm_head" on @host
func.func @step(%ids: !kernel.buffer<?xi32> {glm.name = "logit_rows"}) -> (!kernel.buffer<?x8xf32> {glm.name = "logits"}) attributes {glm.entry} {
  %y = func.call @head(%ids) : (!kernel.buffer<?xi32>) -> !kernel.buffer<?x8xf32>
  func.return %y : !kernel.buffer<?x8xf32>
}

// -----

// What the lists of a branch call is inlined into them; their memory moves to the head, a weight that both name in one
// form is one reference. Estimates become dimensions.

// CHECK: program.dim @expanded_keys session max 512 min 0 preset 256
// CHECK: program.dim @expanded_rows session max 2048 min 1 preset 32
// CHECK: program.dim @full_rows session max 2048 min 1 preset 64
// CHECK: program.dim @unmasked_keys session max 4096 min 0 preset 128
// CHECK: program.dim @keys step max 512 bound @expanded_keys
// CHECK-LABEL: program.entry @step
// CHECK: %[[X:.*]] = program.buffer dim "rows" : <?x64xf32>
// CHECK-DAG: %[[W:.*]] = program.weight_ref @model.layers.0.self_attn.kv_b_proj.weight
// CHECK-DAG: %[[Y:.*]] = program.buffer dim "rows" : <?x64xf32>
// CHECK-DAG: %[[K:.*]] = program.buffer dim "keys" : <?x64xbf16>
// CHECK: program.port output "y" %[[Y]]
// CHECK: program.branch <keys> less <1> {
// CHECK-NEXT: program.launch @few(%[[X]], %[[W]], %[[Y]]) label "model.layers.0.self_attn.kv_b_proj"
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: program.launch @expand(%[[W]], %[[K]]) label "model.layers.0.self_attn.kv_b_proj"
// CHECK-NEXT: program.branch <unmasked_keys> less <keys> {
// CHECK-NEXT: program.launch @many(%[[X]], %[[K]], %[[Y]])
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: }
module attributes {glm.model = {context = 4096 : i64},
    program.presets = {expanded_keys = 256 : i64, expanded_rows = 32 : i64, full_rows = 64 : i64, max_keys = 512 : i64, unmasked_keys = 128 : i64}} {
  func.func private @layer(%x: !kernel.buffer<?x64xf32>, %w: !kernel.buffer<64x64xbf16>, %y: !kernel.buffer<?x64xf32>) {
    program.branch <keys> less <1> {
      func.call @gathered(%x, %w, %y) : (!kernel.buffer<?x64xf32>, !kernel.buffer<64x64xbf16>, !kernel.buffer<?x64xf32>) -> ()
    } otherwise {
      func.call @expanded(%x, %w, %y) : (!kernel.buffer<?x64xf32>, !kernel.buffer<64x64xbf16>, !kernel.buffer<?x64xf32>) -> ()
    }
    func.return
  }
  kernel.func @few(%x: !kernel.buffer<?x64xf32>, %w: !kernel.buffer<64x64xbf16>, %y: !kernel.buffer<?x64xf32>) {
    kernel.return
  }
  kernel.func @expand(%w: !kernel.buffer<64x64xbf16>, %k: !kernel.buffer<?x64xbf16>) {
    kernel.return
  }
  kernel.func @many(%x: !kernel.buffer<?x64xf32>, %k: !kernel.buffer<?x64xbf16>, %y: !kernel.buffer<?x64xf32>) {
    kernel.return
  }
  func.func private @gathered(%x: !kernel.buffer<?x64xf32>, %w: !kernel.buffer<64x64xbf16>, %y: !kernel.buffer<?x64xf32>) {
    kernel.launch @few(%x, %w) outs(%y : !kernel.buffer<?x64xf32>) : (!kernel.buffer<?x64xf32>, !kernel.buffer<64x64xbf16>) -> ()
    func.return
  }
  func.func private @expanded(%x: !kernel.buffer<?x64xf32>, %w: !kernel.buffer<64x64xbf16>, %y: !kernel.buffer<?x64xf32>) {
    %k = program.buffer dim "keys" : !kernel.buffer<?x64xbf16>
    kernel.launch @expand(%w) outs(%k : !kernel.buffer<?x64xbf16>) : (!kernel.buffer<64x64xbf16>) -> ()
    program.branch <unmasked_keys> less <keys> {
      kernel.launch @many(%x, %k) outs(%y : !kernel.buffer<?x64xf32>) : (!kernel.buffer<?x64xf32>, !kernel.buffer<?x64xbf16>) -> ()
    } otherwise {
    }
    func.return
  }
  func.func @step(%x: !kernel.buffer<?x64xf32> {glm.name = "x"}) -> (!kernel.buffer<?x64xf32> {glm.name = "y"}) attributes {glm.entry} {
    %w = program.weight_ref @model.layers.0.self_attn.kv_b_proj.weight : !kernel.buffer<64x64xbf16>
    %y = program.buffer dim "rows" : !kernel.buffer<?x64xf32>
    func.call @layer(%x, %w, %y) : (!kernel.buffer<?x64xf32>, !kernel.buffer<64x64xbf16>, !kernel.buffer<?x64xf32>) -> ()
    func.return %y : !kernel.buffer<?x64xf32>
  }
}

// -----

// A module without entries keeps its kernels and gets nothing: there is no program to run.
// CHECK: kernel.func @alone
// CHECK-NOT: program.
kernel.func @alone(%x: !kernel.buffer<?x8xf32>) {
  kernel.return
}
