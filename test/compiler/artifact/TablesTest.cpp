// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What commands and dimensions of a module become in the flatbuffer.
#include "compiler/artifact/Tables.h"

#include "dialects/program/Program.h"

#include "runtime/artifact/Structure.h"
#include "runtime/schema/program_generated.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace glm;

namespace {

constexpr const char *source = R"mlir(
program.device @host cpu "any" needs [] description ""
program.dim @max_rows session max 8
program.dim @expanded_keys session max 128 min 0 preset 64
program.dim @rows step max 8 bound @max_rows
program.dim @keys step max 128 bound @expanded_keys
program.segment @code code align 4096 on @host
program.kernel @gathered in @code entry 64 scratch <0>
program.kernel @expanded in @code entry 128 scratch <0>
program.entry @step arena <max_rows * 64 + expanded_keys * 64> scratch <0> {
  %x = program.buffer dim "rows" at <0> size <max_rows * 64> : !kernel.buffer<?x16xf32>
  %k = program.buffer dim "keys" at <max_rows * 64> size <expanded_keys * 64> : !kernel.buffer<?x16xf32>
  program.port input "x" %x : !kernel.buffer<?x16xf32>
  program.branch <keys> less <1> {
    program.launch @gathered(%x) label "a" on @host : !kernel.buffer<?x16xf32>
  } otherwise {
    program.branch <rows> less <keys - 1> {
    } otherwise {
      program.barrier @host
      program.launch @expanded(%x, %k) label "a" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
    }
  }
}
)mlir";

class Tables : public testing::Test {
protected:
  Tables() {
    context.loadDialect<kernel::KernelDialect, program::ProgramDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
    if (module)
      bytes = artifact::buildProgram(*module, {artifact::SegmentPlace{}}, {.compiler = "test"});
  }
  const schema::Program &program() const { return *schema::GetProgram(bytes.data()); }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string bytes;
};

} // namespace

// A branch has both its sides and both its lists, however deep.
TEST_F(Tables, Branches) {
  ASSERT_TRUE(module);
  ASSERT_TRUE(runtime::isProgram(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  const auto &commands = *program().entries()->Get(0)->commands();
  ASSERT_EQ(commands.size(), 1u);
  const schema::Branch *branch = commands.Get(0)->body_as_Branch();
  ASSERT_TRUE(branch);
  EXPECT_EQ(branch->left()->terms()->Get(0)->op(), schema::ExprOp::dim);
  EXPECT_EQ(branch->left()->terms()->Get(0)->value(), 3);
  EXPECT_EQ(branch->right()->terms()->Get(0)->value(), 1);
  ASSERT_EQ(branch->less()->size(), 1u);
  EXPECT_EQ(branch->less()->Get(0)->body_as_Launch()->kernel(), 0u);
  ASSERT_EQ(branch->otherwise()->size(), 1u);
  const schema::Branch *inner = branch->otherwise()->Get(0)->body_as_Branch();
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->right()->terms()->size(), 3u);
  EXPECT_EQ(inner->less()->size(), 0u);
  ASSERT_EQ(inner->otherwise()->size(), 2u);
  EXPECT_TRUE(inner->otherwise()->Get(0)->body_as_Barrier());
}

// The word behind a buffer of keys is the dim keys, as it is rows behind a buffer of rows.
TEST_F(Tables, DynamicDimensions) {
  ASSERT_TRUE(module);
  const schema::Branch *inner = program()
                                    .entries()
                                    ->Get(0)
                                    ->commands()
                                    ->Get(0)
                                    ->body_as_Branch()
                                    ->otherwise()
                                    ->Get(0)
                                    ->body_as_Branch();
  const auto &args = *inner->otherwise()->Get(1)->body_as_Launch()->args();
  ASSERT_EQ(args.size(), 4u);
  EXPECT_EQ(args.Get(1)->kind(), schema::ArgKind::dim);
  EXPECT_EQ(args.Get(1)->index(), 2u);
  EXPECT_EQ(args.Get(3)->kind(), schema::ArgKind::dim);
  EXPECT_EQ(args.Get(3)->index(), 3u);
}

// What a session may choose, and what it takes when it does not.
TEST_F(Tables, Choices) {
  ASSERT_TRUE(module);
  const auto &dims = *program().dims();
  EXPECT_EQ(dims.Get(0)->min(), 1);
  EXPECT_EQ(dims.Get(0)->preset(), -1);
  EXPECT_EQ(dims.Get(1)->min(), 0);
  EXPECT_EQ(dims.Get(1)->preset(), 64);
  EXPECT_EQ(dims.Get(3)->bound(), 1);
  EXPECT_EQ(dims.Get(3)->preset(), -1);
  EXPECT_EQ(dims.Get(3)->min(), 1);
}
