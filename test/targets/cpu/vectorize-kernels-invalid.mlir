// RUN: glm-opt %s --split-input-file --verify-diagnostics --glm-vectorize-kernels
// What has no code says so at the op.

// The machine decides the width of vectors.
// expected-error @below {{has no kernel.machine, which describe gives}}
module {
}

// -----
// Pages are addressed with shifts.
// expected-error @below {{vectors of 64 bytes and pages of 1000 rows: expected 16, 32 or 64 bytes and a power of two}}
module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 1, l2 = 1, l3 = 1, bf16_dot = true, cache_line_rows = 16, page_rows = 1000>} {
}

// -----
// Packed weights are operands of mma, nothing else.
module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 1, l2 = 1, l3 = 1, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
kernel.func @f(%w: !kernel.buffer<16x4xf32, #kernel.panels<16, 1>>, %y: !kernel.buffer<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %t = kernel.load_tile %w[%c0, %c0] : !kernel.buffer<16x4xf32, #kernel.panels<16, 1>> -> !kernel.tile<16x4xf32>
  // expected-error @below {{'kernel.store_tile' op has no code for this target: a packed tile is an operand of mma only}}
  kernel.store_tile %t, %y[%c0, %c0] : !kernel.tile<16x4xf32>, !kernel.buffer<?x4xf32>
  kernel.return
}
}

// -----
// Panels are as wide as whole vectors.
module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 1, l2 = 1, l3 = 1, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
kernel.func @f(%w: !kernel.buffer<16x4xf32, #kernel.panels<8, 1>>) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'kernel.load_tile' op has no code for this target: panels of 8 rows are no multiple of 16, the lanes of a vector}}
  %t = kernel.load_tile %w[%c0, %c0] : !kernel.buffer<16x4xf32, #kernel.panels<8, 1>> -> !kernel.tile<16x4xf32>
  kernel.return
}
}

// -----
// Rows of a cache are read within a page.
module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 1, l2 = 1, l3 = 1, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
kernel.func @f(%w: !kernel.cache<4xf32>, %t: index) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'kernel.load_tile' op has no code for this target: 24 positions cross the edge of a page}}
  %0 = kernel.load_tile %w[%c0, %t] : !kernel.cache<4xf32> -> !kernel.tile<24x4xf32>
  kernel.return
}
}

// -----
// Kernels hold scalars and tiles, no calls.
module attributes {kernel.machine = #kernel.machine<target = "cpu", vector_bytes = 64, registers = 32, l1 = 1, l2 = 1, l3 = 1, bf16_dot = true, cache_line_rows = 16, page_rows = 1024>} {
func.func private @g()
kernel.func @f(%t: index) {
  // expected-error @below {{'func.call' op has no code for this target: it is not an operation on scalars or tiles}}
  func.call @g() : () -> ()
  kernel.return
}
}
