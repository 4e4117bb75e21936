// RUN: glm-opt %s --glm-verify-ledger | FileCheck %s

// A weight is read through the layer function it is passed to; a waived tensor needs no declaration.
// CHECK: module attributes
module attributes {glm.checkpoint = {waived = [["model.layers.4.embed_tokens.weight", "a copy"]]}} {
  glm.weight @norm : tensor<64xbf16> from "a.safetensors" at 0
  glm.weight @q : tensor<40x64xbf16> from "a.safetensors" at 128

  func.func private @layer(%x: tensor<?x64xf32>, %w: tensor<40x64xbf16>) -> tensor<?x40xf32> {
    %y = glm.linear %x, %w : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }
  func.func @step(%x: tensor<?x64xf32>) -> tensor<?x40xf32> attributes {glm.entry} {
    %g = glm.weight_value @norm : tensor<64xbf16>
    %w = glm.weight_value @q : tensor<40x64xbf16>
    %0 = glm.rms_norm %x, %g eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
    %1 = func.call @layer(%0, %w) : (tensor<?x64xf32>, tensor<40x64xbf16>) -> tensor<?x40xf32>
    return %1 : tensor<?x40xf32>
  }
}
