// RUN: glm-opt %s --glm-verify-model | FileCheck %s

// A module that keeps every rule passes unchanged.
// CHECK: func.func @step
module attributes {glm.precision = "bf16"} {
  func.func private @dense_full(%x: tensor<?x64xbf16>, %w: tensor<40x64xbf16>) -> tensor<?x40xf32> {
    %y = glm.linear %x, %w : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }
  func.func @step(%x: tensor<?x64xbf16> {glm.name = "x"}, %w: tensor<40x64xbf16> {glm.name = "w"})
      -> (tensor<?x40xf32> {glm.name = "logits"}) attributes {glm.entry} {
    %y = func.call @dense_full(%x, %w) : (tensor<?x64xbf16>, tensor<40x64xbf16>) -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }
}
