// RUN: glm-opt %s --split-input-file --verify-diagnostics
// One case for each rule of types and attributes.

// expected-error @below {{only the first dimension of a buffer may be dynamic}}
func.func private @f(!kernel.buffer<4x?xf32>)

// -----
// expected-error @below {{a buffer holds f32, f64, bf16, i32, i8, i4 or f8E4M3FN, not 'f16'}}
func.func private @f(!kernel.buffer<4xf16>)

// -----
// expected-error @below {{a packed buffer has two static dimensions, or a number of such matrices}}
func.func private @f(!kernel.buffer<?x4xf32, #kernel.panels<16, 1>>)

// -----
// expected-error @below {{a buffer is row-major or packed in #kernel.panels, not #kernel.lines<16>}}
func.func private @f(!kernel.buffer<4x4xf32, #kernel.lines<16>>)

// -----
// expected-error @below {{a panel has at least one row and one column, not 0 and 1}}
func.func private @f(!kernel.buffer<4x4xf32, #kernel.panels<0, 1>>)

// -----
// expected-error @below {{a bank has three static dimensions: experts, rows, columns}}
func.func private @f(!kernel.bank<4x4xf32>)

// -----
// expected-error @below {{a cache has one dimension, its width, not 2}}
func.func private @f(!kernel.cache<4x4xf32>)

// -----
// expected-error @below {{a cache is at least 1 wide, not 0}}
func.func private @f(!kernel.cache<0xf32>)

// -----
// expected-error @below {{a cache stores rows or #kernel.lines, not #kernel.panels<16, 1>}}
func.func private @f(!kernel.cache<4xf32, #kernel.panels<16, 1>>)

// -----
// expected-error @below {{rows packed in lines are whole words of 32 bits, not 3 x 'bf16'}}
func.func private @f(!kernel.cache<3xbf16, #kernel.lines<16>>)

// -----
// expected-error @below {{a line holds at least one row, not 0}}
func.func private @f(!kernel.cache<4xbf16, #kernel.lines<0>>)

// -----
// expected-error @below {{a tile has two dimensions, not 1}}
func.func private @f(!kernel.tile<4xf32>)

// -----
// expected-error @below {{a tile has at least one row and one column, not 0x4}}
func.func private @f(!kernel.tile<0x4xf32>)
