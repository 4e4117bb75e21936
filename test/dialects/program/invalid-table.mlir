// RUN: glm-opt %s --verify-diagnostics --split-input-file

// dim C1
// expected-error @below {{'program.dim' op is at most 0, which is not positive}}
program.dim @rows session max 0

// -----

// dim C2
// expected-error @below {{'program.dim' op a step dimension has a bound and others have none, but this one is step without one}}
program.dim @rows step max 8

// -----

// dim C2
// expected-error @below {{'program.dim' op a step dimension has a bound and others have none, but this one is session with one}}
program.dim @rows session max 8 bound @max_rows

// -----

// dim C3
// expected-error @below {{'program.dim' op only a session dimension has `min` and `preset`, this one is fixed}}
program.dim @width fixed max 8 preset 4

// -----

// dim C3
// expected-error @below {{'program.dim' op 0 <= min <= preset <= max does not hold for 0, 9 and 8}}
program.dim @expanded_keys session max 8 min 0 preset 9

// -----

// segment C1
// expected-error @below {{'program.segment' op is aligned to a power of two of at least 64 bytes, not 96}}
program.segment @code code align 96 on @host

// -----

// weight C1
// expected-error @below {{'program.weight' op is static, but 'tensor<?xbf16>' becomes '!kernel.buffer<64xbf16>'}}
program.weight @w : !kernel.buffer<64xbf16> in @weights at 0 size 128 group @g from "w" tensor<?xbf16> file "a" position 0

// -----

// weight C2
// expected-error @below {{'program.weight' op lies at a multiple of 64, not at 32}}
program.weight @w : !kernel.buffer<64xbf16> in @weights at 32 size 128 group @g from "w" tensor<64xbf16> file "a" position 0

// -----

// weight C3
// expected-error @below {{'program.weight' op takes 8192 bytes as '!kernel.buffer<40x64xbf16, #kernel.panels<64, 2>>', not 5120}}
program.weight @w : !kernel.buffer<40x64xbf16, #kernel.panels<64, 2>> in @weights at 0 size 5120 group @g from "w" tensor<40x64xbf16> file "a" position 0

// -----

// weight C4
// expected-error @below {{'program.weight' op keeps its shape, but 'tensor<32xbf16>' becomes '!kernel.buffer<64xbf16>'}}
program.weight @w : !kernel.buffer<64xbf16> in @weights at 0 size 128 group @g from "w" tensor<32xbf16> file "a" position 0

// -----

// bank C1
// expected-error @below {{'program.bank' op has three dimensions and keeps its shape, but 'tensor<2x64x36xbf16>' becomes '!kernel.bank<2x36x64xbf16>'}}
program.bank @b : !kernel.bank<2x36x64xbf16> in @weights at [0, 8192] slab 8192 group @g from "{}" tensor<2x64x36xbf16> files ["a"] [0, 0] positions [0, 0]

// -----

// bank C2
// expected-error @below {{'program.bank' op lists 1 offsets, 2 files and 2 positions for 2 experts}}
program.bank @b : !kernel.bank<2x36x64xbf16> in @weights at [0] slab 8192 group @g from "{}" tensor<2x36x64xbf16> files ["a"] [0, 0] positions [0, 0]

// -----

// bank C3
// expected-error @below {{'program.bank' op slabs lie at multiples of 4096, not at 64}}
program.bank @b : !kernel.bank<2x36x64xbf16> in @weights at [0, 64] slab 8192 group @g from "{}" tensor<2x36x64xbf16> files ["a"] [0, 0] positions [0, 0]

// -----

// bank C4
// expected-error @below {{'program.bank' op takes slabs of 8192 bytes as '!kernel.bank<2x36x64xbf16>', not 4096}}
program.bank @b : !kernel.bank<2x36x64xbf16> in @weights at [0, 8192] slab 4096 group @g from "{}" tensor<2x36x64xbf16> files ["a"] [0, 0] positions [0, 0]

// -----

// state C1
// expected-error @below {{'program.state' op has pages of 100 rows, which is not a positive multiple of 16}}
program.state @s : !kernel.cache<32xbf16, #kernel.lines<16>> page_rows 100 on @host

// -----

// kernel C1
// expected-error @below {{'program.kernel' op is entered at -1}}
program.kernel @k in @code entry -1 scratch <0>

// -----

// level C1: a number for each kernel
// expected-error @below {{'program.level' op has 1 entries and 1 sizes of scratch for 0 kernels}}
program.level @l "znver4" needs [] description "{}" in @code entries [64] scratch [0]

// -----

// level C1: not negative
program.kernel @k in @code entry 0 scratch <0>
// expected-error @below {{'program.level' op has the negative number -8}}
program.level @l "znver4" needs [] description "{}" in @code entries [64] scratch [-8]

// -----

// communication C1
// expected-error @below {{'program.communication' op takes at least 2 ranks, not 1}}
program.communication @c ranks 1
