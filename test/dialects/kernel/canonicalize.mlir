// RUN: glm-opt %s --canonicalize | FileCheck %s
// A static dimension is a constant; slices see through slices and concatenations.

// CHECK-LABEL: kernel.func @folds(
kernel.func @folds(%x: !kernel.buffer<?x36xf32>, %y: !kernel.buffer<?x12xf32>) {
  %c0 = arith.constant 0 : index
  // CHECK-DAG: %[[C36:.*]] = arith.constant 36 : index
  %w = kernel.dim %x, 1 : !kernel.buffer<?x36xf32>
  // CHECK: %[[X:.*]] = kernel.load_tile
  %t = kernel.load_tile %x[%c0, %c0] : !kernel.buffer<?x36xf32> -> !kernel.tile<1x36xf32>
  %same = kernel.slice %t from 0 : !kernel.tile<1x36xf32> -> !kernel.tile<1x36xf32>
  %a = kernel.slice %same from 4 : !kernel.tile<1x36xf32> -> !kernel.tile<1x24xf32>
  // CHECK: %[[B:.*]] = kernel.slice %[[X]] from 6 : <1x36xf32> -> <1x12xf32>
  %b = kernel.slice %a from 2 : !kernel.tile<1x24xf32> -> !kernel.tile<1x12xf32>
  %c = kernel.concat %a, %b : !kernel.tile<1x24xf32>, !kernel.tile<1x12xf32> -> !kernel.tile<1x36xf32>
  // CHECK-NOT: kernel.concat
  %d = kernel.slice %c from 24 : !kernel.tile<1x36xf32> -> !kernel.tile<1x12xf32>
  // CHECK: kernel.store_tile %[[B]], %{{.*}}[%[[C36]], %{{.*}}]
  kernel.store_tile %d, %y[%w, %c0] : !kernel.tile<1x12xf32>, !kernel.buffer<?x12xf32>
  kernel.return
}

// A slice across the seam stays.
// CHECK-LABEL: kernel.func @seam(
kernel.func @seam(%x: !kernel.buffer<?x36xf32>) {
  %c0 = arith.constant 0 : index
  %t = kernel.load_tile %x[%c0, %c0] : !kernel.buffer<?x36xf32> -> !kernel.tile<1x36xf32>
  // CHECK: kernel.concat
  %c = kernel.concat %t, %t : !kernel.tile<1x36xf32>, !kernel.tile<1x36xf32> -> !kernel.tile<1x72xf32>
  // CHECK: kernel.slice %{{.*}} from 20
  %d = kernel.slice %c from 20 : !kernel.tile<1x72xf32> -> !kernel.tile<1x36xf32>
  kernel.store_tile %d, %x[%c0, %c0] : !kernel.tile<1x36xf32>, !kernel.buffer<?x36xf32>
  kernel.return
}
