// RUN: glm-opt %s --glm-form-kernels | FileCheck %s
// RUN: glm-opt %s --glm-form-kernels='few-rows=4 route-rows=2' | FileCheck %s --check-prefix=OTHER

// Rows of different element types are written by one launch where there are many.
// CHECK-LABEL: func.func @norm
// OTHER-LABEL: func.func @norm
// CHECK: %[[Y:.*]]:2 = kernel.by_rows less 9 -> (tensor<?x80xf32>, tensor<?x8xf32>)
// CHECK-SAME: dim = "rows"
// OTHER: kernel.by_rows less 4
// CHECK: %[[F:.*]]:2 = kernel.group "norm_linear"
// CHECK: glm.norm_linear %arg0
// CHECK: kernel.yield %[[F]]#0, %[[F]]#1
// CHECK: } otherwise {
// CHECK: %[[R:.*]]:2 = kernel.group "rows" -> (tensor<?x40xbf16>, tensor<?x40xf32>)
// CHECK: glm.rms_norm %arg0
// CHECK: glm.cast
// CHECK: %[[M:.*]]:2 = kernel.group "linear_group"
// CHECK: glm.linear_group %[[R]]#0, %[[R]]#1 by %arg2, %arg3
// CHECK: kernel.yield %[[M]]#0, %[[M]]#1
// CHECK: return %[[Y]]#0, %[[Y]]#1
func.func @norm(%x: tensor<?x40xf32>, %g: tensor<40xbf16>, %a: tensor<80x40xbf16>, %b: tensor<8x40xf32>)
    -> (tensor<?x80xf32>, tensor<?x8xf32>) {
  %y:2 = glm.norm_linear %x, %g eps 1.0e-05 by %a, %b : tensor<?x40xf32>, tensor<40xbf16> by tensor<80x40xbf16>, tensor<8x40xf32> -> tensor<?x80xf32>, tensor<?x8xf32>
  return %y#0, %y#1 : tensor<?x80xf32>, tensor<?x8xf32>
}

// Choices are one launch for few rows, with their linear if it is theirs.
// CHECK-LABEL: func.func @routes
// OTHER-LABEL: func.func @routes
// CHECK: kernel.by_rows less 5 -> (!glm.routing<16, 4>)
// OTHER: kernel.by_rows less 2
// CHECK: kernel.group "router"
// CHECK: glm.route %arg0
// CHECK: otherwise
// CHECK: kernel.group "route"
// CHECK: kernel.by_rows less 5
// CHECK: kernel.group "router"
// CHECK: glm.router
// CHECK: otherwise
// CHECK: %[[L:.*]] = kernel.group "linear"
// CHECK: kernel.group "route"
// CHECK: glm.route %[[L]]
func.func @routes(%l: tensor<?x16xf32>, %x: tensor<?x64xf32>, %w: tensor<16x64xf32>, %b: tensor<16xf32>)
    -> (!glm.routing<16, 4>, !glm.routing<16, 4>) {
  %r = glm.route %l, %b groups 1 kept 1 scale 2.5 : tensor<?x16xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  %s = glm.router %x, %w, %b groups 1 kept 1 scale 2.5 : tensor<?x64xf32>, tensor<16x64xf32>, tensor<16xf32> -> !glm.routing<16, 4>
  return %r, %s : !glm.routing<16, 4>, !glm.routing<16, 4>
}
