// RUN: glm-opt %s --split-input-file --verify-diagnostics

// block_rows C1
kernel.func @f(%x: !kernel.buffer<?x4x32xf32>) {
  // expected-error @below {{'kernel.block_rows' op blocks rows of a row-major buffer with two dimensions, not}}
  %0 = kernel.block_rows %x by 64 : !kernel.buffer<?x4x32xf32> -> !kernel.buffer<?x64x32xf32>
  kernel.return
}

// -----
// block_rows C2
kernel.func @f(%x: !kernel.buffer<?x100xf32>) {
  // expected-error @below {{'kernel.block_rows' op a block of 64 rows has 6400 elements, no multiple of a matrix's 2048}}
  %0 = kernel.block_rows %x by 64 : !kernel.buffer<?x100xf32> -> !kernel.buffer<?x64x32xf32>
  kernel.return
}

// -----
// transpose C1
kernel.func @f() {
  %c = arith.constant 0.0 : f32
  %x = kernel.splat %c : f32 -> !kernel.tile<4x8xf32>
  // expected-error @below {{'kernel.transpose' op the result is 4x8, expected 8x4}}
  %0 = kernel.transpose %x : !kernel.tile<4x8xf32> -> !kernel.tile<4x8xf32>
  kernel.return
}

// -----
// hidden_bits C1
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x8xf32>
  // expected-error @below {{'kernel.hidden_bits' op ids holds 'f32', expected 'i32'}}
  %0 = kernel.hidden_bits %x : !kernel.tile<1x8xf32> -> !kernel.tile<1x4xi32>
  kernel.return
}

// -----
// unpack_bits C1
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x2xi32>
  // expected-error @below {{'kernel.unpack_bits' op the result is 1x32, expected 1x64}}
  %0 = kernel.unpack_bits %x : !kernel.tile<1x2xi32> -> !kernel.tile<1x32xi32>
  kernel.return
}
