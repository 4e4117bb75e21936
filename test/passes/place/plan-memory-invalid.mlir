// RUN: glm-opt %s --pass-pipeline='builtin.module(program.entry(glm-plan-memory))' --verify-diagnostics

program.entry @step {
  // expected-error @below {{'program.buffer' op has a dimension "rows" the module does not declare}}
  %a = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
}
