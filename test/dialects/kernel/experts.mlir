// RUN: glm-opt %s --verify-roundtrip | FileCheck %s
// The rows of every active expert against its own matrix: rows are gathered by pair.

// CHECK-LABEL: kernel.func @experts(
// CHECK: kernel.flatten %{{.*}} : <?x3x36xf32> -> <?x36xf32>
// CHECK: kernel.gather_rows %{{.*}}[%{{.*}}] by %{{.*}} : {{.*}}<?x64xbf16>, <1x6xi32> -> <6x64xbf16>
// CHECK: kernel.load_tile %{{.*}} : !kernel.bank<12x36x64xbf16, #kernel.panels<64, 2>> -> <64x64xbf16>
// CHECK: kernel.store_tile {{.*}} valid %{{.*}} : <6x64xf32>, {{.*}}<?x36xf32>
kernel.func @experts(%x: !kernel.buffer<?x64xbf16>, %bank: !kernel.bank<12x36x64xbf16, #kernel.panels<64, 2>>,
                     %order: !kernel.buffer<?x3xi32>, %offsets: !kernel.buffer<13xi32>,
                     %active: !kernel.buffer<13xi32>, %y: !kernel.buffer<?x3x36xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %c36 = arith.constant 36 : index
  %top = arith.constant 3 : i32
  %none = arith.constant -1 : i32
  %zero = arith.constant 0.0 : f32
  %places = kernel.flatten %order : !kernel.buffer<?x3xi32> -> !kernel.buffer<?xi32>
  %out = kernel.flatten %y : !kernel.buffer<?x3x36xf32> -> !kernel.buffer<?x36xf32>
  %count32 = kernel.load_scalar %active[%c0] : !kernel.buffer<13xi32> -> i32
  %count = arith.index_cast %count32 : i32 to index
  kernel.parallel (%a, %j) to (%count, %c36) step [1, 64] {
    %a1 = arith.addi %a, %c1 : index
    %e32 = kernel.load_scalar %active[%a1] : !kernel.buffer<13xi32> -> i32
    %e = arith.index_cast %e32 : i32 to index
    %e1 = arith.addi %e, %c1 : index
    %begin32 = kernel.load_scalar %offsets[%e] : !kernel.buffer<13xi32> -> i32
    %end32 = kernel.load_scalar %offsets[%e1] : !kernel.buffer<13xi32> -> i32
    %begin = arith.index_cast %begin32 : i32 to index
    %end = arith.index_cast %end32 : i32 to index
    scf.for %p = %begin to %end step %c6 {
      %p32 = arith.index_cast %p : index to i32
      %ids = kernel.load_tile %places[%p] : !kernel.buffer<?xi32> -> !kernel.tile<1x6xi32>
      %lane = kernel.iota : !kernel.tile<1x6xi32>
      %row = kernel.map (%ids, %lane) : (!kernel.tile<1x6xi32>, !kernel.tile<1x6xi32>) -> !kernel.tile<1x6xi32> {
      ^bb0(%id: i32, %l: i32):
        %at = arith.addi %p32, %l : i32
        %inside = arith.cmpi slt, %at, %end32 : i32
        %r = arith.divsi %id, %top : i32
        %v = arith.select %inside, %r, %none : i32
        kernel.yield %v : i32
      }
      %xa = kernel.gather_rows %x[%c0] by %row : !kernel.buffer<?x64xbf16>, !kernel.tile<1x6xi32> -> !kernel.tile<6x64xbf16>
      %b = kernel.load_tile %bank[%e, %j, %c0] : !kernel.bank<12x36x64xbf16, #kernel.panels<64, 2>> -> !kernel.tile<64x64xbf16>
      %init = kernel.splat %zero : f32 -> !kernel.tile<6x64xf32>
      %d = kernel.mma %xa, %b, %init : !kernel.tile<6x64xbf16>, !kernel.tile<64x64xbf16>, !kernel.tile<6x64xf32>
      %left = arith.subi %end, %p : index
      kernel.store_tile %d, %out[%p, %j] valid %left : !kernel.tile<6x64xf32>, !kernel.buffer<?x36xf32>
    }
  }
  kernel.return
}
