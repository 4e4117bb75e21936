// RUN: glm-opt %s --glm-verify-ledger --split-input-file --verify-diagnostics

// A tensor of the checkpoint that nobody reads would be lost in silence.
module {
  // expected-error @+1 {{[GLM0305]: norm: is declared, but no entry reads it; use it, or waive it in glm.checkpoint}}
  glm.weight @norm : tensor<64xbf16> from "a.safetensors" at 0
}

// -----

// Passing a weight to a layer that ignores it does not read it.
module {
  // expected-error @+1 {{[GLM0305]: q: is declared, but no entry reads it; use it, or waive it in glm.checkpoint}}
  glm.weight @q : tensor<40x64xbf16> from "a.safetensors" at 0
  func.func private @layer(%x: tensor<?x64xf32>, %w: tensor<40x64xbf16>) -> tensor<?x64xf32> {
    return %x : tensor<?x64xf32>
  }
  func.func @step(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {glm.entry} {
    %w = glm.weight_value @q : tensor<40x64xbf16>
    %0 = func.call @layer(%x, %w) : (tensor<?x64xf32>, tensor<40x64xbf16>) -> tensor<?x64xf32>
    return %0 : tensor<?x64xf32>
  }
}

// -----

// A tensor has one fate.
module attributes {glm.checkpoint = {waived = [["norm", "unused"]]}} {
  // expected-error @+1 {{[GLM0305]: norm: is declared and waived; do one of the two}}
  glm.weight @norm : tensor<64xbf16> from "a.safetensors" at 0
  func.func @step(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {glm.entry} {
    %g = glm.weight_value @norm : tensor<64xbf16>
    %0 = glm.rms_norm %x, %g eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
    return %0 : tensor<?x64xf32>
  }
}
