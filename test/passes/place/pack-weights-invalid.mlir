// RUN: glm-opt %s --glm-pack-weights --verify-diagnostics --split-input-file

program.entry @step {
  // expected-error @below {{'program.weight_ref' op there is no glm.weight @a}}
  %a = program.weight_ref @a : !kernel.buffer<64xbf16>
}

// -----

// Packing changes layout and type, never the shape.
glm.weight @a : tensor<32xbf16> from "f" at 0
program.entry @step {
  // expected-error @below {{'program.weight_ref' op wants '!kernel.buffer<64xbf16>' of a weight of type 'tensor<32xbf16>'}}
  %a = program.weight_ref @a : !kernel.buffer<64xbf16>
}

// -----

glm.bank @b : tensor<2x4x4xbf16> tensors "{}" from ["f"] [0, 0] at [0, 0]
program.entry @step {
  // expected-error @below {{'program.bank_ref' op wants '!kernel.bank<2x4x8xbf16>' of a bank of type 'tensor<2x4x4xbf16>'}}
  %a = program.bank_ref @b : !kernel.bank<2x4x8xbf16>
}

// -----

// A cache has one layout for all its readers.
glm.state @s : !glm.cache<32xbf16>
program.entry @step {
  %a = program.state_ref @s : !kernel.cache<32xbf16>
  // expected-error @below {{'program.state_ref' op wants @s as '!kernel.cache<32xbf16, #kernel.lines<16>>', another reader as '!kernel.cache<32xbf16>'}}
  %b = program.state_ref @s : !kernel.cache<32xbf16, #kernel.lines<16>>
}

// -----

glm.state @s : !glm.cache<32xf32>
program.entry @step {
  // expected-error @below {{'program.state_ref' op wants '!kernel.cache<32xbf16>' of a state of type '!glm.cache<32xf32>'}}
  %a = program.state_ref @s : !kernel.cache<32xbf16>
}
