// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/fuse/FusionCheck.h"

#include "compiler/diagnostics/MlirDiagnostic.h"
#include "compiler/interpret/Interpreter.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <deque>
#include <map>
#include <random>
#include <set>

using namespace mlir;
using namespace glm;

namespace {

/// Rows of the random batch: not a multiple of any tile.
constexpr int64_t batch = 5;
/// Sizes above it are made small.
constexpr int64_t small = 16;
/// Numbers of all leaves together that are still worth running where sizes cannot be made small.
constexpr int64_t affordable = int64_t(1) << 26;

using Datum = interpret::Datum<float>;

//===--- The steps as functions ---------------------------------------------------------------===//

/// Copies what makes `value` from the leaves; what else it reads becomes a leaf too.
class Steps {
public:
  Steps(OpBuilder &builder, IRMapping &known) : builder(builder), known(known) {}

  Value copy(Value value) {
    if (Value there = known.lookupOrNull(value))
      return there;
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      copy(operand);
    builder.clone(*op, known);
    return known.lookup(value);
  }

  /// Values that have to come from outside: of no op, or of one that reads memory.
  static void findLeaves(Value value, llvm::SetVector<Value> &leaves) {
    if (leaves.contains(value))
      return;
    Operation *op = value.getDefiningOp();
    if (!op || !isStep(op) || isa<model::WeightValueOp, model::StateValueOp>(op)) {
      leaves.insert(value);
      return;
    }
    for (Value operand : op->getOperands())
      findLeaves(operand, leaves);
  }

private:
  /// Caches are leaves that nobody writes meanwhile.
  static bool isStep(Operation *op) {
    return isPure(op) || isa<model::GatherOp, model::SparseAttentionOp>(op);
  }

  OpBuilder &builder;
  IRMapping &known;
};

func::FuncOp makeFunction(ModuleOp module, StringRef name, Value value,
                          llvm::SetVector<Value> &leaves) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> inputs = llvm::to_vector(ValueRange(leaves.getArrayRef()).getTypes());
  auto function = func::FuncOp::create(builder, module.getLoc(), name,
                                       builder.getFunctionType(inputs, value.getType()));
  Block *block = function.addEntryBlock();
  IRMapping known;
  known.map(ValueRange(leaves.getArrayRef()), block->getArguments());
  OpBuilder body = OpBuilder::atBlockEnd(block);
  Value result = Steps(body, known).copy(value);
  func::ReturnOp::create(body, module.getLoc(), result);
  return function;
}

//===--- Small sizes --------------------------------------------------------------------------===//

/// Other sizes for a module's types, equal where they were equal, and f32 for every number. Codes
/// stay codes; a block as wide as a row still is.
class Shrinker {
public:
  explicit Shrinker(ModuleOp module) {
    std::set<int64_t> sizes;
    forEachType(module, [&](Type type) {
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        sizes.insert(tensor.getShape().begin(), tensor.getShape().end());
      return type;
    });
    for (int64_t size : sizes)
      if (size > small)
        sizeFor.emplace(size, small + 1 + int64_t(sizeFor.size()));
  }

  /// Numbers in attributes (`begin` of a slice) belong to the sizes they were written for.
  static bool mayShrink(ModuleOp module) {
    return !module
                .walk([](Operation *op) {
                  return isa<model::GlmDialect>(op->getDialect()) &&
                                 llvm::any_of(op->getAttrs(),
                                              [](NamedAttribute attribute) {
                                                return isa<IntegerAttr>(attribute.getValue());
                                              })
                             ? WalkResult::interrupt()
                             : WalkResult::advance();
                })
                .wasInterrupted();
  }

  void apply(ModuleOp module, bool sizes) {
    forEachType(module, [&](Type type) { return convert(type, sizes); });
    for (auto function : module.getOps<func::FuncOp>()) {
      Block &block = function.getBody().front();
      function.setType(FunctionType::get(module.getContext(), block.getArgumentTypes(),
                                         block.getTerminator()->getOperandTypes()));
    }
  }

private:
  Type convert(Type type, bool sizes) const {
    auto newSize = [&](int64_t size) {
      auto found = sizeFor.find(size);
      return sizes && found != sizeFor.end() ? found->second : size;
    };
    if (auto routing = dyn_cast<model::RoutingType>(type))
      return model::RoutingType::get(type.getContext(), newSize(routing.getExperts()),
                                     routing.getTopK());
    if (auto cache = dyn_cast<model::CacheType>(type))
      return model::CacheType::get(type.getContext(), newSize(cache.getWidth()),
                                   Float32Type::get(type.getContext()));
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || tensor.getElementType().isInteger(32))
      return type;
    Type element = tensor.getElementType();
    if (auto tied = dyn_cast<model::QuantizedType>(element))
      element = model::QuantizedType::get(type.getContext(), tied.getCode(),
                                          newSize(tied.getRows()), newSize(tied.getColumns()));
    else if (isa<FloatType>(element) && !isa<Float8E4M3FNType>(element))
      element = Float32Type::get(type.getContext());
    return RankedTensorType::get(llvm::map_to_vector(tensor.getShape(), newSize), element);
  }

  template <typename Function> static void forEachType(ModuleOp module, Function convert) {
    module.walk([&](Operation *op) {
      for (Value result : op->getResults())
        result.setType(convert(result.getType()));
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (BlockArgument argument : block.getArguments())
            argument.setType(convert(argument.getType()));
    });
  }

  std::map<int64_t, int64_t> sizeFor;
};

//===--- Random values ------------------------------------------------------------------------===//

class Values {
public:
  /// A value of that type for a batch of rows; nothing where there is no such thing.
  std::optional<Datum> of(Type type) {
    if (auto routing = dyn_cast<model::RoutingType>(type))
      return this->routing(routing);
    if (auto selection = dyn_cast<model::SelectionType>(type))
      return this->selection(selection.getLimit());
    if (auto cache = dyn_cast<model::CacheType>(type))
      return this->cache(cache.getWidth());
    if (isa<model::RowsType>(type))
      return rows();
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return std::nullopt;
    if (isa<model::QuantizedType>(tensor.getElementType()))
      return quantized(tensor);
    if (isCode(tensor.getElementType()))
      return codes(shapeOf(tensor), tensor.getElementType());
    if (tensor.getElementType().isInteger(32) && tensor.hasStaticShape())
      return biases(tensor);
    if (!isa<FloatType>(tensor.getElementType()))
      return std::nullopt;
    return numbers(tensor);
  }

private:
  float real() { return std::uniform_real_distribution<float>(-1, 1)(engine); }
  int32_t below(int64_t bound) { return int32_t(engine() % uint64_t(bound)); }

  static std::vector<int64_t> shapeOf(RankedTensorType type) {
    std::vector<int64_t> shape = type.getShape().vec();
    for (size_t i = 0; i < shape.size(); ++i)
      if (ShapedType::isDynamic(shape[i]))
        shape[i] = i == 0 ? batch : longest;
    return shape;
  }

  static bool isCode(Type type) {
    return type.isInteger(8) || type.isInteger(4) || isa<Float8E4M3FNType>(type);
  }

  /// Every code that is a number.
  interpret::Tensor<float> codes(std::vector<int64_t> shape, Type code) {
    interpret::Tensor<float> tensor(std::move(shape), interpret::elementOf(code));
    int32_t range = code.isInteger(4) ? 16 : 256;
    for (size_t i = 0; i < tensor.count(); ++i) {
      int32_t number = below(range);
      if (code.isInteger())
        tensor.data()[i] = float(number - range / 2);
      else // the two codes of no number have all bits of the magnitude
        tensor.data()[i] = interpret::fromF8E4M3(uint8_t((number & 0x7f) == 0x7f ? 0 : number));
    }
    return tensor;
  }

  /// Codes of numbers as large as `numbers` makes them, with the scales of their blocks.
  Datum quantized(RankedTensorType type) {
    auto element = cast<model::QuantizedType>(type.getElementType());
    std::vector<int64_t> shape = shapeOf(type), blocks = shape;
    int64_t &rows = blocks[blocks.size() - 2], &columns = blocks.back();
    rows = llvm::divideCeil(rows, element.getRows());
    columns = llvm::divideCeil(columns, element.getColumns());
    float largest = element.getCode().isInteger(4) ? 8 : element.getCode().isInteger() ? 128 : 448;
    float size = type.hasStaticShape() ? 1.7f / std::sqrt(float(shape.back())) : 1.0f;
    interpret::Tensor<float> scales(blocks, interpret::Element::F32);
    for (size_t i = 0; i < scales.count(); ++i)
      scales.data()[i] = size / largest * (1 + real() / 2);
    return interpret::Quantized<float>{codes(shape, element.getCode()),
                                       scales,
                                       {},
                                       {},
                                       size_t(element.getRows()),
                                       size_t(element.getColumns()),
                                       element.getCode().isInteger()};
  }

  /// What stands beside integer sums.
  Datum biases(RankedTensorType type) {
    interpret::Integers integers{type.getShape().vec(), {}};
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      integers.values.push_back(below(2001) - 1000);
    return integers;
  }

  /// Weights scaled so that their products with rows are about as large as the rows.
  Datum numbers(RankedTensorType type) {
    std::vector<int64_t> shape = shapeOf(type);
    float scale = type.hasStaticShape() ? 1.7f / std::sqrt(float(shape.back())) : 1.0f;
    interpret::Tensor<float> tensor(shape, interpret::Element::F32);
    for (size_t i = 0; i < tensor.count(); ++i)
      tensor.data()[i] = scale * real();
    return tensor;
  }

  Datum routing(model::RoutingType type) {
    interpret::Routing<float> routing{size_t(type.getExperts()), size_t(type.getTopK()), {}, {}};
    for (int64_t row = 0; row < batch; ++row) {
      std::set<int32_t> chosen;
      while (int64_t(chosen.size()) < type.getTopK())
        chosen.insert(below(type.getExperts()));
      routing.ids.insert(routing.ids.end(), chosen.begin(), chosen.end());
      for (int64_t i = 0; i < type.getTopK(); ++i)
        routing.weights.push_back(real());
    }
    return routing;
  }

  /// Row `i` selects `i + 1` keys of a few more, as far as the limit goes.
  Datum selection(int64_t limit) {
    interpret::Selection selection;
    for (int64_t row = 0; row < batch; ++row) {
      std::set<int32_t> chosen;
      while (int64_t(chosen.size()) < std::min(limit, row + 1))
        chosen.insert(below(2 * longest));
      selection.append(std::vector<int32_t>(chosen.begin(), chosen.end()));
    }
    return selection;
  }

  /// The last rows of a sequence, behind all keys that a selection has.
  Datum rows() {
    interpret::Rows rows;
    for (int64_t row = 0; row < batch; ++row)
      rows.push_back({0, 0, int32_t(2 * longest + row), 0});
    return rows;
  }

  /// That sequence, whole.
  Datum cache(int64_t width) {
    interpret::Cache<float> &cache = caches.emplace_back(width, interpret::Element::F32);
    std::vector<float> values(width);
    for (int64_t position = 0; position < 2 * longest + batch; ++position) {
      for (float &value : values)
        value = real();
      cache.write(0, int32_t(position), values.data());
    }
    return &cache;
  }

  std::deque<interpret::Cache<float>> caches;
  /// Length of the longest selection.
  static constexpr int64_t longest = batch;
  std::mt19937_64 engine{1};
};

int64_t numbersIn(func::FuncOp function) {
  int64_t sum = 0;
  for (Type type : function.getArgumentTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (tensor.hasStaticShape())
        sum += tensor.getNumElements();
  return sum;
}

//===--- Both sides ---------------------------------------------------------------------------===//

struct Sides {
  OwningOpRef<ModuleOp> module;
  func::FuncOp before, now;
};

Sides makeSides(Value before, Value now, llvm::SetVector<Value> &leaves) {
  Sides sides{ModuleOp::create(now.getLoc()), {}, {}};
  sides.before = makeFunction(*sides.module, "before", before, leaves);
  sides.now = makeFunction(*sides.module, "now", now, leaves);
  return sides;
}

/// Both functions in f32, small where that is possible; null where they cannot be run.
Sides makeRunnable(Value before, Value now, llvm::SetVector<Value> &leaves) {
  MLIRContext *context = now.getContext();
  ScopedDiagnosticHandler quiet(context, [](mlir::Diagnostic &) { return success(); });
  Sides sides = makeSides(before, now, leaves);
  Shrinker shrinker(*sides.module);
  bool isSmall = Shrinker::mayShrink(*sides.module);
  shrinker.apply(*sides.module, isSmall);
  if (failed(verify(*sides.module)) && isSmall) {
    sides = makeSides(before, now, leaves);
    shrinker.apply(*sides.module, false);
  }
  if (failed(verify(*sides.module)) || numbersIn(sides.now) > affordable)
    return {};
  return sides;
}

using Difference = std::optional<std::string>;

/// The same experts for every row, with weights that differ by `tolerance` at most.
Difference difference(const interpret::Routing<float> &before, const interpret::Routing<float> &now,
                      double tolerance) {
  if (before.ids != now.ids)
    return "other experts";
  for (size_t i = 0; i < before.weights.size(); ++i)
    if (!(std::abs(double(before.weights[i]) - double(now.weights[i])) <= tolerance))
      return llvm::formatv("weight {0} instead of {1} at {2}", now.weights[i], before.weights[i], i)
          .str();
  return std::nullopt;
}

bool isComparable(const Datum &datum) {
  return std::holds_alternative<interpret::Tensor<float>>(datum) ||
         std::holds_alternative<interpret::Routing<float>>(datum);
}

/// Where two values differ, tensors by more than `tolerance` times the largest number; nothing if
/// nowhere.
Difference difference(const Datum &before, const Datum &now, double tolerance) {
  if (auto *routing = std::get_if<interpret::Routing<float>>(&now))
    return difference(std::get<interpret::Routing<float>>(before), *routing, tolerance);
  interpret::Tensor<float> a = std::get<interpret::Tensor<float>>(before).held();
  interpret::Tensor<float> b = std::get<interpret::Tensor<float>>(now).held();
  if (a.shape() != b.shape())
    return "another shape";
  double largest = 0;
  for (size_t i = 0; i < a.count(); ++i)
    largest = std::max(largest, std::abs(double(a.data()[i])));
  for (size_t i = 0; i < a.count(); ++i)
    if (!(std::abs(double(a.data()[i]) - double(b.data()[i])) <= tolerance * largest))
      return llvm::formatv("{0} instead of {1} at element {2}", b.data()[i], a.data()[i], i).str();
  return std::nullopt;
}

/// Runs both; a message where they differ, nothing where they agree, failure where they do not run.
FailureOr<std::optional<std::string>> run(Sides &sides, double tolerance) {
  Values values;
  std::vector<Datum> arguments;
  for (Type type : sides.now.getArgumentTypes()) {
    std::optional<Datum> datum = values.of(type);
    if (!datum)
      return failure();
    arguments.push_back(std::move(*datum));
  }
  interpret::Interpreter<float> interpreter(*sides.module, "");
  auto before = interpreter.call(sides.before, arguments);
  auto now = interpreter.call(sides.now, arguments);
  if (failed(before) || failed(now) || !isComparable(now->front()))
    return failure();
  return difference(before->front(), now->front(), tolerance);
}

} // namespace

void FusionCheck::compare(Value before, Value now, ArrayRef<Value> given, double tolerance) {
  if (!enabled)
    return;
  llvm::SetVector<Value> leaves(given.begin(), given.end());
  Steps::findLeaves(before, leaves);
  Steps::findLeaves(now, leaves);
  Operation *op = now.getDefiningOp();
  std::string name = op->getName().getStringRef().str();
  Sides sides = makeRunnable(before, now, leaves);
  auto found = sides.module ? run(sides, tolerance) : FailureOr<std::optional<std::string>>();
  if (::failed(found)) {
    op->emitWarning("glm-verify-fusions: not compared, its steps cannot be run on small values");
    return;
  }
  ++count;
  if (!*found) {
    op->emitRemark("glm-verify-fusions: equal to what it replaced");
    return;
  }
  different = true;
  emitCoded(op, {Code::VerificationFailed, name,
                 "the interpreter finds another function than the steps it replaced: " + **found,
                 "report the model and this message"});
}
