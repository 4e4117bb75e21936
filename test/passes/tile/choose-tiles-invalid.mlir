// RUN: glm-opt %s --glm-choose-tiles --verify-diagnostics

// A tile is for a machine.
// expected-error @+1 {{[GLM0406]: module: has no kernel.machine; let the target describe itself first}}
module {}
