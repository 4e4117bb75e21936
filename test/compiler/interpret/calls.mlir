// RUN: glm-opt %s --glm-interpret -o /dev/null --verify-diagnostics

// Calls are followed; caches outlive them, in the order of the module. A function whose arguments have no value is
// only run where it is called.
glm.state @sum : !glm.cache<1xf32>

func.func private @push(%x: tensor<?x1xf32>, %cache: !glm.cache<1xf32>, %rows: !glm.rows) {
  glm.append %x, %cache, %rows : tensor<?x1xf32>, !glm.cache<1xf32>
  return
}

func.func @helper(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %0 = glm.add %x, %x : tensor<?x1xf32>
  return %0 : tensor<?x1xf32>
}

func.func @first(%x: tensor<?x1xf32> {glm.value = dense<[[1.0], [2.0]]> : tensor<2x1xf32>},
                 %rows: !glm.rows {glm.value = dense<[[0, 0, 0], [0, 0, 1]]> : tensor<2x3xi32>}) {
  %cache = glm.state_value @sum : !glm.cache<1xf32>
  func.call @push(%x, %cache, %rows) : (tensor<?x1xf32>, !glm.cache<1xf32>, !glm.rows) -> ()
  return
}

// expected-remark@+1 {{result 0 is [[[2], [2]]]}}
func.func @second(%x: tensor<?x1xf32> {glm.value = dense<[[1.0]]> : tensor<1x1xf32>},
                  %rows: !glm.rows {glm.value = dense<[[0, 0, 2]]> : tensor<1x3xi32>}) -> tensor<?x?x1xf32> {
  %cache = glm.state_value @sum : !glm.cache<1xf32>
  %0 = func.call @helper(%x) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  func.call @push(%0, %cache, %rows) : (tensor<?x1xf32>, !glm.cache<1xf32>, !glm.rows) -> ()
  %ids = arith.constant dense<[[1, 2]]> : tensor<1x2xi32>
  %sel = glm.selection_of_ids %ids : tensor<1x2xi32> -> !glm.selection<2>
  %1 = glm.gather %cache, %sel, %rows : !glm.cache<1xf32>, !glm.selection<2> -> tensor<?x?x1xf32>
  return %1 : tensor<?x?x1xf32>
}
