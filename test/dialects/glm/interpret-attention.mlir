// RUN: glm-opt %s --glm-interpret -o /dev/null --verify-diagnostics --split-input-file
// RUN: glm-opt %s --glm-interpret=f64 -o /dev/null --verify-diagnostics --split-input-file

glm.state @keys : !glm.cache<2xf32>

// Two slots grow side by side. A later call sees what an earlier one wrote, each row its own slot up to itself; a head
// counts only where its product is positive.
func.func @first(%rows: !glm.rows {glm.value = dense<[[0, 0, 0], [0, 1, 0], [0, 0, 1]]> : tensor<3x3xi32>}) {
  %keys = glm.state_value @keys : !glm.cache<2xf32>
  %values = arith.constant dense<[[1.0, 0.0], [9.0, 9.0], [0.0, 1.0]]> : tensor<3x2xf32>
  glm.append %values, %keys, %rows : tensor<3x2xf32>, !glm.cache<2xf32>
  return
}
// expected-remark@+1 {{result 0 is [[5, -20, 0], [9, -inf, -inf]]}}
func.func @scores(%rows: !glm.rows {glm.value = dense<[[0, 0, 2, 7], [0, 1, 0, 7]]> : tensor<2x4xi32>}) -> tensor<?x?xf32> {
  %keys = glm.state_value @keys : !glm.cache<2xf32>
  %values = arith.constant dense<[[-1.0, 0.0], [1.0, 2.0]]> : tensor<2x2xf32>
  glm.append %values, %keys, %rows : tensor<2x2xf32>, !glm.cache<2xf32>
  %q = arith.constant dense<[[[1.0, -1.0], [-0.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]]> : tensor<2x2x2xf32>
  %w = arith.constant dense<[[0.5, -1.0], [0.5, 0.2]]> : tensor<2x2xf32>
  %s = glm.index_scores %q, %w, %keys, %rows scale 10.0 : tensor<2x2x2xf32>, tensor<2x2xf32>, !glm.cache<2xf32> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}

// -----

// A cache of codes: numbers are rounded to 127ths of the largest of their row, halves to even, queries too; a row of
// zeros has a scale of zero.
glm.state @keys : !glm.cache<2xi8>
func.func @before(%rows: !glm.rows {glm.value = dense<[[0, 0, 0], [0, 0, 1]]> : tensor<2x3xi32>}) {
  %keys = glm.state_value @keys : !glm.cache<2xi8>
  %values = arith.constant dense<[[127.0, 1.4], [-127.0, 63.5]]> : tensor<2x2xf32>
  glm.append %values, %keys, %rows : tensor<2x2xf32>, !glm.cache<2xi8>
  return
}
// expected-remark@+1 {{result 0 is [[32262, 0, 0]]}}
func.func @codes(%rows: !glm.rows {glm.value = dense<[[0, 0, 2]]> : tensor<1x3xi32>}) -> tensor<?x?xf32> {
  %keys = glm.state_value @keys : !glm.cache<2xi8>
  %values = arith.constant dense<[[0.0, 0.0]]> : tensor<1x2xf32>
  glm.append %values, %keys, %rows : tensor<1x2xf32>, !glm.cache<2xi8>
  %q = arith.constant dense<[[[127.0, 2.5]]]> : tensor<1x1x2xf32>
  %w = arith.constant dense<[[2.0]]> : tensor<1x1xf32>
  %s = glm.index_scores %q, %w, %keys, %rows scale 1.0 : tensor<1x1x2xf32>, tensor<1x1xf32>, !glm.cache<2xi8> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}

// -----

// The best two of the visible keys, ascending; equal scores in favour of the lower position; all keys where there are
// no more. A later key is out of sight whatever its score.
// expected-remark@+1 {{result 0 is [[0], [0, 1], [0, 2], [1, 3]]}}
func.func @select(%rows: !glm.rows {glm.value = dense<[[0, 0, 0], [0, 0, 1], [0, 0, 3], [0, 0, 3]]> : tensor<4x3xi32>})
    -> (!glm.selection<2>, tensor<?x2xi32> {glm.expected = dense<[[0, -1], [0, 1], [0, 2], [1, 3]]> : tensor<4x2xi32>}) {
  %s = arith.constant dense<[[1.0, 9.0, 9.0, 9.0], [1.0, 2.0, 9.0, 9.0], [5.0, 4.0, 5.0, 5.0], [0.0, 1.0, -1.0, 2.0]]> : tensor<4x4xf32>
  %0 = glm.select_top_k %s, %rows : tensor<4x4xf32> -> !glm.selection<2>
  %1 = glm.selection_ids %0 : !glm.selection<2> -> tensor<?x2xi32>
  return %0, %1 : !glm.selection<2>, tensor<?x2xi32>
}

// -----

// Ids become the selection they came from.
// expected-remark@+1 {{result 0 is [[3, 4], [0], []]}}
func.func @of_ids() -> !glm.selection<2> {
  %ids = arith.constant dense<[[3, 4], [0, -1], [-1, -1]]> : tensor<3x2xi32>
  %0 = glm.selection_of_ids %ids : tensor<3x2xi32> -> !glm.selection<2>
  return %0 : !glm.selection<2>
}

// -----

glm.state @latent : !glm.cache<3xbf16>

// A narrow cache rounds what is written to it; a row that selects less ends early.
// expected-remark@+1 {{result 0 is [}}
func.func @gather(%rows: !glm.rows {glm.value = dense<[[0, 0, 0], [0, 0, 1]]> : tensor<2x3xi32>}) -> tensor<?x?x3xbf16> {
  %cache = glm.state_value @latent : !glm.cache<3xbf16>
  %values = arith.constant dense<[[1.0, 2.0, 1.001], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  glm.append %values, %cache, %rows : tensor<2x3xf32>, !glm.cache<3xbf16>
  %ids = arith.constant dense<[[0, -1], [0, 1]]> : tensor<2x2xi32>
  %sel = glm.selection_of_ids %ids : tensor<2x2xi32> -> !glm.selection<2>
  %g = glm.gather %cache, %sel, %rows : !glm.cache<3xbf16>, !glm.selection<2> -> tensor<?x?x3xbf16>
  return %g : tensor<?x?x3xbf16>
}

// -----

// Both forms of attention are one function: W_UK applied before and W_UV after, or inside.
// Latents (1, 0) and (0, 1), rope keys 0 and 1; one head with keys of width 1 and values of width 1.
func.func @attend()
    -> (tensor<1x1x1xf32> {glm.expected = dense<[[[3.6224593]]]> : tensor<1x1x1xf32>},
        tensor<1x1x1xf32> {glm.expected = dense<[[[3.6224593]]]> : tensor<1x1x1xf32>}) {
  %qn = arith.constant dense<[[[2.0]]]> : tensor<1x1x1xf32>
  %qr = arith.constant dense<[[[-1.0]]]> : tensor<1x1x1xf32>
  %g = arith.constant dense<[[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]]> : tensor<1x2x3xf32>
  %kv_b = arith.constant dense<[[0.5, 1.5], [3.0, 4.0]]> : tensor<2x2xf32>
  %ids = arith.constant dense<[[0, 1]]> : tensor<1x2xi32>
  %sel = glm.selection_of_ids %ids : tensor<1x2xi32> -> !glm.selection<2>
  %0 = glm.attend_expanded %qn, %qr, %g, %kv_b, %sel scale 0.5
     : tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1x2x3xf32>, tensor<2x2xf32>, !glm.selection<2> -> tensor<1x1x1xf32>
  %uk = glm.head_rows %kv_b begin 0 : tensor<2x2xf32> -> tensor<1x1x2xf32>
  %uv = glm.head_rows %kv_b begin 1 : tensor<2x2xf32> -> tensor<1x1x2xf32>
  %q = glm.head_linear %qn, %uk transposed : tensor<1x1x1xf32>, tensor<1x1x2xf32> -> tensor<1x1x2xf32>
  %o = glm.attend_latent %q, %qr, %g, %sel scale 0.5
     : tensor<1x1x2xf32>, tensor<1x1x1xf32>, tensor<1x2x3xf32>, !glm.selection<2> -> tensor<1x1x2xf32>
  %1 = glm.head_linear %o, %uv : tensor<1x1x2xf32>, tensor<1x1x2xf32> -> tensor<1x1x1xf32>
  return %0, %1 : tensor<1x1x1xf32>, tensor<1x1x1xf32>
}

// -----

// What lies beyond a row's selection is not looked at, whatever it is.
func.func @attend_ragged()
    -> (tensor<2x1x1xf32> {glm.expected = dense<[[[7.0]], [[8.0]]]> : tensor<2x1x1xf32>},
        tensor<2x1x1xf32> {glm.expected = dense<[[[14.0]], [[16.0]]]> : tensor<2x1x1xf32>}) {
  %q = arith.constant dense<[[[1.0]], [[1.0]]]> : tensor<2x1x1xf32>
  %g = arith.constant dense<[[[7.0, 0.0], [0x7FC00000, 0x7FC00000]], [[8.0, 1.0], [8.0, 2.0]]]> : tensor<2x2x2xf32>
  %kv_b = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %ids = arith.constant dense<[[0, -1], [0, 1]]> : tensor<2x2xi32>
  %sel = glm.selection_of_ids %ids : tensor<2x2xi32> -> !glm.selection<2>
  %0 = glm.attend_latent %q, %q, %g, %sel scale 1.0
     : tensor<2x1x1xf32>, tensor<2x1x1xf32>, tensor<2x2x2xf32>, !glm.selection<2> -> tensor<2x1x1xf32>
  %1 = glm.attend_expanded %q, %q, %g, %kv_b, %sel scale 1.0
     : tensor<2x1x1xf32>, tensor<2x1x1xf32>, tensor<2x2x2xf32>, tensor<2x1xf32>, !glm.selection<2> -> tensor<2x1x1xf32>
  return %0, %1 : tensor<2x1x1xf32>, tensor<2x1x1xf32>
}
