// RUN: glm-opt %s --glm-verify-model --split-input-file --verify-diagnostics

// Nobody decided on the precision.
// expected-error @+1 {{[GLM0401]: module: has no glm.precision; run glm-apply-precision first}}
module {}

// -----

// No target multiplies two types.
module attributes {glm.precision = "bf16"} {
  func.func private @layer(%x: tensor<?x64xf32>, %w: tensor<40x64xbf16>) -> tensor<?x40xf32> {
    // expected-error @+1 {{[GLM0401]: glm.linear: multiplies f32 by bf16; run glm-apply-precision on the module}}
    %y = glm.linear %x, %w : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }
}

// -----

// f64 is the interpreter's.
module attributes {glm.precision = "f32"} {
  func.func private @layer(%x: tensor<?x64xf64>, %w: tensor<40x64xf64>) -> tensor<?x40xf64> {
    // expected-error @+1 {{[GLM0401]: glm.linear: multiplies in f64; only f32 and bf16 are compiled}}
    %y = glm.linear %x, %w : tensor<?x64xf64>, tensor<40x64xf64> -> tensor<?x40xf64>
    return %y : tensor<?x40xf64>
  }
}

// -----

// A module is for its entries.
// expected-error @+1 {{[GLM0401]: module: has no function with glm.entry; mark what a session can run}}
module attributes {glm.precision = "f32"} {}

// -----

module attributes {glm.precision = "f32"} {
  // expected-error @+1 {{[GLM0401]: dense_full: is never called; remove it or mark it with glm.entry}}
  func.func private @dense_full(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
    return %x : tensor<?x64xf32>
  }
}

// -----

module attributes {glm.precision = "f32"} {
  func.func @layer(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
    // expected-error @+1 {{[GLM0401]: layer: calls itself; layers are called one after another}}
    %y = func.call @layer(%x) : (tensor<?x64xf32>) -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}

// -----

// Every port has a name.
module attributes {glm.precision = "f32"} {
  // expected-error @+1 {{[GLM0401]: step: result 0 has no glm.name; name every port of an entry}}
  func.func @step(%x: tensor<?x64xf32> {glm.name = "x"}) -> tensor<?x64xf32> attributes {glm.entry} {
    return %x : tensor<?x64xf32>
  }
}

// -----

module attributes {glm.precision = "f32"} {
  // expected-error @+1 {{[GLM0401]: step: argument 1 is called x as another; names of ports are unique}}
  func.func @step(%x: tensor<?x64xf32> {glm.name = "x"}, %y: tensor<?x64xf32> {glm.name = "x"})
      attributes {glm.entry} {
    return
  }
}

// -----

// The first layer owns an indexer.
module attributes {glm.precision = "f32"} {
  // expected-error @+1 {{[GLM0401]: step: takes a selection; its first layer must own an indexer}}
  func.func @step(%sel: !glm.selection<10> {glm.name = "selection"}) attributes {glm.entry} {
    return
  }
}
