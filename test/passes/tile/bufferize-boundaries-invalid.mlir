// RUN: glm-opt %s --glm-bufferize-boundaries --split-input-file --verify-diagnostics

// A result is written by a launch; handing an argument back would need a copy.
// expected-error @+1 {{[GLM0400]: func.func: returns an argument of its own; the tile phase copies no memory}}
func.func private @identity(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  return %x : tensor<?x64xf32>
}

// -----

// An op outside of kernels has no memory to work on.
func.func private @outside(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{[GLM0400]: glm.silu: is left outside of kernels; the tile phase copies no memory}}
  %0 = glm.silu %x : tensor<?x64xf32>
  return
}

// -----

// A routing is six memories, a port is one.
// expected-error @+4 {{[GLM0400]: func.return: returns a routing; return its ids and weights; the tile phase copies no memory}}
func.func @routing(%r: !glm.routing<12, 3> {glm.name = "routing"})
    -> (!glm.routing<12, 3> {glm.name = "same"}) attributes {glm.entry} {
  // What follows is refused.
  return %r : !glm.routing<12, 3>
}
