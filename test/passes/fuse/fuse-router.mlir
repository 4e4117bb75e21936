// RUN: glm-opt %s --glm-fuse-router --split-input-file --verify-diagnostics | FileCheck %s

// A matrix of 4 KiB is read by one worker before all could have met twice.
// CHECK-LABEL: func.func @small
// CHECK-NEXT: %[[R:.*]] = glm.router %arg0, %arg1, %arg2 groups 4 kept 2 scale 2.500000e+00 normalize : tensor<?x64xf32>, tensor<16x64xf32>, tensor<16xf32> -> !glm.routing<16, 4>
// CHECK-NEXT: return %[[R]]
func.func @small(%x: tensor<?x64xf32>, %w: tensor<16x64xf32>, %b: tensor<16xf32>) -> !glm.routing<16, 4> {
  %l = glm.linear %x, %w : tensor<?x64xf32>, tensor<16x64xf32> -> tensor<?x16xf32>
  // expected-remark @+1 {{glm-fuse-router: fused into one router}}
  %r = glm.route %l, %b groups 4 kept 2 scale 2.5 normalize : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return %r : !glm.routing<16, 4>
}

// -----

// The router of GLM-5: one worker would read what all of them read together.
// CHECK-LABEL: func.func @large
// CHECK-NOT: glm.router
func.func @large(%x: tensor<?x6144xf32>, %w: tensor<256x6144xf32>, %b: tensor<256xf32>) -> !glm.routing<256, 8> {
  %l = glm.linear %x, %w : tensor<?x6144xf32>, tensor<256x6144xf32> -> tensor<?x256xf32>
  // expected-remark @+1 {{glm-fuse-router: kept apart: its matrix of 6291456 bytes is read by all workers}}
  %r = glm.route %l, %b groups 1 kept 1 scale 2.5 normalize : tensor<?x256xf32>, tensor<256xf32> -> !glm.routing<256, 8>
  return %r : !glm.routing<256, 8>
}

// -----

// Logits that somebody keeps have to be written.
// CHECK-LABEL: func.func @kept
// CHECK-NOT: glm.router
func.func @kept(%x: tensor<?x64xf32>, %w: tensor<16x64xf32>, %b: tensor<16xf32>)
    -> (!glm.routing<16, 4>, tensor<?x16xf32>) {
  %l = glm.linear %x, %w : tensor<?x64xf32>, tensor<16x64xf32> -> tensor<?x16xf32>
  // expected-remark @+1 {{glm-fuse-router: kept apart: its logits are read by others too}}
  %r = glm.route %l, %b groups 1 kept 1 scale 2.5 : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return %r, %l : !glm.routing<16, 4>, tensor<?x16xf32>
}

// -----

// Logits that come from elsewhere, or from a matrix of another type than the rows.
// CHECK-LABEL: func.func @foreign
// CHECK-NOT: glm.router
func.func @foreign(%l: tensor<?x16xf32>, %x: tensor<?x64xf32>, %w: tensor<16x64xbf16>, %b: tensor<16xf32>)
    -> (!glm.routing<16, 4>, !glm.routing<16, 4>) {
  // expected-remark @+1 {{glm-fuse-router: kept apart: its logits are not computed beside it}}
  %r = glm.route %l, %b groups 1 kept 1 scale 2.5 : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  %m = glm.linear %x, %w : tensor<?x64xf32>, tensor<16x64xbf16> -> tensor<?x16xf32>
  // expected-remark @+1 {{glm-fuse-router: kept apart: the element types of its rows and its matrix differ}}
  %q = glm.route %m, %b groups 1 kept 1 scale 2.5 : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return %r, %q : !glm.routing<16, 4>, !glm.routing<16, 4>
}
