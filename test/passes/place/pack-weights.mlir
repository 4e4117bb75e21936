// RUN: glm-opt %s --glm-pack-weights --split-input-file | FileCheck %s

// Order of first use, not of the checkpoint; slabs on whole pages; two forms of one tensor are two weights with a name each, and a
// derived one says how; what only one entry uses lies behind the rest.

glm.weight @a : tensor<40x64xbf16> from "f.safetensors" at 100
glm.weight @b : tensor<64xbf16> from "f.safetensors" at 5220
glm.weight @c : tensor<8x4xbf16> from "f.safetensors" at 5348
glm.weight @unused : tensor<64xbf16> from "f.safetensors" at 6000
glm.bank @experts : tensor<2x36x64xbf16> tensors "e.{}.w" from ["g.safetensors"] [0, 0] at [8192, 12800]
glm.state @latent : !glm.cache<36xbf16>

// CHECK-NOT: glm.
// CHECK: program.segment @weights weights align 2097152 size 25600 on @host
// CHECK-NEXT: program.group @group0 for []
// CHECK-NEXT: program.weight @b : !kernel.buffer<64xbf16> in @weights at 0 size 128 group @group0 from "b" tensor<64xbf16> file "f.safetensors" position 5220
// CHECK-NEXT: program.group @group1 for [@step]
// CHECK-NEXT: program.weight @"c|heads1t,rows,bf16" : !kernel.buffer<2x4x2xbf16> in @weights at 128 size 32 group @group1 from "c" tensor<8x4xbf16> file "f.safetensors" position 5348 derive <begin = 1, transposed = true>
// CHECK-NEXT: program.weight @"c|rows,f32" : !kernel.buffer<8x4xf32> in @weights at 192 size 128
// CHECK-NEXT: program.bank @experts : !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>> in @weights at [4096, 12288] slab 8192 group @group1 from "e.{}.w" tensor<2x36x64xbf16> files ["g.safetensors"] [0, 0] positions [8192, 12800]
// CHECK-NEXT: program.group @group2 for [@draft]
// CHECK-NEXT: program.weight @a : !kernel.buffer<40x64xbf16> in @weights at 20480 size 5120
// CHECK-NEXT: program.state @latent : !kernel.cache<36xbf16, #kernel.lines<16>> page_rows 1024 on @host
// CHECK: program.weight_ref @"c|heads1t,rows,bf16" : <2x4x2xbf16>
program.entry @step {
  %b = program.weight_ref @b : !kernel.buffer<64xbf16>
  %u = program.weight_ref @c derive <begin = 1, transposed = true> : !kernel.buffer<2x4x2xbf16>
  %c = program.weight_ref @c : !kernel.buffer<8x4xf32>
  %e = program.bank_ref @experts : !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>>
  %s = program.state_ref @latent : !kernel.cache<36xbf16, #kernel.lines<16>>
}
program.entry @draft {
  %b = program.weight_ref @b : !kernel.buffer<64xbf16>
  %a = program.weight_ref @a : !kernel.buffer<40x64xbf16>
}
