// RUN: glm-opt %s --verify-roundtrip | FileCheck %s
// A linear: panels outside, rows inside, blocks of k carried by a loop.

// CHECK-LABEL: kernel.func @linear(
// CHECK-SAME: attributes {schedule = #kernel.schedule<m = 6, n = 64, k = 32>}
// CHECK: kernel.parallel (%[[J:.*]], %[[I:.*]]) to (%{{.*}}, %{{.*}}) step [64, 6] {
// CHECK: scf.for {{.*}} -> (!kernel.tile<6x64xf32>)
// CHECK: kernel.mma %{{.*}}, %{{.*}}, %{{.*}} : <6x32xbf16>, <64x32xbf16>, <6x64xf32>
kernel.func @linear(%x: !kernel.buffer<?x64xbf16>, %w: !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>,
                    %y: !kernel.buffer<?x40xf32>)
    attributes {schedule = #kernel.schedule<m = 6, n = 64, k = 32>} {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c40 = arith.constant 40 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %n = kernel.dim %x, 0 : !kernel.buffer<?x64xbf16>
  kernel.parallel (%j, %i) to (%c40, %n) step [64, 6] {
    %init = kernel.splat %zero : f32 -> !kernel.tile<6x64xf32>
    %acc = scf.for %k = %c0 to %c64 step %c32 iter_args(%c = %init) -> (!kernel.tile<6x64xf32>) {
      %a = kernel.load_tile %x[%i, %k] : !kernel.buffer<?x64xbf16> -> !kernel.tile<6x32xbf16>
      %b = kernel.load_tile %w[%j, %k] : !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>> -> !kernel.tile<64x32xbf16>
      %d = kernel.mma %a, %b, %c : !kernel.tile<6x32xbf16>, !kernel.tile<64x32xbf16>, !kernel.tile<6x64xf32>
      scf.yield %d : !kernel.tile<6x64xf32>
    }
    kernel.store_tile %acc, %y[%i, %j] : !kernel.tile<6x64xf32>, !kernel.buffer<?x40xf32>
  }
  kernel.return
}
