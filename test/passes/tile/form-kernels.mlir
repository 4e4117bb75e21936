// RUN: glm-opt %s --glm-form-kernels | FileCheck %s

// Row-wise ops between two products are one kernel, whether they depend on each other or not, and the
// append stands in it before anything reads the cache.
// CHECK-LABEL: func.func @between
// CHECK: %[[KV:.*]] = kernel.group "linear"
// CHECK: %[[Q:.*]] = kernel.group "linear"
// CHECK: %[[QN:.*]] = kernel.group "rows" -> (tensor<?x40xf32>)
// CHECK-SAME: dim = "rows"
// CHECK-DAG: glm.slice %[[KV]] begin 0
// CHECK-DAG: glm.append
// CHECK-DAG: glm.rms_norm %[[Q]]
// CHECK: kernel.yield
// CHECK: %[[Y:.*]] = kernel.group "linear"
// CHECK: glm.linear %[[QN]]
func.func @between(%x: tensor<?x64xf32>, %wq: tensor<40x64xf32>, %wkv: tensor<36x64xf32>,
                   %wo: tensor<64x40xf32>, %g: tensor<40xbf16>, %cache: !glm.cache<24xf32>,
                   %rows: !glm.rows) -> tensor<?x64xf32> {
  %kv = glm.linear %x, %wkv : tensor<?x64xf32>, tensor<36x64xf32> -> tensor<?x36xf32>
  %c = glm.slice %kv begin 0 : tensor<?x36xf32> -> tensor<?x24xf32>
  glm.append %c, %cache, %rows : tensor<?x24xf32>, !glm.cache<24xf32>
  %q = glm.linear %x, %wq : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  %n = glm.rms_norm %q, %g eps 1.0e-05 : tensor<?x40xf32>, tensor<40xbf16> -> tensor<?x40xf32>
  %y = glm.linear %n, %wo : tensor<?x40xf32>, tensor<64x40xf32> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// A cast of a product's only result is part of it, also across a change of shape, which stays outside.
// CHECK-LABEL: func.func @rounded
// CHECK: %[[H:.*]] = kernel.group "head_linear" -> (tensor<?x4x28xbf16>)
// CHECK: glm.head_linear
// CHECK: glm.cast
// CHECK: kernel.yield
// CHECK: %[[M:.*]] = glm.merge_heads %[[H]]
// CHECK: glm.linear %[[M]]
func.func @rounded(%x: tensor<?x4x24xbf16>, %w: tensor<4x28x24xbf16>, %o: tensor<64x112xbf16>)
    -> tensor<?x64xf32> {
  %h = glm.head_linear %x, %w : tensor<?x4x24xbf16>, tensor<4x28x24xbf16> -> tensor<?x4x28xf32>
  %m = glm.merge_heads %h : tensor<?x4x28xf32> -> tensor<?x112xf32>
  %c = glm.cast %m : tensor<?x112xf32> -> tensor<?x112xbf16>
  %y = glm.linear %c, %o : tensor<?x112xbf16>, tensor<64x112xbf16> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// A result that is needed unrounded too is rounded by a row-wise kernel.
// CHECK-LABEL: func.func @both
// CHECK: kernel.group "linear" -> (tensor<?x40xf32>)
// CHECK: kernel.group "rows" -> (tensor<?x40xbf16>)
func.func @both(%x: tensor<?x64xbf16>, %w: tensor<40x64xbf16>) -> (tensor<?x40xf32>, tensor<?x40xbf16>) {
  %y = glm.linear %x, %w : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  %c = glm.cast %y : tensor<?x40xf32> -> tensor<?x40xbf16>
  return %y, %c : tensor<?x40xf32>, tensor<?x40xbf16>
}

// A slice is read at its offset by the product, without a copy.
// CHECK-LABEL: func.func @sliced
// CHECK: kernel.group "head_linear"
// CHECK-NEXT: glm.slice %arg0 begin 12
// CHECK-NEXT: glm.head_linear
// CHECK-NOT: kernel.group "rows"
// CHECK: return
func.func @sliced(%x: tensor<?x4x32xf32>, %w: tensor<4x24x20xf32>) -> tensor<?x4x24xf32> {
  %s = glm.slice %x begin 12 : tensor<?x4x32xf32> -> tensor<?x4x20xf32>
  %y = glm.head_linear %s, %w : tensor<?x4x20xf32>, tensor<4x24x20xf32> -> tensor<?x4x24xf32>
  return %y : tensor<?x4x24xf32>
}

// Logit rows are other rows: they are taken from rows that are complete.
// CHECK-LABEL: func.func @logits
// CHECK: %[[N:.*]] = kernel.group "rows"
// CHECK: glm.rms_norm
// CHECK: %[[T:.*]] = kernel.group "rows" -> (tensor<?x64xf32>)
// CHECK-SAME: dim = "logit_rows"
// CHECK-NEXT: glm.take_rows %[[N]]
// CHECK: kernel.group "linear"
// CHECK-SAME: dim = "logit_rows"
func.func @logits(%h: tensor<?x64xf32>, %g: tensor<64xbf16>, %w: tensor<761x64xf32>,
                  %logit_rows: tensor<?xi32>) -> (tensor<?x761xf32>, tensor<?x64xf32>) {
  %n = glm.rms_norm %h, %g eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xf32>
  %t = glm.take_rows %n, %logit_rows : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
  %y = glm.linear %t, %w : tensor<?x64xf32>, tensor<761x64xf32> -> tensor<?x761xf32>
  return %y, %n : tensor<?x761xf32>, tensor<?x64xf32>
}

// Rows of pairs are not rows of the batch: they have their own kernel; the sum of a row's experts is row-wise again.
// CHECK-LABEL: func.func @experts
// CHECK: kernel.group "expert_linear"
// CHECK-NEXT: glm.dispatch
// CHECK-NEXT: glm.expert_linear
// CHECK: kernel.group "rows"
// CHECK-SAME: pairs = 3 : i64
// CHECK-NEXT: glm.silu
// CHECK: kernel.group "expert_linear"
// CHECK-NEXT: glm.expert_linear
// CHECK: kernel.group "combine"
// CHECK-NEXT: glm.combine
// CHECK-NEXT: glm.add
func.func @experts(%x: tensor<?x64xf32>, %up: tensor<12x36x64xf32>, %down: tensor<12x64x36xf32>,
                   %r: !glm.routing<12, 3>) -> tensor<?x64xf32> {
  %d = glm.dispatch %x, %r : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
  %u = glm.expert_linear %d, %up, %r
     : tensor<?x64xf32>, tensor<12x36x64xf32>, !glm.routing<12, 3> -> tensor<?x36xf32>
  %s = glm.silu %u : tensor<?x36xf32>
  %e = glm.expert_linear %s, %down, %r
     : tensor<?x36xf32>, tensor<12x64x36xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
  %c = glm.combine %e, %r : tensor<?x64xf32>, !glm.routing<12, 3> -> tensor<?x64xf32>
  %y = glm.add %x, %c : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// A gated product is one kernel with its rounding; that of experts reads the rows themselves and makes pairs.
// CHECK-LABEL: func.func @gated
// CHECK: %[[M:.*]] = kernel.group "gated_linear" -> (tensor<?x40xbf16>)
// CHECK: glm.gated_linear
// CHECK: glm.cast
// CHECK: %[[E:.*]] = kernel.group "expert_gated_linear" -> (tensor<?x36xf32>)
// CHECK-SAME: pairs = 3
// CHECK: return %[[M]], %[[E]]
func.func @gated(%x: tensor<?x64xbf16>, %g: tensor<40x64xbf16>, %u: tensor<40x64xbf16>,
                 %gs: tensor<12x36x64xbf16>, %us: tensor<12x36x64xbf16>, %r: !glm.routing<12, 3>)
    -> (tensor<?x40xbf16>, tensor<?x36xf32>) {
  %m = glm.gated_linear %x, %g, %u : tensor<?x64xbf16>, tensor<40x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  %c = glm.cast %m : tensor<?x40xf32> -> tensor<?x40xbf16>
  %e = glm.expert_gated_linear %x, %gs, %us, %r : tensor<?x64xbf16>, tensor<12x36x64xbf16>, tensor<12x36x64xbf16>, !glm.routing<12, 3> -> tensor<?x36xf32>
  return %c, %e : tensor<?x40xbf16>, tensor<?x36xf32>
}
