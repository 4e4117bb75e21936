// RUN: glm-opt %s --glm-lower-kernel-to-llvm | FileCheck %s
// Math becomes arithmetic; nothing is called.

// CHECK-LABEL: llvm.func @exp(
// CHECK-NOT: llvm.intr.exp
// CHECK-COUNT-8: llvm.intr.fma
// CHECK-NOT: llvm.call
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// Angles are reduced in f64.
// CHECK-LABEL: llvm.func @cos(
// CHECK: llvm.fpext %{{.*}} : vector<16xf32> to vector<16xf64>
// CHECK: llvm.fptrunc %{{.*}} : vector<16xf64> to vector<16xf32>
func.func @cos(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.cos %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// Without kernel.machine nothing is known to round to bf16: integer steps.
// CHECK-LABEL: llvm.func @round(
// CHECK-NOT: llvm.fptrunc
// CHECK: llvm.lshr
func.func @round(%x: vector<16xf32>) -> vector<16xbf16> {
  %0 = arith.truncf %x : vector<16xf32> to vector<16xbf16>
  return %0 : vector<16xbf16>
}
