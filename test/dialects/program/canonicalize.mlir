// RUN: glm-opt %s --canonicalize | FileCheck %s

// A packed reference is a reference to the packed form.
// CHECK-LABEL: @packs
func.func @packs() -> (!kernel.buffer<40x64xf32, #kernel.panels<16, 1>>, !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>>) {
  // CHECK-NOT: program.pack
  // CHECK-DAG: program.weight_ref @w : <40x64xf32, #kernel.panels<16, 1>>
  // CHECK-DAG: program.bank_ref @b : <2x36x64xbf16, #kernel.panels<64, 2>>
  %w = program.weight_ref @w : !kernel.buffer<40x64xbf16>
  %p = program.pack %w : !kernel.buffer<40x64xbf16> -> !kernel.buffer<40x64xf32, #kernel.panels<16, 1>>
  %b = program.bank_ref @b : !kernel.bank<2x36x64xbf16>
  %q = program.pack %b : !kernel.bank<2x36x64xbf16> -> !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>>
  return %p, %q : !kernel.buffer<40x64xf32, #kernel.panels<16, 1>>, !kernel.bank<2x36x64xbf16, #kernel.panels<64, 2>>
}

// The derivation goes along.
// CHECK-LABEL: @derives
func.func @derives() -> !kernel.buffer<4x24x20xbf16> {
  // CHECK: program.weight_ref @w derive <begin = 0, transposed = true> : <4x24x20xbf16>
  %w = program.weight_ref @w : !kernel.buffer<192x24xbf16>
  %p = program.pack %w derive <begin = 0, transposed = true> : !kernel.buffer<192x24xbf16> -> !kernel.buffer<4x24x20xbf16>
  return %p : !kernel.buffer<4x24x20xbf16>
}

// What is packed already is not packed again: the second layout would be of the wrong bytes.
// CHECK-LABEL: @not_twice
func.func @not_twice() -> !kernel.buffer<40x64xbf16> {
  // CHECK: program.pack
  %w = program.weight_ref @w : !kernel.buffer<40x64xbf16, #kernel.panels<16, 2>>
  %p = program.pack %w : !kernel.buffer<40x64xbf16, #kernel.panels<16, 2>> -> !kernel.buffer<40x64xbf16>
  return %p : !kernel.buffer<40x64xbf16>
}
