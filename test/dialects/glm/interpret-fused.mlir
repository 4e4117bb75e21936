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

// -----

// Every weight maps the rows it is given: as they are, or rounded (1.00390625 is 1 in bf16).
func.func @group() -> (tensor<1x1xf32> {glm.expected = dense<[[3.0]]> : tensor<1x1xf32>},
                       tensor<1x2xf32> {glm.expected = dense<[[1.00390625, 2.0]]> : tensor<1x2xf32>, glm.tolerance = 1.0e-6}) {
  %x = arith.constant dense<[[1.00390625, 2.0]]> : tensor<1x2xf32>
  %r = glm.cast %x : tensor<1x2xf32> -> tensor<1x2xbf16>
  %a = arith.constant dense<[[1.0, 1.0]]> : tensor<1x2xbf16>
  %b = arith.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %y, %z = glm.linear_group %r, %x by %a, %b
     : tensor<1x2xbf16>, tensor<1x2xf32> by tensor<1x2xbf16>, tensor<2x2xf32> -> tensor<1x1xf32>, tensor<1x2xf32>
  return %y, %z : tensor<1x1xf32>, tensor<1x2xf32>
}

// -----

// (3, 4) over its root mean square sqrt(12.5): (0.848528, 1.131371), times gains 1 and 2, then both weights.
func.func @norm() -> (tensor<1x1xf32> {glm.expected = dense<[[3.111270]]> : tensor<1x1xf32>, glm.tolerance = 1.0e-5},
                      tensor<1x1xf32> {glm.expected = dense<[[0.848528]]> : tensor<1x1xf32>, glm.tolerance = 1.0e-5}) {
  %x = arith.constant dense<[[3.0, 4.0]]> : tensor<1x2xf32>
  %g = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %a = arith.constant dense<[[1.0, 1.0]]> : tensor<1x2xf32>
  %b = arith.constant dense<[[1.0, 0.0]]> : tensor<1x2xf32>
  %y, %z = glm.norm_linear %x, %g eps 1.0e-09 by %a, %b
     : tensor<1x2xf32>, tensor<2xf32> by tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x1xf32>, tensor<1x1xf32>
  return %y, %z : tensor<1x1xf32>, tensor<1x1xf32>
}

// -----

// Logits 2, 0 and -1: experts 0 and 1, with sigmoids 0.880797 and 0.5 that are made one.
func.func @router() -> (tensor<?x2xi32> {glm.expected = dense<[[0, 1]]> : tensor<1x2xi32>},
                        tensor<?x2xf32> {glm.expected = dense<[[0.637890, 0.362110]]> : tensor<1x2xf32>, glm.tolerance = 1.0e-5}) {
  %x = arith.constant dense<[[2.0, 1.0]]> : tensor<1x2xf32>
  %w = arith.constant dense<[[1.0, 0.0], [0.0, 0.0], [0.0, -1.0]]> : tensor<3x2xf32>
  %b = arith.constant dense<0.0> : tensor<3xf32>
  %r = glm.router %x, %w, %b groups 1 kept 1 scale 1.0 normalize : tensor<1x2xf32>, tensor<3x2xf32>, tensor<3xf32> -> !glm.routing<3, 2>
  %ids = glm.routing_ids %r : !glm.routing<3, 2> -> tensor<?x2xi32>
  %weights = glm.routing_weights %r : !glm.routing<3, 2> -> tensor<?x2xf32>
  return %ids, %weights : tensor<?x2xi32>, tensor<?x2xf32>
}
