// RUN: glm-opt %s --glm-interpret -o /dev/null --verify-diagnostics --split-input-file
// RUN: glm-opt %s --glm-interpret=f64 -o /dev/null --verify-diagnostics --split-input-file

// silu(1) = 0.731059 and silu(-1) = -0.268941, times the other linear.
func.func @gated() -> (tensor<2x2xf32> {glm.expected = dense<[[1.462117, 2.924234], [0.537883, 1.075766]]> : tensor<2x2xf32>}) {
  %x = arith.constant dense<[[1.0, 2.0], [-1.0, -2.0]]> : tensor<2x2xf32>
  %gate = arith.constant dense<[[1.0, 0.0], [-1.0, 1.0]]> : tensor<2x2xf32>
  %up = arith.constant dense<[[0.0, 1.0], [2.0, 1.0]]> : tensor<2x2xf32>
  %y = glm.gated_linear %x, %gate, %up : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// Row 0 goes to experts 1 and 2, row 1 to 0 and 1: pairs (1, e0), (0, e1), (1, e1), (0, e2). Gates of 10 let all through.
func.func @experts()
    -> (tensor<?x1xf32> {glm.expected = dense<[[20.0], [20.0], [80.0], [30.0]]> : tensor<4x1xf32>, glm.tolerance = 1.0e-2}) {
  %x = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %l = arith.constant dense<[[-9.0, 0.0, 0.0], [0.0, 0.0, -9.0]]> : tensor<2x3xf32>
  %b = arith.constant dense<0.0> : tensor<3xf32>
  %gates = arith.constant dense<[[[10.0]], [[10.0]], [[10.0]]]> : tensor<3x1x1xf32>
  %ups = arith.constant dense<[[[0.5]], [[2.0]], [[3.0]]]> : tensor<3x1x1xf32>
  %r = glm.route %l, %b groups 1 kept 1 scale 1.0 : tensor<2x3xf32>, tensor<3xf32> -> !glm.routing<3, 2>
  %y = glm.expert_gated_linear %x, %gates, %ups, %r
     : tensor<2x1xf32>, tensor<3x1x1xf32>, tensor<3x1x1xf32>, !glm.routing<3, 2> -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}
