// RUN: glm-opt %s --verify-roundtrip | FileCheck %s
// The latent path behind kv_a_proj: norm, rotation, append, one row a unit.

// CHECK-LABEL: kernel.func @latent(
// CHECK: kernel.parallel (%{{.*}}) to (%{{.*}}) step [1] {
// CHECK: kernel.rotate %{{.*}}, %{{.*}} interleaved : <1x12xf32>, <1x12xf32>
// CHECK: kernel.store_tile %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] : <1x36xf32>, {{.*}}<36xf32>
// CHECK: kernel.return
kernel.func @latent(%kv: !kernel.buffer<?x36xf32>, %gain: !kernel.buffer<24xbf16>,
                    %angles: !kernel.buffer<?x12xf32>, %rows: !kernel.buffer<?x4xi32>,
                    %cache: !kernel.cache<36xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %width = arith.constant 24.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %n = kernel.dim %kv, 0 : !kernel.buffer<?x36xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %x = kernel.load_tile %kv[%i, %c0] : !kernel.buffer<?x36xf32> -> !kernel.tile<1x36xf32>
    %l = kernel.slice %x from 0 : !kernel.tile<1x36xf32> -> !kernel.tile<1x24xf32>
    %sq = kernel.map (%l, %l) : (!kernel.tile<1x24xf32>, !kernel.tile<1x24xf32>) -> !kernel.tile<1x24xf32> {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.mulf %a, %b : f32
      kernel.yield %0 : f32
    }
    %ss = kernel.reduce sum %sq along 1 : !kernel.tile<1x24xf32> -> !kernel.tile<1x1xf32>
    %r = kernel.map (%ss) : (!kernel.tile<1x1xf32>) -> !kernel.tile<1x1xf32> {
    ^bb0(%a: f32):
      %0 = arith.divf %a, %width : f32
      %1 = arith.addf %0, %eps : f32
      %2 = math.rsqrt %1 : f32
      kernel.yield %2 : f32
    }
    %g = kernel.load_tile %gain[%c0] : !kernel.buffer<24xbf16> -> !kernel.tile<1x24xbf16>
    %y = kernel.map (%l, %r, %g) : (!kernel.tile<1x24xf32>, !kernel.tile<1x1xf32>, !kernel.tile<1x24xbf16>) -> !kernel.tile<1x24xf32> {
    ^bb0(%a: f32, %b: f32, %c: bf16):
      %0 = arith.mulf %a, %b : f32
      %1 = arith.extf %c : bf16 to f32
      %2 = arith.mulf %0, %1 : f32
      kernel.yield %2 : f32
    }
    %k = kernel.slice %x from 24 : !kernel.tile<1x36xf32> -> !kernel.tile<1x12xf32>
    %an = kernel.load_tile %angles[%i, %c0] : !kernel.buffer<?x12xf32> -> !kernel.tile<1x12xf32>
    %kr = kernel.rotate %k, %an interleaved : !kernel.tile<1x12xf32>, !kernel.tile<1x12xf32>
    %row = kernel.concat %y, %kr : !kernel.tile<1x24xf32>, !kernel.tile<1x12xf32> -> !kernel.tile<1x36xf32>
    %s32 = kernel.load_scalar %rows[%i, %c1] : !kernel.buffer<?x4xi32> -> i32
    %p32 = kernel.load_scalar %rows[%i, %c2] : !kernel.buffer<?x4xi32> -> i32
    %slot = arith.index_cast %s32 : i32 to index
    %pos = arith.index_cast %p32 : i32 to index
    kernel.store_tile %row, %cache[%slot, %pos] : !kernel.tile<1x36xf32>, !kernel.cache<36xf32>
  }
  kernel.return
}
