// RUN: glm-opt %s --glm-interpret -o /dev/null --verify-diagnostics --split-input-file

// A result that is not the expected one fails, and says what it is.
// expected-error@+1 {{'func.func' op result 0 is [3, 4], expected dense<[3.000000e+00, 5.000000e+00]> : tensor<2xf32>}}
func.func @wrong() -> (tensor<2xf32> {glm.expected = dense<[3.0, 5.0]> : tensor<2xf32>}) {
  %x = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  return %x : tensor<2xf32>
}

// -----

// A result of another size is another result.
// expected-error@+1 {{'func.func' op result 0 is [[3]], expected dense<3.000000e+00> : tensor<2x1xf32>}}
func.func @size() -> (tensor<?x1xf32> {glm.expected = dense<[[3.0], [3.0]]> : tensor<2x1xf32>}) {
  %x = arith.constant dense<3.0> : tensor<2x1xf32>
  %i = arith.constant dense<0> : tensor<1xi32>
  %0 = glm.take_rows %x, %i : tensor<2x1xf32>, tensor<1xi32> -> tensor<?x1xf32>
  return %0 : tensor<?x1xf32>
}

// -----

// A batch has rows of three or four numbers.
// expected-error@+1 {{'func.func' op argument 0 of type '!glm.rows' does not take its glm.value}}
func.func @rows(%rows: !glm.rows {glm.value = dense<[[0, 0]]> : tensor<1x2xi32>}) { return }

// -----

// A token is one of the vocabulary.
func.func @token(%rows: !glm.rows {glm.value = dense<[[3, 0, 0]]> : tensor<1x3xi32>}) -> tensor<?x2xf32> {
  %table = arith.constant dense<1.0> : tensor<3x2xbf16>
  // expected-error@+1 {{'glm.embed' op token 3 is not one of the 3 of the table}}
  %0 = glm.embed %table, %rows : tensor<3x2xbf16> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

// A row that is taken is there.
func.func @taken() -> tensor<1x2xf32> {
  %x = arith.constant dense<1.0> : tensor<3x2xf32>
  %i = arith.constant dense<3> : tensor<1xi32>
  // expected-error@+1 {{'glm.take_rows' op takes row 3 of 3}}
  %0 = glm.take_rows %x, %i : tensor<3x2xf32>, tensor<1xi32> -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

glm.state @keys : !glm.cache<2xf32>

// A cache has no gaps.
func.func @gap(%rows: !glm.rows {glm.value = dense<[[0, 0, 1]]> : tensor<1x3xi32>}) {
  %keys = glm.state_value @keys : !glm.cache<2xf32>
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  // expected-error@+1 {{'glm.append' op writes position 1 of slot 0 before the positions in front of it}}
  glm.append %x, %keys, %rows : tensor<1x2xf32>, !glm.cache<2xf32>
  return
}

// -----

glm.state @keys : !glm.cache<2xf32>

// Keys are appended before they are scored.
func.func @unwritten(%rows: !glm.rows {glm.value = dense<[[0, 0, 0]]> : tensor<1x3xi32>}) -> tensor<?x?xf32> {
  %keys = glm.state_value @keys : !glm.cache<2xf32>
  %q = arith.constant dense<1.0> : tensor<1x1x2xf32>
  %w = arith.constant dense<1.0> : tensor<1x1xf32>
  // expected-error@+1 {{'glm.index_scores' op reads position 0 of slot 0, which was not appended}}
  %s = glm.index_scores %q, %w, %keys, %rows scale 1.0 : tensor<1x1x2xf32>, tensor<1x1xf32>, !glm.cache<2xf32> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}

// -----

glm.state @latent : !glm.cache<2xf32>

// No row looks ahead.
func.func @ahead(%rows: !glm.rows {glm.value = dense<[[0, 0, 0], [0, 0, 1]]> : tensor<2x3xi32>}) -> tensor<?x?x2xf32> {
  %cache = glm.state_value @latent : !glm.cache<2xf32>
  %x = arith.constant dense<1.0> : tensor<2x2xf32>
  glm.append %x, %cache, %rows : tensor<2x2xf32>, !glm.cache<2xf32>
  %ids = arith.constant dense<[[1], [0]]> : tensor<2x1xi32>
  %sel = glm.selection_of_ids %ids : tensor<2x1xi32> -> !glm.selection<1>
  // expected-error@+1 {{'glm.gather' op row at position 0 of slot 0 selects position 1}}
  %g = glm.gather %cache, %sel, %rows : !glm.cache<2xf32>, !glm.selection<1> -> tensor<?x?x2xf32>
  return %g : tensor<?x?x2xf32>
}

// -----

// A batch and a tensor of one entry have equally many rows.
func.func @lengths(%rows: !glm.rows {glm.value = dense<[[0, 0, 0]]> : tensor<1x3xi32>}) -> tensor<2x2xf32> {
  %x = arith.constant dense<1.0> : tensor<2x2xf32>
  // expected-error@+1 {{'glm.mask_start' op has a batch of 1 rows and a tensor of 2}}
  %0 = glm.mask_start %x, %rows : tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

glm.weight @w : tensor<2xbf16> from "no-such.safetensors" at 0

// A weight's file is looked for when the weight is used.
func.func @no_file() -> tensor<2xbf16> {
  // expected-error@+1 {{[GLM0101]: ./no-such.safetensors: No such file or directory}}
  %0 = glm.weight_value @w : tensor<2xbf16>
  return %0 : tensor<2xbf16>
}

// -----

glm.weight @w : tensor<2xbf16> from "../secret" at 0

// A weight's file is in the folder of the checkpoint.
func.func @escape() -> tensor<2xbf16> {
  // expected-error@+1 {{[GLM0113]: ../secret: names a file outside the checkpoint's folder}}
  %0 = glm.weight_value @w : tensor<2xbf16>
  return %0 : tensor<2xbf16>
}

// -----

// An operation of another dialect has no meaning here.
func.func @unknown() -> tensor<2xf32> {
  // expected-error@+1 {{'tensor.empty' op has no interpretation}}
  %0 = tensor.empty() : tensor<2xf32>
  return %0 : tensor<2xf32>
}
