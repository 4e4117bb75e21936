// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Equal text, equal kernel: there is nothing in a kernel.func that is not in its text, and kernels
// are few.
#include "passes/tile/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

namespace glm {
#define GEN_PASS_DEF_DEDUPLICATEKERNELS
#include "passes/tile/Passes.h.inc"
} // namespace glm

using namespace mlir;
using namespace glm;

namespace {

/// The kernel's text under another name.
std::string bodyOf(kernel::FuncOp kernel) {
  kernel::FuncOp copy = kernel.clone();
  copy.setSymName("kernel");
  std::string text;
  llvm::raw_string_ostream stream(text);
  copy.print(stream, OpPrintingFlags().useLocalScope());
  copy.erase();
  return text;
}

/// `linear_64x40_bf16_0` without the number that made it unique: names end in a letter or an
/// element type.
StringRef stemOf(StringRef name) {
  size_t last = name.rfind('_');
  StringRef tail = name.substr(last + 1);
  bool isNumber = !tail.empty() && llvm::all_of(tail, llvm::isDigit);
  return last != StringRef::npos && isNumber ? name.take_front(last) : name;
}

struct DeduplicateKernels : glm::impl::DeduplicateKernelsBase<DeduplicateKernels> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::StringMap<kernel::FuncOp> byBody;
    llvm::StringMap<unsigned> byStem;
    llvm::StringMap<StringAttr> renamed;
    SmallVector<kernel::FuncOp> unique;
    for (auto kernel : llvm::make_early_inc_range(module.getOps<kernel::FuncOp>())) {
      auto [entry, isNew] = byBody.try_emplace(bodyOf(kernel), kernel);
      if (isNew) {
        unsigned number = byStem[stemOf(kernel.getSymName())]++;
        std::string name = stemOf(kernel.getSymName()).str();
        if (number)
          name += "_" + std::to_string(number);
        renamed[kernel.getSymName()] = StringAttr::get(&getContext(), name);
        unique.push_back(kernel);
        continue;
      }
      renamed[kernel.getSymName()] = renamed[entry->second.getSymName()];
      kernel.erase();
      ++removed;
    }
    module.walk([&](kernel::LaunchOp launch) {
      if (StringAttr name = renamed.lookup(launch.getKernel()))
        launch.setKernelAttr(FlatSymbolRefAttr::get(name));
    });
    for (kernel::FuncOp kernel : unique)
      kernel.setSymNameAttr(renamed[kernel.getSymName()]);
    kept += unique.size();
  }
};

} // namespace
