// RUN: not glm-opt %s "--glm-apply-recipe=rules=*:int8,*.up_proj.weight:int4" 2>&1 | FileCheck %s --check-prefix=SHADOWED
// RUN: not glm-opt %s "--glm-apply-recipe=rules=*.gate.weight:int8" 2>&1 | FileCheck %s --check-prefix=UNMATCHED
// RUN: not glm-opt %s "--glm-apply-recipe=rules=*:int3" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not glm-opt %s "--glm-apply-recipe=rules=*:int4/12" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not glm-opt %s "--glm-apply-recipe=rules=*:int8-zeros" 2>&1 | FileCheck %s --check-prefix=FORMAT

// A rule that earlier rules leave nothing, one that names what stays as it is, and what is no format.
// SHADOWED: recipe: *.up_proj.weight:int4: never applies: earlier rules match all its weights
// UNMATCHED: recipe: *.gate.weight:int8: matches no weight of a linear; norms, embeddings, head, router
// FORMAT: has no format this version knows
module {
  glm.weight @up_proj.weight : tensor<40x64xbf16> from "f" at 0
  glm.weight @model.up_proj.weight : tensor<40x64xbf16> from "f" at 0
  glm.weight @model.gate.weight : tensor<4x64xbf16> from "f" at 0
  func.func private @moe(%x: tensor<?x64xf32>, %u: tensor<40x64xbf16>, %g: tensor<4x64xbf16>, %b: tensor<4xf32>)
      -> (tensor<?x40xf32>, !glm.routing<4, 2>) {
    %0 = glm.linear %x, %u : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
    %l = glm.linear %x, %g : tensor<?x64xf32>, tensor<4x64xbf16> -> tensor<?x4xf32>
    %r = glm.route %l, %b groups 1 kept 1 scale 1.0 : tensor<?x4xf32>, tensor<4xf32> -> !glm.routing<4, 2>
    return %0, %r : tensor<?x40xf32>, !glm.routing<4, 2>
  }
  func.func @step(%x: tensor<?x64xf32>, %b: tensor<4xf32>) attributes {glm.entry} {
    %u = glm.weight_value @model.up_proj.weight : tensor<40x64xbf16>
    %g = glm.weight_value @model.gate.weight : tensor<4x64xbf16>
    %0:2 = call @moe(%x, %u, %g, %b) : (tensor<?x64xf32>, tensor<40x64xbf16>, tensor<4x64xbf16>, tensor<4xf32>) -> (tensor<?x40xf32>, !glm.routing<4, 2>)
    return
  }
}
