// RUN: glm-opt %s --glm-interpret -o /dev/null --verify-diagnostics --split-input-file
// RUN: glm-opt %s --glm-interpret=f64 -o /dev/null --verify-diagnostics --split-input-file

// The bias decides who is chosen and has no part in the weight. Sigmoids of the logits: 0.5, 0.731059, 0.880797, 0.5.
// expected-remark@+1 {{result 0 is [[0: 0.5, 2: 0.880797]]}}
func.func @bias() -> !glm.routing<4, 2> {
  %l = arith.constant dense<[[0.0, 1.0, 2.0, 0.0]]> : tensor<1x4xf32>
  %b = arith.constant dense<[0.5, 0.0, 0.0, 0.0]> : tensor<4xf32>
  %r = glm.route %l, %b groups 1 kept 1 scale 1.0 : tensor<1x4xf32>, tensor<4xf32> -> !glm.routing<4, 2>
  return %r : !glm.routing<4, 2>
}

// -----

// Normalised weights sum to the scale, without the bias; equal values go to the lower id.
func.func @normalize() -> (tensor<?x2xi32> {glm.expected = dense<[[0, 1]]> : tensor<1x2xi32>},
                           tensor<?x2xf32> {glm.expected = dense<[[1.25, 1.25]]> : tensor<1x2xf32>}) {
  %l = arith.constant dense<[[1.0, 1.0, 1.0, 1.0]]> : tensor<1x4xf32>
  %b = arith.constant dense<[0.5, 0.0, 0.0, 0.0]> : tensor<4xf32>
  %r = glm.route %l, %b groups 1 kept 1 scale 2.5 normalize : tensor<1x4xf32>, tensor<4xf32> -> !glm.routing<4, 2>
  %ids = glm.routing_ids %r : !glm.routing<4, 2> -> tensor<?x2xi32>
  %w = glm.routing_weights %r : !glm.routing<4, 2> -> tensor<?x2xf32>
  return %ids, %w : tensor<?x2xi32>, tensor<?x2xf32>
}

// -----

// A group is as good as its two best experts: {3, 0} loses to {2, 2} although it has the best of all. What is dropped
// stays dropped where all kept values are negative.
func.func @groups() -> (tensor<?x2xi32> {glm.expected = dense<[[2, 3]]> : tensor<1x2xi32>}) {
  %l = arith.constant dense<[[3.0, 0.0, 2.0, 2.0]]> : tensor<1x4xf32>
  %b = arith.constant dense<-2.0> : tensor<4xf32>
  %r = glm.route %l, %b groups 2 kept 1 scale 1.0 : tensor<1x4xf32>, tensor<4xf32> -> !glm.routing<4, 2>
  %ids = glm.routing_ids %r : !glm.routing<4, 2> -> tensor<?x2xi32>
  return %ids : tensor<?x2xi32>
}

// -----

// Groups of one expert count that one.
func.func @single_groups() -> (tensor<?x1xi32> {glm.expected = dense<[[2]]> : tensor<1x1xi32>}) {
  %l = arith.constant dense<[[3.0, 0.0, 4.0, 2.0]]> : tensor<1x4xf32>
  %b = arith.constant dense<0.0> : tensor<4xf32>
  %r = glm.route %l, %b groups 4 kept 1 scale 1.0 : tensor<1x4xf32>, tensor<4xf32> -> !glm.routing<4, 1>
  %ids = glm.routing_ids %r : !glm.routing<4, 1> -> tensor<?x1xi32>
  return %ids : tensor<?x1xi32>
}

// -----

// Row 0 goes to experts 1 and 2, row 1 to 0 and 1. Dispatched by expert, then row; each expert multiplies with its own
// matrix; each row gets its own back, weighted.
func.func @experts()
    -> (tensor<?x1xf32> {glm.expected = dense<[[20.0], [10.0], [20.0], [10.0]]> : tensor<4x1xf32>},
        tensor<?x2xf32> {glm.expected = dense<[[20.0, 0.0], [20.0, 10.0], [40.0, 20.0], [30.0, 50.0]]> : tensor<4x2xf32>},
        tensor<?x2xf32> {glm.expected = dense<[[25.0, 30.0], [30.0, 10.0]]> : tensor<2x2xf32>}) {
  %x = arith.constant dense<[[10.0], [20.0]]> : tensor<2x1xf32>
  %l = arith.constant dense<[[-9.0, 0.0, 0.0], [0.0, 0.0, -9.0]]> : tensor<2x3xf32>
  %b = arith.constant dense<0.0> : tensor<3xf32>
  %bank = arith.constant dense<[[[1.0], [0.0]], [[2.0], [1.0]], [[3.0], [5.0]]]> : tensor<3x2x1xbf16>
  %r = glm.route %l, %b groups 1 kept 1 scale 1.0 normalize : tensor<2x3xf32>, tensor<3xf32> -> !glm.routing<3, 2>
  %d = glm.dispatch %x, %r : tensor<2x1xf32>, !glm.routing<3, 2> -> tensor<?x1xf32>
  %e = glm.expert_linear %d, %bank, %r : tensor<?x1xf32>, tensor<3x2x1xbf16>, !glm.routing<3, 2> -> tensor<?x2xf32>
  %y = glm.combine %e, %r : tensor<?x2xf32>, !glm.routing<3, 2> -> tensor<?x2xf32>
  return %d, %e, %y : tensor<?x1xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
