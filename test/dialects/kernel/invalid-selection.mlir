// RUN: glm-opt %s --split-input-file --verify-diagnostics
// One case for each rule of SelectionOps.td.

// top_k C1: what the region takes.
kernel.func @f(%n: index) {
  %c = arith.constant 0.0 : f32
  %t = kernel.splat %c : f32 -> !kernel.tile<1x8xf32>
  // expected-error @below {{'kernel.top_k' op the yielded tile is 1x8, expected 1x16}}
  %0 = kernel.top_k (%p) from %n to %n step 16 -> !kernel.tile<1x4xi32> {
    kernel.yield %t : !kernel.tile<1x8xf32>
  }
  kernel.return
}

// -----
// top_k C2
kernel.func @f(%n: index) {
  %c = arith.constant 0.0 : f32
  %t = kernel.splat %c : f32 -> !kernel.tile<1x8xf32>
  // expected-error @below {{'kernel.top_k' op the result holds 'f32', expected 'i32'}}
  %0 = kernel.top_k (%p) from %n to %n step 8 -> !kernel.tile<1x4xf32> {
    kernel.yield %t : !kernel.tile<1x8xf32>
  }
  kernel.return
}

// -----
// top_k C1: numbers are for positions, not for rows.
kernel.func @f(%n: index) {
  %c = arith.constant 0.0 : f32
  %t = kernel.splat %c : f32 -> !kernel.tile<2x8xf32>
  %z = arith.constant 0 : i32
  %i = kernel.splat %z : i32 -> !kernel.tile<2x8xi32>
  // expected-error @below {{'kernel.top_k' op the tile of numbers is 2x8, expected 1x8}}
  %0 = kernel.top_k (%p) from %n to %n, %n step 8 -> !kernel.tile<2x4xi32> {
    kernel.yield %t, %i : !kernel.tile<2x8xf32>, !kernel.tile<2x8xi32>
  }
  kernel.return
}

// -----
// top_k C2: scores of what was chosen.
kernel.func @f(%n: index) {
  %c = arith.constant 0.0 : f32
  %t = kernel.splat %c : f32 -> !kernel.tile<1x8xf32>
  // expected-error @below {{'kernel.top_k' op the second result is 1x8, expected 1x4}}
  %0, %1 = kernel.top_k (%p) from %n to %n step 8 -> (!kernel.tile<1x4xi32>, !kernel.tile<1x8xf32>) {
    kernel.yield %t : !kernel.tile<1x8xf32>
  }
  kernel.return
}

// -----
// top_k C2: an end for every row.
kernel.func @f(%n: index) {
  %c = arith.constant 0.0 : f32
  %t = kernel.splat %c : f32 -> !kernel.tile<2x8xf32>
  // expected-error @below {{'kernel.top_k' op has 1 ends for 2 rows}}
  %0 = kernel.top_k (%p) from %n to %n step 8 -> !kernel.tile<2x4xi32> {
    kernel.yield %t : !kernel.tile<2x8xf32>
  }
  kernel.return
}

// -----
// top_k: a positive step.
kernel.func @f(%n: index) {
  %c = arith.constant 0.0 : f32
  %t = kernel.splat %c : f32 -> !kernel.tile<1x8xf32>
  // expected-error @below {{'kernel.top_k' op step must be positive, found 0}}
  %0 = kernel.top_k (%p) from %n to %n step 0 -> !kernel.tile<1x4xi32> {
    kernel.yield %t : !kernel.tile<1x8xf32>
  }
  kernel.return
}

// -----
// online_softmax C1
kernel.func @f(%n: index) {
  %c = arith.constant 0.0 : f32
  %s = kernel.splat %c : f32 -> !kernel.tile<4x8xf32>
  %r = kernel.splat %c : f32 -> !kernel.tile<6x12xf32>
  // expected-error @below {{'kernel.online_softmax' op the rows is 6x12, expected 8x?}}
  %0 = kernel.online_softmax (%p) to %n step 8 -> !kernel.tile<4x12xf32> {
    kernel.yield %s, %r : !kernel.tile<4x8xf32>, !kernel.tile<6x12xf32>
  }
  kernel.return
}

// -----
// online_softmax C2
kernel.func @f(%n: index) {
  %c = arith.constant 0.0 : f32
  %s = kernel.splat %c : f32 -> !kernel.tile<4x8xf32>
  %r = kernel.splat %c : f32 -> !kernel.tile<8x12xf32>
  // expected-error @below {{'kernel.online_softmax' op the result has 16 columns, the rows only 12}}
  %0 = kernel.online_softmax (%p) to %n step 8 -> !kernel.tile<4x16xf32> {
    kernel.yield %s, %r : !kernel.tile<4x8xf32>, !kernel.tile<8x12xf32>
  }
  kernel.return
}

// -----
// select_experts C1: groups.
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x16xf32>
  // expected-error @below {{'kernel.select_experts' op 3 groups do not divide 16 columns}}
  %0 = kernel.select_experts %x groups 3 kept 1 : !kernel.tile<1x16xf32> -> !kernel.tile<1x4xi32>
  kernel.return
}

// -----
// select_experts C1: kept groups.
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x16xf32>
  // expected-error @below {{'kernel.select_experts' op keeps 5 of 4 groups}}
  %0 = kernel.select_experts %x groups 4 kept 5 : !kernel.tile<1x16xf32> -> !kernel.tile<1x4xi32>
  kernel.return
}

// -----
// select_experts C1: enough columns.
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x16xf32>
  // expected-error @below {{'kernel.select_experts' op chooses 6 columns, but the kept groups have 4}}
  %0 = kernel.select_experts %x groups 4 kept 1 : !kernel.tile<1x16xf32> -> !kernel.tile<1x6xi32>
  kernel.return
}

// -----
// select_experts C2
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x16xi32>
  // expected-error @below {{'kernel.select_experts' op values holds 'i32', expected 'f32'}}
  %0 = kernel.select_experts %x groups 4 kept 1 : !kernel.tile<1x16xi32> -> !kernel.tile<1x4xi32>
  kernel.return
}

// -----
// take_columns C1
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x16xf32>
  %i = kernel.iota : !kernel.tile<1x4xi32>
  // expected-error @below {{'kernel.take_columns' op ids is 1x4, expected 1x5}}
  %0 = kernel.take_columns %x, %i : !kernel.tile<1x16xf32>, !kernel.tile<1x4xi32> -> !kernel.tile<1x5xf32>
  kernel.return
}

// -----
// group_rows C1: i32.
kernel.func @f(%a: !kernel.buffer<?x4xf32>, %b: !kernel.buffer<9xi32>) {
  // expected-error @below {{'kernel.group_rows' op works on row-major buffers of i32, not '!kernel.buffer<?x4xf32>'}}
  kernel.group_rows %a into %a, %a, %b, %b
    : !kernel.buffer<?x4xf32>, !kernel.buffer<?x4xf32>, !kernel.buffer<?x4xf32>, !kernel.buffer<9xi32>, !kernel.buffer<9xi32>
  kernel.return
}

// -----
// group_rows C1: offsets and active alike.
kernel.func @f(%a: !kernel.buffer<?x4xi32>, %b: !kernel.buffer<9xi32>, %c: !kernel.buffer<8xi32>) {
  // expected-error @below {{'kernel.group_rows' op offsets and active must be equal and of one static dimension, found '!kernel.buffer<9xi32>' and '!kernel.buffer<8xi32>'}}
  kernel.group_rows %a into %a, %a, %b, %c
    : !kernel.buffer<?x4xi32>, !kernel.buffer<?x4xi32>, !kernel.buffer<?x4xi32>, !kernel.buffer<9xi32>, !kernel.buffer<8xi32>
  kernel.return
}
