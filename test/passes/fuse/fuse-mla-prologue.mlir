// RUN: glm-opt %s --glm-fuse-mla-prologue --split-input-file --verify-diagnostics | FileCheck %s

// The linears in front of latent attention: rows that are rounded for some of them are the same rows. What stands
// between the linears and needs one of them stays behind the group, and a rounded weight moves in front of it.
// CHECK-LABEL: func.func @prologue
// CHECK-NEXT: %[[X:.*]] = glm.cast %arg0
// CHECK-NEXT: %[[W:.*]] = glm.cast %arg4
// CHECK-NEXT: %[[G:.*]]:4 = glm.linear_group %[[X]], %[[X]], %[[X]], %arg0 by %arg1, %arg2, %arg3, %[[W]]
// CHECK-NEXT: %[[S:.*]] = glm.slice %[[G]]#1
// CHECK-NEXT: return %[[G]]#0, %[[S]], %[[G]]#2, %[[G]]#3
func.func @prologue(%n: tensor<?x64xf32>, %q_a: tensor<40x64xbf16>, %kv_a: tensor<36x64xbf16>, %wk: tensor<32x64xbf16>,
                    %wp: tensor<8x64xbf16>)
    -> (tensor<?x40xf32>, tensor<?x24xf32>, tensor<?x32xf32>, tensor<?x8xf32>) {
  %x = glm.cast %n : tensor<?x64xf32> -> tensor<?x64xbf16>
  // expected-remark @+1 {{glm-fuse-mla-prologue: fused 4 linears of the same rows into one group}}
  %q = glm.linear %x, %q_a : tensor<?x64xbf16>, tensor<40x64xbf16> -> tensor<?x40xf32>
  %kv = glm.linear %x, %kv_a : tensor<?x64xbf16>, tensor<36x64xbf16> -> tensor<?x36xf32>
  %c = glm.slice %kv begin 0 : tensor<?x36xf32> -> tensor<?x24xf32>
  %k = glm.linear %x, %wk : tensor<?x64xbf16>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %w = glm.cast %wp : tensor<8x64xbf16> -> tensor<8x64xf32>
  %s = glm.linear %n, %w : tensor<?x64xf32>, tensor<8x64xf32> -> tensor<?x8xf32>
  return %q, %c, %k, %s : tensor<?x40xf32>, tensor<?x24xf32>, tensor<?x32xf32>, tensor<?x8xf32>
}

// -----

// One linear is no group, and linears of other rows share nothing. Nothing is said where nothing is shared.
// CHECK-LABEL: func.func @other_rows
// CHECK-NOT: glm.linear_group
func.func @other_rows(%x: tensor<?x64xf32>, %z: tensor<?x64xf32>, %a: tensor<40x64xf32>, %b: tensor<36x64xf32>)
    -> (tensor<?x40xf32>, tensor<?x36xf32>) {
  %0 = glm.linear %x, %a : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  %1 = glm.linear %z, %b : tensor<?x64xf32>, tensor<36x64xf32> -> tensor<?x36xf32>
  return %0, %1 : tensor<?x40xf32>, tensor<?x36xf32>
}

// -----

// A result that is rounded where it is written belongs to a launch that rounds.
// CHECK-LABEL: func.func @rounded
// CHECK-NOT: glm.linear_group
func.func @rounded(%x: tensor<?x64xf32>, %a: tensor<40x64xf32>, %b: tensor<36x64xf32>)
    -> (tensor<?x40xbf16>, tensor<?x36xf32>) {
  // expected-remark @+1 {{glm-fuse-mla-prologue: kept alone: its result is rounded where it is written}}
  %0 = glm.linear %x, %a : tensor<?x64xf32>, tensor<40x64xf32> -> tensor<?x40xf32>
  %1 = glm.cast %0 : tensor<?x40xf32> -> tensor<?x40xbf16>
  // expected-remark @+1 {{glm-fuse-mla-prologue: kept alone: no other linear of its rows can join it}}
  %2 = glm.linear %x, %b : tensor<?x64xf32>, tensor<36x64xf32> -> tensor<?x36xf32>
  return %1, %2 : tensor<?x40xbf16>, tensor<?x36xf32>
}

// -----

// A recipe may leave a weight as it was, and then rows and weight differ.
// CHECK-LABEL: func.func @mixed
// CHECK-NOT: glm.linear_group
func.func @mixed(%x: tensor<?x64xf32>, %a: tensor<40x64xbf16>, %b: tensor<36x64xf32>)
    -> (tensor<?x40xf32>, tensor<?x36xf32>) {
  // expected-remark @+1 {{glm-fuse-mla-prologue: kept alone: the element types of its rows and its weight differ}}
  %0 = glm.linear %x, %a : tensor<?x64xf32>, tensor<40x64xbf16> -> tensor<?x40xf32>
  // expected-remark @+1 {{glm-fuse-mla-prologue: kept alone: no other linear of its rows can join it}}
  %1 = glm.linear %x, %b : tensor<?x64xf32>, tensor<36x64xf32> -> tensor<?x36xf32>
  return %0, %1 : tensor<?x40xf32>, tensor<?x36xf32>
}

// -----

// A weight that is computed from the first result cannot wait in front of it.
// CHECK-LABEL: func.func @late
// CHECK-NOT: glm.linear_group
func.func @late(%x: tensor<40x64xf32>, %a: tensor<40x64xf32>) -> tensor<40x40xf32> {
  // expected-remark @+1 {{glm-fuse-mla-prologue: kept alone: no other linear of its rows can join it}}
  %0 = glm.linear %x, %a : tensor<40x64xf32>, tensor<40x64xf32> -> tensor<40x40xf32>
  %w = glm.concat %0, %0 : tensor<40x40xf32>, tensor<40x40xf32> -> tensor<40x80xf32>
  %v = glm.slice %w begin 0 : tensor<40x80xf32> -> tensor<40x64xf32>
  // expected-remark @+1 {{glm-fuse-mla-prologue: kept alone: its weight is computed behind the first reader of its rows}}
  %1 = glm.linear %x, %v : tensor<40x64xf32>, tensor<40x64xf32> -> tensor<40x40xf32>
  return %1 : tensor<40x40xf32>
}
