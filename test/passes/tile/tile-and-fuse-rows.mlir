// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles --glm-tile-and-fuse | FileCheck %s

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
  func.func private @gated(%a: tensor<?x36xf32>, %b: tensor<?x36xf32>) -> tensor<?x36xbf16> {
    %s = glm.silu %a : tensor<?x36xf32>
    %m = glm.multiply %s, %b : tensor<?x36xf32>
    %y = glm.cast %m : tensor<?x36xf32> -> tensor<?x36xbf16>
    return %y : tensor<?x36xbf16>
  }
  func.func private @latent(%kv: tensor<?x36xf32>, %g: tensor<24xbf16>, %angles: tensor<?x12xf32>,
                            %cache: !glm.cache<36xf32>, %rows: !glm.rows) {
    %c = glm.slice %kv begin 0 : tensor<?x36xf32> -> tensor<?x24xf32>
    %n = glm.rms_norm %c, %g eps 1.0e-05 : tensor<?x24xf32>, tensor<24xbf16> -> tensor<?x24xf32>
    %k = glm.slice %kv begin 24 : tensor<?x36xf32> -> tensor<?x12xf32>
    %r = glm.rope %k, %angles interleaved : tensor<?x12xf32>, tensor<?x12xf32>
    %row = glm.concat %n, %r : tensor<?x24xf32>, tensor<?x12xf32> -> tensor<?x36xf32>
    glm.append %row, %cache, %rows : tensor<?x36xf32>, !glm.cache<36xf32>
    return
  }
  func.func private @start(%table: tensor<761x64xbf16>, %rows: !glm.rows)
      -> (tensor<?x64xf32>, tensor<?x8xf32>) {
    %e = glm.embed %table, %rows : tensor<761x64xbf16> -> tensor<?x64xf32>
    %m = glm.mask_start %e, %rows : tensor<?x64xf32>
    %a = glm.rope_angles %rows theta 1.0e+04 : tensor<?x8xf32>
    return %m, %a : tensor<?x64xf32>, tensor<?x8xf32>
  }
}

// A chain of elementwise steps is one map.
// CHECK-LABEL: kernel.func @rows_silu_multiply_36_bf16
// CHECK: kernel.parallel (%[[I:.*]]) to (%{{.*}}) step [1]
// CHECK: %[[Y:.*]] = kernel.map
// CHECK: math.exp
// CHECK: arith.divf
// CHECK: arith.mulf
// CHECK: arith.truncf
// CHECK-NOT: kernel.map
// CHECK: kernel.store_tile %[[Y]], %{{.*}}[%[[I]], %c0]

// Slices of what comes from outside are loads at an offset; the row is written to its slot and position.
// CHECK-LABEL: kernel.func @rows_norm_rope_append_36_f32
// CHECK-SAME: %[[KV:arg[0-9]+]]: !kernel.buffer<?x36xf32>, %{{.*}}: !kernel.buffer<24xbf16>
// CHECK: kernel.load_tile %[[KV]][%[[I:.*]], %c0] : {{.*}}<1x24xf32>
// CHECK: kernel.reduce sum
// CHECK: %[[K:.*]] = kernel.load_tile %[[KV]][%[[I]], %c24] : {{.*}}<1x12xf32>
// CHECK: %[[R:.*]] = kernel.rotate %[[K]]
// CHECK: %[[ROW:.*]] = kernel.concat %{{.*}}, %[[R]]
// CHECK: kernel.store_tile %[[ROW]], %{{.*}}[%{{.*}}, %{{.*}}] : {{.*}}<1x36xf32>, !kernel.cache<36xf32>

// Frequencies are a product over the bits of the column, rounded once: theta^(-1/4), theta^(-1/2).
// CHECK-LABEL: kernel.func @rows_embed_mask_angles_64_f32
// CHECK: kernel.load_scalar
// CHECK: kernel.load_tile %{{.*}}[%{{.*}}, %c0] : !kernel.buffer<761x64xbf16>
// CHECK: arith.extf
// CHECK: arith.select
// CHECK: kernel.iota : {{.*}}<1x4xi32>
// CHECK: arith.constant 1.000000e-01 : f64
// CHECK: arith.constant 1.000000e-02 : f64
// CHECK: arith.truncf
// CHECK: arith.sitofp
// CHECK: math.cos
// CHECK: math.sin
