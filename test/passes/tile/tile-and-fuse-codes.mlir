// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles --glm-tile-and-fuse | FileCheck %s
// RUN: glm-opt %s --glm-form-kernels --glm-choose-tiles --glm-tile-and-fuse --glm-bufferize-boundaries | FileCheck %s --check-prefix=MEMORY

module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 32768, l2 = 1048576, l3 = 33554432, bf16_dot = false, cache_line_rows = 16, page_rows = 1024>} {
  // A row and its scale are made together; the product reads both.
  func.func private @dynamic(%x: tensor<?x64xf32>, %w: tensor<40x64xi8>, %s: tensor<40x1xf32>) -> tensor<?x40xf32> {
    %c, %t = glm.quantize %x columns 64 : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>
    %r = glm.quantized %c, %t : tensor<?x64xi8>, tensor<?x1xf32> -> tensor<?x64x!glm.quantized<i8, 1, 64>>
    %q = glm.quantized %w, %s : tensor<40x64xi8>, tensor<40x1xf32> -> tensor<40x64x!glm.quantized<i8, 1, 64>>
    %y = glm.linear %r, %q : tensor<?x64x!glm.quantized<i8, 1, 64>>, tensor<40x64x!glm.quantized<i8, 1, 64>> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }
  // A bias is added to the integer sum; rows have no scale.
  func.func private @static(%x: tensor<?x64xf32>, %i: tensor<1xf32>, %o: tensor<1xf32>, %w: tensor<40x64xi8>, %s: tensor<40x1xf32>,
                            %b: tensor<40xi32>) -> tensor<?x40xf32> {
    %c = glm.quantize_static %x, %i, %o : tensor<?x64xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<?x64xi8>
    %q = glm.quantized %w, %s bias %b : tensor<40xi32> : tensor<40x64xi8>, tensor<40x1xf32> -> tensor<40x64x!glm.quantized<i8, 1, 64>>
    %y = glm.linear %c, %q : tensor<?x64xi8>, tensor<40x64x!glm.quantized<i8, 1, 64>> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }
  // Blocks of 128 columns, the last of 32; one scale for a panel and a block.
  func.func private @blocks(%x: tensor<?x160xf32>, %w: tensor<152x160xf8E4M3FN>, %s: tensor<2x2xf32>) -> tensor<?x152xf32> {
    %q = glm.quantized %w, %s : tensor<152x160xf8E4M3FN>, tensor<2x2xf32> -> tensor<152x160x!glm.quantized<f8E4M3FN, 128, 128>>
    %y = glm.linear %x, %q : tensor<?x160xf32>, tensor<152x160x!glm.quantized<f8E4M3FN, 128, 128>> -> tensor<?x152xf32>
    return %y : tensor<?x152xf32>
  }
  // Zeros lie beside the scales.
  func.func private @shifted(%r: tensor<?x64xi8>, %w: tensor<40x64xbf16>) -> tensor<?x40xf32> {
    %c, %s, %z = glm.quantize %w columns 32 asymmetric : tensor<40x64xbf16> -> tensor<40x64xi4>, tensor<40x2xf32>, tensor<40x2xi8>
    %q = glm.quantized %c, %s zeros %z : tensor<40x2xi8> : tensor<40x64xi4>, tensor<40x2xf32> -> tensor<40x64x!glm.quantized<i4, 1, 32>>
    %y = glm.linear %r, %q : tensor<?x64xi8>, tensor<40x64x!glm.quantized<i4, 1, 32>> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }
  // Runs of 32 columns: one product of all columns, whose scales lie in panels beside the codes.
  func.func private @runs(%x: tensor<?x96xi8>, %w: tensor<40x96xf32>) -> tensor<?x40xf32> {
    %c, %s = glm.quantize %w columns 32 : tensor<40x96xf32> -> tensor<40x96xi4>, tensor<40x3xf32>
    %q = glm.quantized %c, %s : tensor<40x96xi4>, tensor<40x3xf32> -> tensor<40x96x!glm.quantized<i4, 1, 32>>
    %y = glm.linear %x, %q : tensor<?x96xi8>, tensor<40x96x!glm.quantized<i4, 1, 32>> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }
  // The last run is shorter: a product of its own.
  func.func private @rest(%x: tensor<?x80xi8>, %w: tensor<40x80xi4>, %s: tensor<40x3xf32>) -> tensor<?x40xf32> {
    %q = glm.quantized %w, %s : tensor<40x80xi4>, tensor<40x3xf32> -> tensor<40x80x!glm.quantized<i4, 1, 32>>
    %y = glm.linear %x, %q : tensor<?x80xi8>, tensor<40x80x!glm.quantized<i4, 1, 32>> -> tensor<?x40xf32>
    return %y : tensor<?x40xf32>
  }
}

// CHECK-LABEL: kernel.func @rows_quantize_64_f32
// CHECK: %[[M:.*]] = kernel.reduce max
// CHECK: %[[S:.*]] = kernel.map{{ ?}}(%[[M]])
// CHECK: %[[C:.*]] = kernel.map{{ ?}}(%{{.*}}, %[[S]]) : {{.*}} -> {{.*}}<1x64xi8>
// CHECK: math.roundeven
// CHECK: kernel.store_tile %[[C]]
// CHECK: kernel.store_tile %[[S]]

// CHECK-LABEL: kernel.func @linear_64x40_i8(
// CHECK-SAME: !kernel.buffer<?x64xi8>, %{{.*}}: !kernel.buffer<?x1xf32>, %{{.*}}: !kernel.buffer<40x64xi8, #kernel.panels<16, 4>>, %{{.*}}: !kernel.buffer<1x40xf32>, %{{.*}}: !kernel.buffer<?x40xf32>
// CHECK: kernel.mma {{.*}}xi8>, {{.*}}xi8>, {{.*}}xi32>
// CHECK: kernel.map
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK: arith.mulf

// CHECK-LABEL: kernel.func @linear_64x40_i8_0
// CHECK-SAME: !kernel.buffer<?x64xi8>, %{{.*}}: !kernel.buffer<40x64xi8, #kernel.panels<16, 4>>, %{{.*}}: !kernel.buffer<1x40xf32>, %{{.*}}: !kernel.buffer<1x40xi32>
// CHECK: kernel.map
// CHECK: arith.addi %{{.*}} : i32
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK-NOT: arith.mulf
// CHECK: kernel.store_tile

// CHECK-LABEL: kernel.func @linear_160x152_f8E4M3FN
// CHECK-SAME: !kernel.buffer<152x160xf8E4M3FN, #kernel.panels<{{.*}}, 1>>, %{{.*}}: !kernel.buffer<2x2xf32>
// CHECK: kernel.mma {{.*}}x128xf32>, {{.*}}x128xf8E4M3FN>
// CHECK: kernel.mma {{.*}}x32xf32>, {{.*}}x32xf8E4M3FN>

// CHECK-LABEL: kernel.func @linear_64x40_i4
// CHECK-SAME: !kernel.buffer<40x64xi4, #kernel.panels<16, 8>>, %[[S:.*]]: !kernel.buffer<40x2xf32, #kernel.panels<16, 1>>, %[[Z:.*]]: !kernel.buffer<40x2xi8, #kernel.panels<16, 1>>
// CHECK: %[[ST:.*]] = kernel.load_tile %[[S]]
// CHECK: %[[ZT:.*]] = kernel.load_tile %[[Z]]
// CHECK: kernel.mma {{.*}} scales %[[ST]] : !kernel.tile<16x2xf32> zeros %[[ZT]] : !kernel.tile<16x2xi8>

// CHECK-LABEL: kernel.func @linear_96x40_i4
// CHECK-SAME: !kernel.buffer<40x96xi4, #kernel.panels<16, 8>>, %{{.*}}: !kernel.buffer<40x3xf32, #kernel.panels<16, 1>>
// CHECK: kernel.mma {{.*}} scales %{{.*}} : !kernel.tile<16x3xf32> : {{.*}}x96xi8>, <16x96xi4>, {{.*}}xf32>
// CHECK-NOT: kernel.mma
// CHECK-LABEL: kernel.func @linear_80x40_i4
// CHECK: kernel.mma {{.*}} scales %{{.*}} : !kernel.tile<16x1xf32> : {{.*}}x32xi8>, <16x32xi4>
// CHECK: kernel.mma {{.*}} scales %{{.*}} : !kernel.tile<16x1xf32> : {{.*}}x16xi8>, <16x16xi4>

// Every part is made of the same weight.
// MEMORY-LABEL: func.func private @shifted
// MEMORY-DAG: program.pack %[[W:.*]] {quantize = #program.quantize<part = "codes", bits = 4, columns = 32, asymmetric = true>}
// MEMORY-DAG: program.pack %[[W]] {quantize = #program.quantize<part = "scales", bits = 4, columns = 32, asymmetric = true>} : {{.*}} -> !kernel.buffer<40x2xf32, #kernel.panels<16, 1>>
// MEMORY-DAG: program.pack %[[W]] {quantize = #program.quantize<part = "zeros", bits = 4, columns = 32, asymmetric = true>} : {{.*}} -> !kernel.buffer<40x2xi8, #kernel.panels<16, 1>>
