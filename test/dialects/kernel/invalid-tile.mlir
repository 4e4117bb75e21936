// RUN: glm-opt %s --split-input-file --verify-diagnostics
// One case for each rule of TileOps.td.

// dim C1
kernel.func @f(%x: !kernel.buffer<?x4xf32>) {
  // expected-error @below {{'kernel.dim' op dimension 2 of a buffer with 2}}
  %0 = kernel.dim %x, 2 : !kernel.buffer<?x4xf32>
  kernel.return
}

// -----
// flatten C1: two dimensions at least.
kernel.func @f(%x: !kernel.buffer<?xf32>) {
  // expected-error @below {{'kernel.flatten' op flattens a row-major buffer of at least two dimensions, not '!kernel.buffer<?xf32>'}}
  %0 = kernel.flatten %x : !kernel.buffer<?xf32> -> !kernel.buffer<?xf32>
  kernel.return
}

// -----
// flatten C1: the same memory.
kernel.func @f(%x: !kernel.buffer<?x3x4xf32>) {
  // expected-error @below {{'kernel.flatten' op '!kernel.buffer<?x5xf32>' is not '!kernel.buffer<?x3x4xf32>' with its first two dimensions as one}}
  %0 = kernel.flatten %x : !kernel.buffer<?x3x4xf32> -> !kernel.buffer<?x5xf32>
  kernel.return
}

// -----
// load_scalar C1: no layout.
kernel.func @f(%x: !kernel.buffer<4x4xf32, #kernel.panels<16, 1>>, %i: index) {
  // expected-error @below {{'kernel.load_scalar' op reads a row-major buffer, not a packed one}}
  %0 = kernel.load_scalar %x[%i, %i] : !kernel.buffer<4x4xf32, #kernel.panels<16, 1>> -> f32
  kernel.return
}

// -----
// load_scalar C1: an index for each dimension.
kernel.func @f(%x: !kernel.buffer<4x4xf32>, %i: index) {
  // expected-error @below {{'kernel.load_scalar' op expected 2 indices into '!kernel.buffer<4x4xf32>', found 1}}
  %0 = kernel.load_scalar %x[%i] : !kernel.buffer<4x4xf32> -> f32
  kernel.return
}

// -----
// load_tile C1
kernel.func @f(%x: !kernel.cache<4xf32>, %i: index) {
  // expected-error @below {{'kernel.load_tile' op expected 2 indices into '!kernel.cache<4xf32>', found 1}}
  %0 = kernel.load_tile %x[%i] : !kernel.cache<4xf32> -> !kernel.tile<1x4xf32>
  kernel.return
}

// -----
// load_tile C2: equal elements.
kernel.func @f(%x: !kernel.buffer<?x4xf32>, %i: index) {
  // expected-error @below {{'kernel.load_tile' op the memory holds 'f32', expected 'bf16'}}
  %0 = kernel.load_tile %x[%i, %i] : !kernel.buffer<?x4xf32> -> !kernel.tile<1x4xbf16>
  kernel.return
}

// -----
// load_tile C2: whole rows of a cache.
kernel.func @f(%x: !kernel.cache<4xf32>, %i: index) {
  // expected-error @below {{'kernel.load_tile' op the tile is 1x2, expected ?x4}}
  %0 = kernel.load_tile %x[%i, %i] : !kernel.cache<4xf32> -> !kernel.tile<1x2xf32>
  kernel.return
}

// -----
// store_tile C1: nothing packed.
kernel.func @f(%x: !kernel.buffer<4x4xf32, #kernel.panels<16, 1>>, %i: index) {
  %c = arith.constant 0.0 : f32
  %t = kernel.splat %c : f32 -> !kernel.tile<1x4xf32>
  // expected-error @below {{'kernel.store_tile' op writes row-major buffers and caches, not}}
  kernel.store_tile %t, %x[%i, %i] : !kernel.tile<1x4xf32>, !kernel.buffer<4x4xf32, #kernel.panels<16, 1>>
  kernel.return
}

// -----
// store_tile C2
kernel.func @f(%x: !kernel.buffer<4x4xbf16>, %i: index) {
  %c = arith.constant 0.0 : f32
  %t = kernel.splat %c : f32 -> !kernel.tile<1x4xf32>
  // expected-error @below {{'kernel.store_tile' op the memory holds 'bf16', expected 'f32'}}
  kernel.store_tile %t, %x[%i, %i] : !kernel.tile<1x4xf32>, !kernel.buffer<4x4xbf16>
  kernel.return
}

// -----
// gather_rows C1
kernel.func @f(%x: !kernel.buffer<?x4xf32>, %i: index) {
  %ids = kernel.iota : !kernel.tile<1x6xi32>
  // expected-error @below {{'kernel.gather_rows' op ids is 1x6, expected 1x5}}
  %0 = kernel.gather_rows %x[%i] by %ids : !kernel.buffer<?x4xf32>, !kernel.tile<1x6xi32> -> !kernel.tile<5x4xf32>
  kernel.return
}

// -----
// gather_rows C2
kernel.func @f(%x: !kernel.cache<4xf32, #kernel.lines<16>>, %i: index) {
  %ids = kernel.iota : !kernel.tile<1x6xi32>
  // expected-error @below {{'kernel.gather_rows' op gathers rows of row-major buffers of rank 2 and caches, not}}
  %0 = kernel.gather_rows %x[%i] by %ids : !kernel.cache<4xf32, #kernel.lines<16>>, !kernel.tile<1x6xi32> -> !kernel.tile<6x4xf32>
  kernel.return
}

// -----
// splat C1
kernel.func @f() {
  %c = arith.constant 0.0 : f32
  // expected-error @below {{'kernel.splat' op the tile holds 'bf16', expected 'f32'}}
  %t = kernel.splat %c : f32 -> !kernel.tile<1x4xbf16>
  kernel.return
}

// -----
// mma C1
kernel.func @f(%a: !kernel.buffer<?x8xf32>, %i: index) {
  %c = arith.constant 0.0 : f32
  %x = kernel.splat %c : f32 -> !kernel.tile<6x8xf32>
  %y = kernel.splat %c : f32 -> !kernel.tile<16x4xf32>
  %z = kernel.splat %c : f32 -> !kernel.tile<6x16xf32>
  // expected-error @below {{'kernel.mma' op b is 16x4, expected ?x8}}
  %0 = kernel.mma %x, %y, %z : !kernel.tile<6x8xf32>, !kernel.tile<16x4xf32>, !kernel.tile<6x16xf32>
  kernel.return
}

// -----
// mma C2
kernel.func @f() {
  %c = arith.constant 0 : i32
  %f = arith.constant 0.0 : f32
  %x = kernel.splat %c : i32 -> !kernel.tile<6x8xi32>
  %z = kernel.splat %f : f32 -> !kernel.tile<6x6xf32>
  // expected-error @below {{'kernel.mma' op a holds 'i32', expected f32, bf16 or i8}}
  %0 = kernel.mma %x, %x, %z : !kernel.tile<6x8xi32>, !kernel.tile<6x8xi32>, !kernel.tile<6x6xf32>
  kernel.return
}

// -----
// mma C3
kernel.func @f(%x: !kernel.buffer<8x96xi8>, %w: !kernel.buffer<16x96xi4, #kernel.panels<16, 8>>,
               %s: !kernel.buffer<16x5xf32, #kernel.panels<16, 1>>) {
  %i = arith.constant 0 : index
  %c = arith.constant 0.0 : f32
  %z = kernel.splat %c : f32 -> !kernel.tile<8x16xf32>
  %a = kernel.load_tile %x[%i, %i] : !kernel.buffer<8x96xi8> -> !kernel.tile<8x96xi8>
  %b = kernel.load_tile %w[%i, %i] : !kernel.buffer<16x96xi4, #kernel.panels<16, 8>> -> !kernel.tile<16x96xi4>
  %t = kernel.load_tile %s[%i, %i] : !kernel.buffer<16x5xf32, #kernel.panels<16, 1>> -> !kernel.tile<16x5xf32>
  // expected-error @below {{'kernel.mma' op 5 scales do not cut 96 columns into equal runs}}
  %0 = kernel.mma %a, %b, %z scales %t : !kernel.tile<16x5xf32> : !kernel.tile<8x96xi8>, !kernel.tile<16x96xi4>, !kernel.tile<8x16xf32>
  kernel.return
}

// -----
// mma C3
kernel.func @f() {
  %c = arith.constant 0.0 : f32
  %x = kernel.splat %c : f32 -> !kernel.tile<6x8xf32>
  %z = kernel.splat %c : f32 -> !kernel.tile<6x6xf32>
  // expected-error @below {{'kernel.mma' op has scales, which only integers have}}
  %0 = kernel.mma %x, %x, %z scales %x : !kernel.tile<6x8xf32> : !kernel.tile<6x8xf32>, !kernel.tile<6x8xf32>, !kernel.tile<6x6xf32>
  kernel.return
}

// -----
// map C1
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x4xf32>
  // expected-error @below {{'kernel.map' op operand 0 is 1x4, which does not repeat to 1x6}}
  %0 = kernel.map (%x) : (!kernel.tile<1x4xf32>) -> !kernel.tile<1x6xf32> {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
  kernel.return
}

// -----
// map C2: what the block takes.
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x4xf32>
  // expected-error @below {{'kernel.map' op the region takes ('i32'), expected ('f32')}}
  %0 = kernel.map (%x) : (!kernel.tile<1x4xf32>) -> !kernel.tile<1x4xi32> {
  ^bb0(%a: i32):
    kernel.yield %a : i32
  }
  kernel.return
}

// -----
// map C2: what it yields.
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x4xf32>
  // expected-error @below {{'kernel.map' op yields 'f32', expected 'i32'}}
  %0 = kernel.map (%x) : (!kernel.tile<1x4xf32>) -> !kernel.tile<1x4xi32> {
  ^bb0(%a: f32):
    kernel.yield %a : f32
  }
  kernel.return
}

// -----
// reduce C1
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x4xf32>
  // expected-error @below {{'kernel.reduce' op the result is 1x2, expected 1x1}}
  %0 = kernel.reduce sum %x along 1 : !kernel.tile<1x4xf32> -> !kernel.tile<1x2xf32>
  kernel.return
}

// -----
// reduce C1: equal runs of rows.
kernel.func @f() {
  %c = arith.constant 0.0 : f32
  %x = kernel.splat %c : f32 -> !kernel.tile<6x4xf32>
  // expected-error @below {{'kernel.reduce' op makes 4 rows of 6, which they do not divide}}
  %0 = kernel.reduce sum %x along 0 : !kernel.tile<6x4xf32> -> !kernel.tile<4x4xf32>
  kernel.return
}

// -----
// word_column C1: bytes become numbers of 32 bits.
kernel.func @f(%m: !kernel.buffer<16x36xi8>) {
  %c0 = arith.constant 0 : index
  %x = kernel.load_tile %m[%c0, %c0] : !kernel.buffer<16x36xi8> -> !kernel.tile<16x36xi8>
  // expected-error @below {{'kernel.word_column' op the result is 1x8, expected 1x16}}
  %0 = kernel.word_column %x at 32 : !kernel.tile<16x36xi8> -> !kernel.tile<1x8xf32>
  kernel.return
}

// -----
// word_column C2: a word inside the row.
kernel.func @f(%m: !kernel.buffer<16x36xi8>) {
  %c0 = arith.constant 0 : index
  %x = kernel.load_tile %m[%c0, %c0] : !kernel.buffer<16x36xi8> -> !kernel.tile<16x36xi8>
  // expected-error @below {{'kernel.word_column' op there is no word at 36 of 36 bytes}}
  %0 = kernel.word_column %x at 36 : !kernel.tile<16x36xi8> -> !kernel.tile<1x16xf32>
  kernel.return
}

// -----
// slice C1
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x4xf32>
  // expected-error @below {{'kernel.slice' op columns [2, 5) are not inside 4}}
  %0 = kernel.slice %x from 2 : !kernel.tile<1x4xf32> -> !kernel.tile<1x3xf32>
  kernel.return
}

// -----
// concat C1
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x4xf32>
  // expected-error @below {{'kernel.concat' op the result is 1x7, expected 1x8}}
  %0 = kernel.concat %x, %x : !kernel.tile<1x4xf32>, !kernel.tile<1x4xf32> -> !kernel.tile<1x7xf32>
  kernel.return
}

// -----
// rotate C1
kernel.func @f() {
  %x = kernel.iota : !kernel.tile<1x3xf32>
  // expected-error @below {{'kernel.rotate' op rotates pairs of columns, but x has 3}}
  %0 = kernel.rotate %x, %x half : !kernel.tile<1x3xf32>, !kernel.tile<1x3xf32>
  kernel.return
}

// -----
// iota C1
kernel.func @f() {
  // expected-error @below {{'kernel.iota' op the result is 2x4, expected 1x?}}
  %x = kernel.iota : !kernel.tile<2x4xf32>
  kernel.return
}

// -----
// stack_rows C1
kernel.func @f(%n: index) {
  // expected-error @below {{'kernel.stack_rows' op the yielded tile is 2x4, expected 1x4}}
  %x = kernel.stack_rows (%i) to %n -> !kernel.tile<8x4xf32> {
    %c = arith.constant 0.0 : f32
    %0 = kernel.splat %c : f32 -> !kernel.tile<2x4xf32>
    kernel.yield %0 : !kernel.tile<2x4xf32>
  }
  kernel.return
}

// -----
// stack_rows C2
kernel.func @f(%n: index) {
  // expected-error @below {{'kernel.stack_rows' op the yielded tile holds 'f32', expected 'bf16'}}
  %x = kernel.stack_rows (%i) to %n -> !kernel.tile<8x4xbf16> {
    %0 = kernel.iota : !kernel.tile<1x4xf32>
    kernel.yield %0 : !kernel.tile<1x4xf32>
  }
  kernel.return
}
