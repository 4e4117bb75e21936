// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checkpoint whose values are known to many digits, written once for all tests of a process.
#ifndef GLM_TEST_COMPILER_MUTATIONS_T1_H
#define GLM_TEST_COMPILER_MUTATIONS_T1_H

#include "compiler/import/Glm5.h"
#include "test/compiler/mutations/Mutation.h"
#include "tools/npy/Npy.h"

#include "mlir/IR/Verifier.h"

#include <cstdlib>
#include <unistd.h>

namespace glm::mutations {

inline constexpr size_t vocabulary = 96, promptRows = 20, lastRow = 19;
/// Rows that see no more keys than are selected: a wrong selection cannot be seen in them.
inline constexpr size_t shortRows = 6;

template <typename Base> class T1 : public Base {
protected:
  static void SetUpTestSuite() {
    folder = testing::TempDir() + "t1-mutations-" + std::to_string(getpid());
    std::string command = std::string(GLM_PYTHON) + " " + GLM_MAKE_T1 + " " + folder;
    ASSERT_EQ(std::system(command.c_str()), 0);
    ASSERT_FALSE(npy::readIds(folder + "/tokens.npy", tokens));
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder); }

  /// The imported module, changed.
  static mlir::OwningOpRef<mlir::ModuleOp> import(mlir::MLIRContext &context, const Change &change,
                                                  bool drafts = false) {
    context.loadDialect<mlir::arith::ArithDialect>();
    ImportOptions options;
    options.noMtp = !drafts;
    auto module = importCheckpoint(folder, options, context);
    EXPECT_TRUE(module.ok()) << module.status();
    change(**module);
    EXPECT_TRUE(mlir::succeeded(mlir::verify(**module)));
    return std::move(*module);
  }

  static inline std::string folder;
  static inline std::vector<int64_t> tokens;
};

/// Logits 0 to 3 of a row, to so many digits as the table has.
template <typename Number>
void expectRow(const std::vector<Number> &logits, size_t row, const std::vector<double> &wanted,
               double tolerance) {
  ASSERT_GE(logits.size(), (row + 1) * vocabulary);
  for (size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(double(logits[row * vocabulary + i]), wanted[i], tolerance) << "logit " << i;
}

} // namespace glm::mutations

#endif
