// RUN: glm-opt %s --glm-apply-precision=precision=f16 --verify-diagnostics

// Only two precisions are compiled.
// expected-error @+1 {{[GLM0001]: precision: "f16" is neither bf16 nor f32; choose one of the two}}
module {}
