// RUN: glm-opt %s --verify-roundtrip | FileCheck %s
// Attention over selected rows: the heads of one unit share what is gathered.

// CHECK-LABEL: kernel.func @attend(
// CHECK: kernel.online_softmax (%[[T:.*]]) to %{{.*}} step 16 -> !kernel.tile<4x24xf32> {
// CHECK: kernel.gather_rows %{{.*}}[%{{.*}}] by %{{.*}} : !kernel.cache<36xbf16>, <1x16xi32> -> <16x36xbf16>
// CHECK: kernel.yield %{{.*}}, %{{.*}} : {{.*}}<4x16xf32>, {{.*}}<16x36xbf16>
kernel.func @attend(%q_latent: !kernel.buffer<?x8x24xbf16>, %q_rope: !kernel.buffer<?x8x12xbf16>,
                    %rows: !kernel.buffer<?x4xi32>, %selection: !kernel.buffer<?x40xi32>,
                    %cache: !kernel.cache<36xbf16>, %y: !kernel.buffer<?x8x24xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %limit = arith.constant 40 : index
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.25 : f32
  %init = kernel.splat %zero : f32 -> !kernel.tile<4x16xf32>
  %n = kernel.dim %q_latent, 0 : !kernel.buffer<?x8x24xbf16>
  kernel.parallel (%i, %h) to (%n, %c8) step [1, 4] {
    %s32 = kernel.load_scalar %rows[%i, %c1] : !kernel.buffer<?x4xi32> -> i32
    %p32 = kernel.load_scalar %rows[%i, %c2] : !kernel.buffer<?x4xi32> -> i32
    %slot = arith.index_cast %s32 : i32 to index
    %pos = arith.index_cast %p32 : i32 to index
    %seen = arith.addi %pos, %c1 : index
    %count = arith.minsi %seen, %limit : index
    %ql = kernel.load_tile %q_latent[%i, %h, %c0] : !kernel.buffer<?x8x24xbf16> -> !kernel.tile<4x24xbf16>
    %qr = kernel.load_tile %q_rope[%i, %h, %c0] : !kernel.buffer<?x8x12xbf16> -> !kernel.tile<4x12xbf16>
    %q = kernel.concat %ql, %qr : !kernel.tile<4x24xbf16>, !kernel.tile<4x12xbf16> -> !kernel.tile<4x36xbf16>
    %o = kernel.online_softmax (%t) to %count step 16 -> !kernel.tile<4x24xf32> {
      %ids = kernel.load_tile %selection[%i, %t] : !kernel.buffer<?x40xi32> -> !kernel.tile<1x16xi32>
      %keys = kernel.gather_rows %cache[%slot] by %ids : !kernel.cache<36xbf16>, !kernel.tile<1x16xi32> -> !kernel.tile<16x36xbf16>
      %s = kernel.mma %q, %keys, %init : !kernel.tile<4x36xbf16>, !kernel.tile<16x36xbf16>, !kernel.tile<4x16xf32>
      %scaled = kernel.map (%s) : (!kernel.tile<4x16xf32>) -> !kernel.tile<4x16xf32> {
      ^bb0(%a: f32):
        %0 = arith.mulf %a, %scale : f32
        kernel.yield %0 : f32
      }
      kernel.yield %scaled, %keys : !kernel.tile<4x16xf32>, !kernel.tile<16x36xbf16>
    }
    kernel.store_tile %o, %y[%i, %h, %c0] : !kernel.tile<4x24xf32>, !kernel.buffer<?x8x24xf32>
  }
  kernel.return
}
