// RUN: glm-opt %s --verify-diagnostics --split-input-file

// buffer C1
func.func @f() {
  // expected-error @below {{'program.buffer' op needs the name of its dynamic dimension in `dim`}}
  %0 = program.buffer : !kernel.buffer<?x64xf32>
  return
}

// -----

// buffer C1
func.func @f() {
  // expected-error @below {{'program.buffer' op has `dim` but no dynamic dimension in '!kernel.buffer<64xf32>'}}
  %0 = program.buffer dim "rows" : !kernel.buffer<64xf32>
  return
}

// -----

// buffer C2
func.func @f() {
  // expected-error @below {{'program.buffer' op holds intermediate values, which have no layout, not '!kernel.buffer<40x64xf32, #kernel.panels<16, 1>>'}}
  %0 = program.buffer : !kernel.buffer<40x64xf32, #kernel.panels<16, 1>>
  return
}

// -----

// buffer C3
func.func @f() {
  // expected-error @below {{'program.buffer' op has one of `at` and `size`; they come together}}
  %0 = program.buffer at <0> : !kernel.buffer<64xf32>
  return
}

// -----

// weight_ref C1
func.func @f() {
  // expected-error @below {{'program.weight_ref' op a weight is static, not '!kernel.buffer<?x64xf32>'}}
  %0 = program.weight_ref @w : !kernel.buffer<?x64xf32>
  return
}

// -----

// weight_ref C2
func.func @f() {
  // expected-error @below {{'program.weight_ref' op rows of heads have three dimensions, not 2}}
  %0 = program.weight_ref @w derive <begin = 0, transposed = false> : !kernel.buffer<40x64xf32>
  return
}

// -----

// pack C1
func.func @f(%w: !kernel.buffer<40x64xf32>) {
  // expected-error @below {{'program.pack' op does not turn '!kernel.buffer<40x64xf32>' into '!kernel.bank<2x20x64xf32>'}}
  %0 = program.pack %w : !kernel.buffer<40x64xf32> -> !kernel.bank<2x20x64xf32>
  return
}

// -----

// pack C1
func.func @f(%w: !kernel.buffer<?x64xf32>) {
  // expected-error @below {{'program.pack' op a weight is static, but '!kernel.buffer<?x64xf32>' becomes '!kernel.buffer<40x64xf32>'}}
  %0 = program.pack %w : !kernel.buffer<?x64xf32> -> !kernel.buffer<40x64xf32>
  return
}

// -----

// pack C2
func.func @f(%w: !kernel.buffer<40x64xf32>) {
  // expected-error @below {{'program.pack' op keeps the shape, but '!kernel.buffer<40x64xf32>' becomes '!kernel.buffer<64x40xf32>'}}
  %0 = program.pack %w : !kernel.buffer<40x64xf32> -> !kernel.buffer<64x40xf32>
  return
}

// -----

// pack C2
func.func @f(%w: !kernel.buffer<40x64xf32>) {
  // expected-error @below {{'program.pack' op takes rows of heads out of a matrix, but '!kernel.buffer<40x64xf32>' becomes '!kernel.buffer<20x64xf32>'}}
  %0 = program.pack %w derive <begin = 0, transposed = false> : !kernel.buffer<40x64xf32> -> !kernel.buffer<20x64xf32>
  return
}
