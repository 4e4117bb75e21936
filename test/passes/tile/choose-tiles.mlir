// RUN: glm-opt %s --split-input-file --glm-form-kernels --glm-choose-tiles | FileCheck %s

#avx512 = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>
module attributes {kernel.machine = #avx512} {
  // 6 x 64 accumulators, ten of them below each other in half of the second cache.
  // CHECK-LABEL: func.func @wide
  // CHECK: kernel.group "linear" schedule <m = 60, n = 64, k = 4096>
  // CHECK-SAME: 60 rows in tiles of 6x64 accumulators {{.*}}, 16 panels of 64 columns, 1 blocks of 4096
  func.func @wide(%x: tensor<?x4096xbf16>, %w: tensor<1024x4096xbf16>) -> tensor<?x1024xf32> {
    %y = glm.linear %x, %w : tensor<?x4096xbf16>, tensor<1024x4096xbf16> -> tensor<?x1024xf32>
    return %y : tensor<?x1024xf32>
  }

  // A narrow weight is cut finer, so that eight workers have a piece each.
  // CHECK-LABEL: func.func @narrow
  // CHECK: kernel.group "linear" schedule <m = 24, n = 32, k = 6144>
  func.func @narrow(%x: tensor<?x6144xf32>, %w: tensor<256x6144xf32>) -> tensor<?x256xf32> {
    %y = glm.linear %x, %w : tensor<?x6144xf32>, tensor<256x6144xf32> -> tensor<?x256xf32>
    return %y : tensor<?x256xf32>
  }

  // A width without a divisor that is whole pairs is one block.
  // CHECK-LABEL: func.func @odd
  // CHECK: kernel.group "linear" schedule <m = 120, n = 16, k = 2051>
  func.func @odd(%x: tensor<?x2051xbf16>, %w: tensor<40x2051xbf16>) -> tensor<?x40xf32> {
    %y = glm.linear %x, %w : tensor<?x2051xbf16>, tensor<40x2051xbf16> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }

  // The tile of a head divides its columns, or covers them: behind them lies the next head.
  // CHECK-LABEL: func.func @heads
  // CHECK: kernel.group "head_linear" schedule <m = 126, n = 48, k = 20>
  // CHECK: kernel.group "head_linear" schedule <m = 126, n = 32, k = 96>
  func.func @heads(%x: tensor<?x4x20xf32>, %w: tensor<4x96x20xf32>, %v: tensor<4x28x96xf32>)
      -> tensor<?x4x28xf32> {
    %y = glm.head_linear %x, %w : tensor<?x4x20xf32>, tensor<4x96x20xf32> -> tensor<?x4x96xf32>
    %z = glm.head_linear %y, %v : tensor<?x4x96xf32>, tensor<4x28x96xf32> -> tensor<?x4x28xf32>
    return %z : tensor<?x4x28xf32>
  }
}

// -----

#avx2 = #kernel.machine<target = "cpu", vector_bytes = 32, registers = 16, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = false, cache_line_rows = 16, page_rows = 1024>
module attributes {kernel.machine = #avx2} {
  // Sixteen registers of 32 bytes hold 6 x 16; rows are widened, so half as many fit.
  // CHECK-LABEL: func.func @avx2
  // CHECK: kernel.group "linear" schedule <m = 30, n = 16, k = 4096>
  func.func @avx2(%x: tensor<?x4096xbf16>, %w: tensor<1024x4096xbf16>) -> tensor<?x1024xf32> {
    %y = glm.linear %x, %w : tensor<?x4096xbf16>, tensor<1024x4096xbf16> -> tensor<?x1024xf32>
    return %y : tensor<?x1024xf32>
  }
}

// -----

#neon = #kernel.machine<target = "cpu", vector_bytes = 16, registers = 32, l1 = 65536, l2 = 1048576, l3 = 33554432, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>
module attributes {kernel.machine = #neon} {
  // Thirty-two registers of 16 bytes hold 6 x 16 too; heads share gathered rows, sixteen at most and half of them at most.
  // CHECK-LABEL: func.func @neon
  // CHECK: kernel.group "linear" schedule <m = 60, n = 16, k = 4096>
  // CHECK: kernel.group "attend" schedule <m = 12, n = 16, k = 36>
  func.func @neon(%x: tensor<?x4096xbf16>, %w: tensor<1024x4096xbf16>, %q: tensor<?x24x24xf32>,
                  %qr: tensor<?x24x12xf32>, %cache: !glm.cache<36xf32>, %sel: !glm.selection<10>,
                  %rows: !glm.rows) -> (tensor<?x1024xf32>, tensor<?x24x24xf32>) {
    %y = glm.linear %x, %w : tensor<?x4096xbf16>, tensor<1024x4096xbf16> -> tensor<?x1024xf32>
    %g = glm.gather %cache, %sel, %rows : !glm.cache<36xf32>, !glm.selection<10> -> tensor<?x?x36xf32>
    %o = glm.attend_latent %q, %qr, %g, %sel scale 0.17
       : tensor<?x24x24xf32>, tensor<?x24x12xf32>, tensor<?x?x36xf32>, !glm.selection<10>
         -> tensor<?x24x24xf32>
    return %y, %o : tensor<?x1024xf32>, tensor<?x24x24xf32>
  }
}
