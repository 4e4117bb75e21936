// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From kernels to LLVM IR.

#ifndef GLM_TARGETS_CPU_PASSES_TD
#define GLM_TARGETS_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def VectorizeKernelsPass : Pass<"glm-vectorize-kernels", "::mlir::ModuleOp"> {
  let summary = "turn kernels into functions of scalar and vector code";
  let description = [{
    Every `kernel.func` becomes a `func.func` with the signature of `kernel_abi.h`: tile values become
    views of memory, vectors of rank 1 of the machine's width, or places in the worker's scratch, whose size
    is left on the function. Reads `kernel.machine` of the module.

    ```mlir
    kernel.func @double(%x: !kernel.buffer<?x64xf32>, %y: !kernel.buffer<?x64xf32>) { ... }
    ```
    becomes
    ```mlir
    func.func @double(%args: !llvm.ptr, %worker: i32, %workers: i32, %scratch: !llvm.ptr)
        attributes {glm.scratch = 0 : i64} { ... scf.for ... vector<16xf32> ... }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::x86vector::X86VectorDialect"];
  let statistics = [Statistic<"kernels", "kernels", "Kernels turned into functions">];
}

def LowerKernelToLLVMPass : Pass<"glm-lower-kernel-to-llvm", "::mlir::ModuleOp"> {
  let summary = "lower vector code to the LLVM dialect";
  let description = [{
    Functions of `glm-vectorize-kernels` become LLVM functions that call nothing: `math` is expanded into
    arithmetic (exp within 1 ulp, sin and cos through f64 with exact reduction of large arguments), bf16
    into integer steps where the machine has no instruction, then the standard conversions run.

    ```mlir
    %y = math.exp %x : vector<16xf32>
    ```
    becomes a polynomial and two multiplications by powers of two.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
                           "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect", "::mlir::ub::UBDialect",
                           "::mlir::vector::VectorDialect"];
  let statistics = [Statistic<"functions", "functions", "Functions lowered">];
}

#endif // GLM_TARGETS_CPU_PASSES_TD
