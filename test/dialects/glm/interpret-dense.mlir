// RUN: glm-opt %s --glm-interpret -o /dev/null --verify-diagnostics --split-input-file
// RUN: glm-opt %s --glm-interpret=f64 -o /dev/null --verify-diagnostics --split-input-file

// Embedding rows are picked by token and widened.
func.func @embed(%rows: !glm.rows {glm.value = dense<[[2, 0, 0], [0, 0, 1]]> : tensor<2x3xi32>})
    -> (tensor<?x2xf32> {glm.expected = dense<[[5.0, 6.0], [1.0, 2.0]]> : tensor<2x2xf32>}) {
  %table = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xbf16>
  %0 = glm.embed %table, %rows : tensor<3x2xbf16> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

// Only position 0 is masked, in every slot.
func.func @mask_start(%rows: !glm.rows {glm.value = dense<[[9, 0, 0], [9, 0, 1], [9, 4, 0]]> : tensor<3x3xi32>})
    -> (tensor<3x2xf32> {glm.expected = dense<[[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]]> : tensor<3x2xf32>}) {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %0 = glm.mask_start %x, %rows : tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

// Rows are taken in any order and number.
func.func @take_rows() -> (tensor<3x2xf32> {glm.expected = dense<[[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]> : tensor<3x2xf32>}) {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %i = arith.constant dense<[1, 0, 1]> : tensor<3xi32>
  %0 = glm.take_rows %x, %i : tensor<2x2xf32>, tensor<3xi32> -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

// A linear multiplies with rows of the weight.
func.func @linear() -> (tensor<2x3xf32> {glm.expected = dense<[[1.0, 2.0, 5.0], [3.0, 4.0, 11.0]]> : tensor<2x3xf32>}) {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w = arith.constant dense<[[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]]> : tensor<3x2xbf16>
  %0 = glm.linear %x, %w : tensor<2x2xf32>, tensor<3x2xbf16> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Every head has its own matrix; transposed, the same matrix maps the other way.
func.func @head_linear()
    -> (tensor<1x2x1xf32> {glm.expected = dense<[[[11.0], [2.0]]]> : tensor<1x2x1xf32>},
        tensor<1x2x2xf32> {glm.expected = dense<[[[11.0, 44.0], [-2.0, 2.0]]]> : tensor<1x2x2xf32>}) {
  %x = arith.constant dense<[[[3.0, 2.0], [1.0, 3.0]]]> : tensor<1x2x2xf32>
  %w = arith.constant dense<[[[1.0, 4.0]], [[-1.0, 1.0]]]> : tensor<2x1x2xbf16>
  %0 = glm.head_linear %x, %w : tensor<1x2x2xf32>, tensor<2x1x2xbf16> -> tensor<1x2x1xf32>
  %1 = glm.head_linear %0, %w transposed : tensor<1x2x1xf32>, tensor<2x1x2xbf16> -> tensor<1x2x2xf32>
  return %0, %1 : tensor<1x2x1xf32>, tensor<1x2x2xf32>
}

// -----

// The mean square of (3, 4) is 12.5; eps is added to it.
func.func @rms_norm() -> (tensor<1x2xf32> {glm.expected = dense<[[0.8320503, 2.2188008]]> : tensor<1x2xf32>}) {
  %x = arith.constant dense<[[3.0, 4.0]]> : tensor<1x2xf32>
  %g = arith.constant dense<[1.0, 2.0]> : tensor<2xbf16>
  %0 = glm.rms_norm %x, %g eps 0.5 : tensor<1x2xf32>, tensor<2xbf16> -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// Mean 2, biased variance 1, eps 3: the denominator is 2.
func.func @layer_norm() -> (tensor<1x2xf32> {glm.expected = dense<[[9.5, 21.0]]> : tensor<1x2xf32>}) {
  %x = arith.constant dense<[[1.0, 3.0]]> : tensor<1x2xf32>
  %g = arith.constant dense<[1.0, 2.0]> : tensor<2xbf16>
  %b = arith.constant dense<[10.0, 20.0]> : tensor<2xbf16>
  %0 = glm.layer_norm %x, %g, %b eps 3.0 : tensor<1x2xf32>, tensor<2xbf16>, tensor<2xbf16> -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

// Cosines, then sines; the second wave is longer by theta^(1/2).
func.func @rope_angles(%rows: !glm.rows {glm.value = dense<[[0, 0, 0], [0, 0, 100]]> : tensor<2x3xi32>})
    -> (tensor<?x4xf32> {glm.expected = dense<[[1.0, 1.0, 0.0, 0.0], [0.8623189, 0.5403023, -0.5063656, 0.8414710]]> : tensor<2x4xf32>}) {
  %0 = glm.rope_angles %rows theta 1.0e+04 : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Far out the product of two f32 is the angle: 31622.869141, where 1000003 * 10^-1.5 is 31622.871470 (cosine 0.920990).
func.func @rope_far(%rows: !glm.rows {glm.value = dense<[[0, 0, 1000003]]> : tensor<1x3xi32>})
    -> (tensor<?x4xf32> {glm.expected = dense<[[-0.8779865, 0.9200805, 0.4786854, -0.3917294]]> : tensor<1x4xf32>}) {
  %0 = glm.rope_angles %rows theta 1.0e+03 : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// A quarter turn of the first pair, none of the second: neighbours or halves.
func.func @rope()
    -> (tensor<1x1x4xf32> {glm.expected = dense<[[[-2.0, 1.0, 3.0, 4.0]]]> : tensor<1x1x4xf32>},
        tensor<1x4xf32> {glm.expected = dense<[[-3.0, 2.0, 1.0, 4.0]]> : tensor<1x4xf32>}) {
  %heads = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0]]]> : tensor<1x1x4xf32>
  %row = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %a = arith.constant dense<[[0.0, 1.0, 1.0, 0.0]]> : tensor<1x4xf32>
  %0 = glm.rope %heads, %a interleaved : tensor<1x1x4xf32>, tensor<1x4xf32>
  %1 = glm.rope %row, %a half : tensor<1x4xf32>, tensor<1x4xf32>
  return %0, %1 : tensor<1x1x4xf32>, tensor<1x4xf32>
}

// -----

// Arithmetic, one element at a time.
func.func @arithmetic()
    -> (tensor<2xf32> {glm.expected = dense<[5.0, 1.0]> : tensor<2xf32>},
        tensor<2xf32> {glm.expected = dense<[6.0, -2.0]> : tensor<2xf32>},
        tensor<2xf32> {glm.expected = dense<[1.761594, -0.268941]> : tensor<2xf32>}) {
  %x = arith.constant dense<[2.0, -1.0]> : tensor<2xf32>
  %y = arith.constant dense<[3.0, 2.0]> : tensor<2xf32>
  %0 = glm.add %x, %y : tensor<2xf32>
  %1 = glm.multiply %x, %y : tensor<2xf32>
  %2 = glm.silu %x : tensor<2xf32>
  return %0, %1, %2 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// bf16 has 8 bits of significand; ties go to the even neighbour; widening is exact.
func.func @cast() -> (tensor<5xf32> {glm.expected = dense<[1.0, 1.015625, 1.0078125, -3.0, 256.0]> : tensor<5xf32>,
                                     glm.tolerance = 0.0 : f64}) {
  %x = arith.constant dense<[1.00390625, 1.01171875, 1.0040, -3.0, 256.9]> : tensor<5xf32>
  %0 = glm.cast %x : tensor<5xf32> -> tensor<5xbf16>
  %1 = glm.cast %0 : tensor<5xbf16> -> tensor<5xf32>
  return %1 : tensor<5xf32>
}

// -----

// Columns are cut and joined, heads split and merged, in every row.
func.func @shapes()
    -> (tensor<2x2x1xf32> {glm.expected = dense<[[[2.0], [4.0]], [[6.0], [8.0]]]> : tensor<2x2x1xf32>},
        tensor<2x6xf32> {glm.expected = dense<[[2.0, 1.0, 2.0, 4.0, 3.0, 4.0], [6.0, 5.0, 6.0, 8.0, 7.0, 8.0]]> : tensor<2x6xf32>}) {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]> : tensor<2x4xf32>
  %0 = glm.split_heads %x : tensor<2x4xf32> -> tensor<2x2x2xf32>
  %1 = glm.slice %0 begin 1 : tensor<2x2x2xf32> -> tensor<2x2x1xf32>
  %2 = glm.concat %1, %0 : tensor<2x2x1xf32>, tensor<2x2x2xf32> -> tensor<2x2x3xf32>
  %3 = glm.merge_heads %2 : tensor<2x2x3xf32> -> tensor<2x6xf32>
  return %1, %3 : tensor<2x2x1xf32>, tensor<2x6xf32>
}
