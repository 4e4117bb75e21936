// RUN: glm-opt %s --glm-inline-layers --verify-diagnostics --split-input-file

// Arithmetic has no place in a function on memory.
func.func @step() attributes {glm.entry} {
  // expected-error @below {{'arith.constant' op cannot be placed: a function on memory holds launches, calls, branches and memory only}}
  %0 = arith.constant 0 : index
  func.return
}

// -----

func.func private @elsewhere()
func.func @step() attributes {glm.entry} {
  // expected-error @below {{'func.call' op calls @elsewhere, which has no body to inline}}
  func.call @elsewhere() : () -> ()
  func.return
}

// -----

// A launch on values has not been through bufferize-boundaries.
kernel.func @k(%y: !kernel.buffer<8xf32>) {
  kernel.return
}
func.func @step() attributes {glm.entry} {
  // expected-error @below {{'kernel.launch' op still returns values; bufferize-boundaries comes before inline-layers}}
  %0 = kernel.launch @k() : () -> tensor<8xf32>
  func.return
}

// -----

// Only weights of the module can be packed.
func.func @step(%x: !kernel.buffer<8x8xf32>) attributes {glm.entry} {
  // expected-error @below {{'program.pack' op packs something that is no plain weight or bank of the module}}
  %0 = program.pack %x : !kernel.buffer<8x8xf32> -> !kernel.buffer<8x8xf32, #kernel.panels<16, 1>>
  func.return
}
