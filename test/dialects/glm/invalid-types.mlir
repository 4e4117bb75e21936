// RUN: glm-opt %s --verify-diagnostics --split-input-file

// A cache has one dimension.
// expected-error@+1 {{a cache has one dimension, its width, not 2}}
func.func @two_dimensions(%cache: !glm.cache<4x8xf32>) { return }

// -----

// A cache is not empty.
// expected-error@+1 {{a cache is at least 1 wide, not 0}}
func.func @no_width(%cache: !glm.cache<0xf32>) { return }

// -----

// A cache holds real numbers.
// expected-error@+1 {{a cache holds f32, bf16, f64 or i8, not 'i32'}}
func.func @integers(%cache: !glm.cache<8xi32>) { return }

// -----

// A selection selects.
// expected-error@+1 {{a selection keeps at least 1 key, not 0}}
func.func @no_keys(%selection: !glm.selection<0>) { return }

// -----

// A routing chooses experts that exist.
// expected-error@+1 {{a routing chooses between 1 and all 8 experts, not 9}}
func.func @too_many_experts(%routing: !glm.routing<8, 9>) { return }
