// RUN: glm-opt %s --glm-place-pipeline='max-rows=256 max-context=4096' | FileCheck %s

// A model of one layer goes through the whole phase: what is left is what the runtime executes, and it verifies.

module attributes {
  glm.model = {context = 8192 : i64},
  kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576,
                                   l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>
} {
  glm.weight @model.embed_tokens.weight : tensor<128x64xbf16> from "a.safetensors" at 128
  glm.weight @model.layers.0.mlp.up_proj.weight : tensor<40x64xbf16> from "a.safetensors" at 16512

  // CHECK: program.device @host cpu "cpu"
  // CHECK: program.dim @max_rows session max 256
  // CHECK: program.dim @context session max 4096
  // CHECK: program.dim @rows step max 256 bound @max_rows
  // CHECK: program.segment @weights weights align 2097152 size 24576 on @host
  // CHECK: program.weight @model.embed_tokens.weight : !kernel.buffer<128x64xbf16> in @weights at 0 size 16384
  // CHECK: program.weight @model.layers.0.mlp.up_proj.weight : !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>> in @weights at 16384 size 8192

  kernel.func @embed(%table: !kernel.buffer<128x64xbf16>, %rows: !kernel.buffer<?x4xi32>, %y: !kernel.buffer<?x64xbf16>) {
    %c0 = arith.constant 0 : index
    %n = kernel.dim %rows, 0 : !kernel.buffer<?x4xi32>
    kernel.parallel (%i) to (%n) step [1] {
      %token = kernel.load_scalar %rows[%i, %c0] : !kernel.buffer<?x4xi32> -> i32
      %row = arith.index_cast %token : i32 to index
      %t = kernel.load_tile %table[%row, %c0] : !kernel.buffer<128x64xbf16> -> !kernel.tile<1x64xbf16>
      kernel.store_tile %t, %y[%i, %c0] : !kernel.tile<1x64xbf16>, !kernel.buffer<?x64xbf16>
    }
    kernel.return
  }
  kernel.func @linear(%x: !kernel.buffer<?x64xbf16>, %w: !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>, %y: !kernel.buffer<?x40xf32>) {
    %c0 = arith.constant 0 : index
    %c40 = arith.constant 40 : index
    %zero = arith.constant 0.0 : f32
    %n = kernel.dim %x, 0 : !kernel.buffer<?x64xbf16>
    kernel.parallel (%j, %i) to (%c40, %n) step [64, 6] {
      %c = kernel.splat %zero : f32 -> !kernel.tile<6x64xf32>
      %a = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x64xbf16> -> !kernel.tile<6x64xbf16>
      %b = kernel.load_tile %w[%j, %c0] : !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>> -> !kernel.tile<64x64xbf16>
      %d = kernel.mma %a, %b, %c : !kernel.tile<6x64xbf16>, !kernel.tile<64x64xbf16>, !kernel.tile<6x64xf32>
      kernel.store_tile %d, %y[%i, %j] : !kernel.tile<6x64xf32>, !kernel.buffer<?x40xf32>
    }
    kernel.return
  }

  func.func private @layer(%h: !kernel.buffer<?x64xbf16>, %w: !kernel.buffer<40x64xbf16>, %y: !kernel.buffer<?x40xf32>) {
    %p = program.pack %w : !kernel.buffer<40x64xbf16> -> !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>
    kernel.launch @linear(%h, %p) outs(%y : !kernel.buffer<?x40xf32>) : (!kernel.buffer<?x64xbf16>, !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>) -> ()
    func.return
  }

  // CHECK: program.entry @step arena <max_rows * 320> scratch <0>
  // CHECK: program.port input "rows"
  // CHECK: program.port output "out"
  // CHECK: program.launch @embed({{.*}}) label "model.embed_tokens" on @host
  // CHECK-NEXT: program.barrier @host
  // CHECK-NEXT: program.launch @linear({{.*}}) label "model.layers.0.mlp.up_proj" on @host
  // CHECK-NOT: func.func
  func.func @step(%rows: !kernel.buffer<?x4xi32> {glm.name = "rows"}) -> (!kernel.buffer<?x40xf32> {glm.name = "out"}) attributes {glm.entry} {
    %table = program.weight_ref @model.embed_tokens.weight : !kernel.buffer<128x64xbf16>
    %h = program.buffer dim "rows" : !kernel.buffer<?x64xbf16>
    kernel.launch @embed(%table, %rows) outs(%h : !kernel.buffer<?x64xbf16>) : (!kernel.buffer<128x64xbf16>, !kernel.buffer<?x4xi32>) -> ()
    %w = program.weight_ref @model.layers.0.mlp.up_proj.weight : !kernel.buffer<40x64xbf16>
    %y = program.buffer dim "rows" : !kernel.buffer<?x40xf32>
    func.call @layer(%h, %w, %y) : (!kernel.buffer<?x64xbf16>, !kernel.buffer<40x64xbf16>, !kernel.buffer<?x40xf32>) -> ()
    func.return %y : !kernel.buffer<?x40xf32>
  }
}
