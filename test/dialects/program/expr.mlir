// RUN: glm-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// Neutral elements and constants fold, parentheses stay where they are needed, and nothing is reordered.

// CHECK-LABEL: @folds
// CHECK-SAME: program.a = #program.expr<rows>
// CHECK-SAME: program.b = #program.expr<192>
// CHECK-SAME: program.c = #program.expr<0>
// CHECK-SAME: program.d = #program.expr<3>
module @folds attributes {program.a = #program.expr<(rows + 0) * 1>, program.b = #program.expr<align(2 * 65, 64)>,
                          program.c = #program.expr<rows * 0>, program.d = #program.expr<ceil_div(5, 2)>} {}

// -----

// CHECK-LABEL: @precedence
// CHECK-SAME: program.a = #program.expr<rows - (slots - 1)>
// CHECK-SAME: program.b = #program.expr<(rows + slots) * 4>
// CHECK-SAME: program.c = #program.expr<rows + slots * 4>
// CHECK-SAME: program.d = #program.expr<min(max(rows, 1), ceil_div(slots, 8))>
module @precedence attributes {program.a = #program.expr<rows - (slots - 1)>, program.b = #program.expr<(rows + slots) * 4>,
                               program.c = #program.expr<rows + slots * 4>,
                               program.d = #program.expr<min(max(rows, 1), ceil_div(slots, 8))>} {}

// -----

// A constant that does not fit stays unfolded for whoever evaluates it.
// CHECK-LABEL: @overflow
// CHECK-SAME: program.a = #program.expr<9223372036854775807 + 1>
module @overflow attributes {program.a = #program.expr<9223372036854775807 + 1>} {}

// -----

// expected-error @below {{'floor' is none of min, max, ceil_div and align}}
module attributes {program.a = #program.expr<floor(rows, 2)>} {}
