// RUN: glm-opt %s --canonicalize --split-input-file | FileCheck %s

// What was widened exactly and is narrowed again was never changed.
// CHECK-LABEL: @widened_and_back
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xbf16>)
// CHECK-NEXT: return %[[X]]
func.func @widened_and_back(%x: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  %0 = glm.cast %x : tensor<?x8xbf16> -> tensor<?x8xf32>
  %1 = glm.cast %0 : tensor<?x8xf32> -> tensor<?x8xbf16>
  return %1 : tensor<?x8xbf16>
}

// -----

// Two widenings are one.
// CHECK-LABEL: @widened_twice
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xbf16>)
// CHECK-NEXT: %[[Y:.*]] = glm.cast %[[X]] : tensor<?x8xbf16> -> tensor<?x8xf64>
// CHECK-NEXT: return %[[Y]]
func.func @widened_twice(%x: tensor<?x8xbf16>) -> tensor<?x8xf64> {
  %0 = glm.cast %x : tensor<?x8xbf16> -> tensor<?x8xf32>
  %1 = glm.cast %0 : tensor<?x8xf32> -> tensor<?x8xf64>
  return %1 : tensor<?x8xf64>
}

// -----

// A rounding is the point of the cast: it stays although the result is wide again.
// CHECK-LABEL: @rounded
// CHECK: glm.cast %{{.*}} : tensor<?x8xf32> -> tensor<?x8xbf16>
// CHECK: glm.cast %{{.*}} : tensor<?x8xbf16> -> tensor<?x8xf32>
func.func @rounded(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = glm.cast %x : tensor<?x8xf32> -> tensor<?x8xbf16>
  %1 = glm.cast %0 : tensor<?x8xbf16> -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// A cast to the type a value has is nothing, and so is a slice of all columns.
// CHECK-LABEL: @nothing
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>)
// CHECK-NEXT: return %[[X]]
func.func @nothing(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = glm.cast %x : tensor<?x8xf32> -> tensor<?x8xf32>
  %1 = glm.slice %0 begin 0 : tensor<?x8xf32> -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// Slices add up.
// CHECK-LABEL: @slice_of_slice
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = glm.slice %[[X]] begin 5 : tensor<?x8xf32> -> tensor<?x2xf32>
// CHECK-NEXT: return %[[Y]]
func.func @slice_of_slice(%x: tensor<?x8xf32>) -> tensor<?x2xf32> {
  %0 = glm.slice %x begin 4 : tensor<?x8xf32> -> tensor<?x4xf32>
  %1 = glm.slice %0 begin 1 : tensor<?x4xf32> -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}

// -----

// A slice looks through a concatenation into the side it lies in.
// CHECK-LABEL: @slice_of_concat
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[Y:.*]]: tensor<?x8xf32>)
// CHECK-NEXT: %[[Z:.*]] = glm.slice %[[Y]] begin 1 : tensor<?x8xf32> -> tensor<?x2xf32>
// CHECK-NEXT: return %[[X]], %[[Z]]
func.func @slice_of_concat(%x: tensor<?x4xf32>, %y: tensor<?x8xf32>) -> (tensor<?x4xf32>, tensor<?x2xf32>) {
  %0 = glm.concat %x, %y : tensor<?x4xf32>, tensor<?x8xf32> -> tensor<?x12xf32>
  %1 = glm.slice %0 begin 0 : tensor<?x12xf32> -> tensor<?x4xf32>
  %2 = glm.slice %0 begin 5 : tensor<?x12xf32> -> tensor<?x2xf32>
  return %1, %2 : tensor<?x4xf32>, tensor<?x2xf32>
}

// -----

// A slice of both sides needs the concatenation.
// CHECK-LABEL: @slice_across_concat
// CHECK: glm.concat
// CHECK: glm.slice %{{.*}} begin 3 : tensor<?x12xf32> -> tensor<?x2xf32>
func.func @slice_across_concat(%x: tensor<?x4xf32>, %y: tensor<?x8xf32>) -> tensor<?x2xf32> {
  %0 = glm.concat %x, %y : tensor<?x4xf32>, tensor<?x8xf32> -> tensor<?x12xf32>
  %1 = glm.slice %0 begin 3 : tensor<?x12xf32> -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}

// -----

// Heads that are split and merged were never apart.
// CHECK-LABEL: @split_and_merged
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>)
// CHECK-NEXT: return %[[X]]
func.func @split_and_merged(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = glm.split_heads %x : tensor<?x8xf32> -> tensor<?x2x4xf32>
  %1 = glm.merge_heads %0 : tensor<?x2x4xf32> -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

glm.state @keys : !glm.cache<8xf32>

// Values nobody uses go away; what is written to a cache stays.
// CHECK-LABEL: @effects
// CHECK-NOT: glm.silu
// CHECK-NOT: glm.gather
// CHECK: glm.append
func.func @effects(%x: tensor<?x8xf32>, %sel: !glm.selection<4>, %rows: !glm.rows) {
  %keys = glm.state_value @keys : !glm.cache<8xf32>
  %0 = glm.silu %x : tensor<?x8xf32>
  %1 = glm.gather %keys, %sel, %rows : !glm.cache<8xf32>, !glm.selection<4> -> tensor<?x?x8xf32>
  glm.append %x, %keys, %rows : tensor<?x8xf32>, !glm.cache<8xf32>
  return
}
