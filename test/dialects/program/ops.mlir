// RUN: glm-opt %s --verify-roundtrip | FileCheck %s
// RUN: glm-opt %s | glm-opt | FileCheck %s

// Every op of the dialect, printed as it was written.

// CHECK: program.device @host cpu "znver4" needs ["avx512f", "avx512bf16"] description "{}"
program.device @host cpu "znver4" needs ["avx512f", "avx512bf16"] description "{}"
// CHECK: program.device @card npu_sim "910b2" needs [] description ""
program.device @card npu_sim "910b2" needs [] description ""
// CHECK: program.dim @max_rows session max 2048
program.dim @max_rows session max 2048
// CHECK: program.dim @rows step max 2048 bound @max_rows
program.dim @rows step max 2048 bound @max_rows
// CHECK: program.dim @width fixed max 64
program.dim @width fixed max 64
// CHECK: program.dim @expanded_keys session max 202752 min 0 preset 8192
program.dim @expanded_keys session max 202752 min 0 preset 8192
// CHECK: program.dim @keys step max 202752 bound @expanded_keys
program.dim @keys step max 202752 bound @expanded_keys
// CHECK: program.segment @code code align 4096 on @host
program.segment @code code align 4096 on @host
// CHECK: program.segment @weights weights align 2097152 size 167936 on @host
program.segment @weights weights align 2097152 size 167936 on @host
// CHECK: program.group @only_draft for [@draft_entry]
program.group @only_draft for [@draft_entry]
// CHECK: program.weight @gain : !kernel.buffer<64xbf16> in @weights at 0 size 128 group @only_draft from "gain" tensor<64xbf16> file "a.safetensors" position 8
program.weight @gain : !kernel.buffer<64xbf16> in @weights at 0 size 128 group @only_draft
  from "gain" tensor<64xbf16> file "a.safetensors" position 8
// CHECK: program.weight @uk : !kernel.buffer<4x24x20xbf16, #kernel.panels<32, 2>> in @weights at 128 size 5120 group @only_draft from "kv_b" tensor<192x24xbf16> file "a.safetensors" position 8 derive <begin = 0, transposed = true>
program.weight @uk : !kernel.buffer<4x24x20xbf16, #kernel.panels<32, 2>> in @weights at 128 size 5120 group @only_draft
  from "kv_b" tensor<192x24xbf16> file "a.safetensors" position 8 derive <begin = 0, transposed = true>
// CHECK: program.bank @up : !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>> in @weights at [8192, 16384] slab 8192 group @only_draft from "experts.{}.up" tensor<2x36x64xbf16> files ["a.safetensors"] [0, 0] positions [8192, 12800]
program.bank @up : !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>> in @weights at [8192, 16384] slab 8192 group @only_draft
  from "experts.{}.up" tensor<2x36x64xbf16> files ["a.safetensors"] [0, 0] positions [8192, 12800]
// CHECK: program.state @index : !kernel.cache<32xbf16, #kernel.lines<16>> page_rows 1024 on @host
program.state @index : !kernel.cache<32xbf16, #kernel.lines<16>> page_rows 1024 on @host
// CHECK: program.kernel @linear in @code entry 4160 scratch <max(64, max_rows * 4)>
program.kernel @linear in @code entry 4160 scratch <max(64, max_rows * 4)>
// CHECK: program.level @level0 "znver4" needs ["avx512f"] description "{}" in @code entries [8256] scratch [64]
program.level @level0 "znver4" needs ["avx512f"] description "{}" in @code entries [8256] scratch [64]
// CHECK: program.communication @ranks ranks 2
program.communication @ranks ranks 2

// CHECK: program.entry @draft_entry arena <align(max_rows * 256, 64) + 128> scratch <0> {
program.entry @draft_entry arena <align(max_rows * 256, 64) + 128> scratch <0> {
  // CHECK: %[[H:.*]] = program.buffer dim "rows" at <128> size <max_rows * 256> : <?x64xf32>
  %h = program.buffer dim "rows" at <128> size <max_rows * 256> : !kernel.buffer<?x64xf32>
  // CHECK: %[[A:.*]] = program.buffer at <0> size <128> : <13xi32>
  %a = program.buffer at <0> size <128> : !kernel.buffer<13xi32>
  // CHECK: %[[W:.*]] = program.weight_ref @gain : <64xbf16>
  %w = program.weight_ref @gain : !kernel.buffer<64xbf16>
  // CHECK: %[[B:.*]] = program.bank_ref @up : <2x36x64xbf16, #kernel.panels<64, 2>>
  %b = program.bank_ref @up : !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>>
  // CHECK: %[[S:.*]] = program.state_ref @index : <32xbf16, #kernel.lines<16>>
  %s = program.state_ref @index : !kernel.cache<32xbf16, #kernel.lines<16>>
  // CHECK: program.port input "hidden" %[[H]] : <?x64xf32>
  program.port input "hidden" %h : !kernel.buffer<?x64xf32>
  // CHECK: program.port output "hidden" %[[H]]
  program.port output "hidden" %h : !kernel.buffer<?x64xf32>
  // CHECK: program.launch @linear(%[[H]], %[[W]], %[[S]]) label "model.norm" on @host : !kernel.buffer<?x64xf32>, !kernel.buffer<64xbf16>, !kernel.cache<32xbf16, #kernel.lines<16>>
  program.launch @linear(%h, %w, %s) label "model.norm" on @host
    : !kernel.buffer<?x64xf32>, !kernel.buffer<64xbf16>, !kernel.cache<32xbf16, #kernel.lines<16>>
  // CHECK: program.barrier @host
  program.barrier @host
  // CHECK: program.require %[[B]] for %[[A]]
  program.require %b for %a : !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>>, !kernel.buffer<13xi32>
  // CHECK: program.copy %[[H]] to %[[H]] bytes <rows * 256> from @host to @card
  program.copy %h to %h bytes <rows * 256> from @host to @card : !kernel.buffer<?x64xf32>, !kernel.buffer<?x64xf32>
  // CHECK: program.signal 0 on @host
  program.signal 0 on @host
  // CHECK: program.wait 0 on @card
  program.wait 0 on @card
  // CHECK: program.collective 0 %[[H]] to %[[H]] count <rows * 64> among @ranks
  program.collective 0 %h to %h count <rows * 64> among @ranks : !kernel.buffer<?x64xf32>, !kernel.buffer<?x64xf32>
  // CHECK: program.branch <keys> less <expanded_keys + 1> {
  // CHECK:   program.launch @linear(%[[H]]) label "" flop <rows * 2> bytes <64> on @host
  // CHECK:   program.branch <rows> less <16> {
  // CHECK:     program.barrier @host
  // CHECK:   } otherwise {
  // CHECK:   }
  // CHECK: } otherwise {
  // CHECK: }
  program.branch <keys> less <expanded_keys + 1> {
    program.launch @linear(%h) label "" flop <rows * 2> bytes <64> on @host : !kernel.buffer<?x64xf32>
    program.branch <rows> less <16> {
      program.barrier @host
    } otherwise {
    }
  } otherwise {
  }
}

// What functions hold before the place phase.
// CHECK: func.func private @layer
func.func private @layer(%w: !kernel.buffer<192x24xbf16>, %b: !kernel.bank<2x36x64xbf16>) {
  // CHECK: program.pack %{{.*}} derive <begin = 20, transposed = false> : {{.*}}192x24xbf16> -> {{.*}}4x28x24xbf16, #kernel.panels<32, 2>>
  %p = program.pack %w derive <begin = 20, transposed = false>
    : !kernel.buffer<192x24xbf16> -> !kernel.buffer<4x28x24xbf16, #kernel.panels<32, 2>>
  %q = program.pack %b : !kernel.bank<2x36x64xbf16> -> !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>>
  // CHECK: program.buffer dim "rows" : <?x64xf32>
  %h = program.buffer dim "rows" : !kernel.buffer<?x64xf32>
  // CHECK: program.branch <keys> less <1> {
  // CHECK:   func.call @gathered(%[[M:.*]]) : (!kernel.buffer<?x64xf32>) -> ()
  // CHECK: } otherwise {
  // CHECK:   %[[K:.*]] = program.buffer dim "keys" : <?x64xbf16>
  // CHECK:   func.call @expanded(%[[M]], %[[K]])
  // CHECK: }
  program.branch <keys> less <1> {
    func.call @gathered(%h) : (!kernel.buffer<?x64xf32>) -> ()
  } otherwise {
    %k = program.buffer dim "keys" : !kernel.buffer<?x64xbf16>
    func.call @expanded(%h, %k) : (!kernel.buffer<?x64xf32>, !kernel.buffer<?x64xbf16>) -> ()
  }
  return
}
func.func private @gathered(!kernel.buffer<?x64xf32>)
func.func private @expanded(!kernel.buffer<?x64xf32>, !kernel.buffer<?x64xbf16>)
