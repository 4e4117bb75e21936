// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/tile/KernelBuilder.h"

using namespace mlir;
using namespace glm;
using namespace glm::kernel;

KernelBuilder::KernelBuilder(Location loc, ScheduleAttr schedule)
    : top(loc.getContext()), body(loc.getContext()), loc(loc), f32(top.getF32Type()),
      i32(top.getI32Type()) {
  function = FuncOp::create(top, loc, "kernel", top.getFunctionType({}, {}), schedule,
                            /*arg_attrs=*/ArrayAttr(), /*res_attrs=*/ArrayAttr());
  Block &block = function.getBody().emplaceBlock();
  body.setInsertionPointToEnd(&block);
  top.setInsertionPoint(kernel::ReturnOp::create(body, loc));
  body.setInsertionPoint(&block.back());
}

KernelBuilder::~KernelBuilder() {
  if (function)
    function.erase();
}

//===--- Arguments ----------------------------------------------------------------------------===//

Value KernelBuilder::input(Value operand, Type memory, bool transposed) {
  Block &block = function.getBody().front();
  for (auto [index, known] : llvm::enumerate(operands))
    if (known == operand && block.getArgument(index).getType() == memory &&
        isTransposed[index] == transposed)
      return block.getArgument(index);
  operands.push_back(operand);
  isTransposed.push_back(transposed);
  return block.insertArgument(operands.size() - 1, memory, loc);
}

Value KernelBuilder::update(Value operand, Type memory) {
  updated.push_back(operands.size());
  return input(operand, memory);
}

Value KernelBuilder::output(Type memory) {
  return function.getBody().front().addArgument(memory, loc);
}

//===--- Prologue -----------------------------------------------------------------------------===//

Value KernelBuilder::index(int64_t value) {
  Value &constant = constants[value];
  if (!constant)
    constant = arith::ConstantIndexOp::create(top, loc, value);
  return constant;
}

Value KernelBuilder::dim(Value buffer) {
  return DimOp::create(top, loc, top.getIndexType(), buffer, 0);
}

Value KernelBuilder::flatten(Value buffer) {
  auto type = cast<BufferType>(buffer.getType());
  SmallVector<int64_t> shape(type.getShape().drop_front());
  shape[0] = ShapedType::kDynamic;
  auto flat = BufferType::get(type.getContext(), shape, type.getElementType(), Attribute());
  return FlattenOp::create(top, loc, flat, buffer);
}

ValueRange KernelBuilder::parallel(ValueRange bounds, ArrayRef<int64_t> steps) {
  auto grid = ParallelOp::create(top, loc, bounds, steps);
  top.setInsertionPoint(grid);
  Block &block = grid.getBody().emplaceBlock();
  SmallVector<Location> locations(steps.size(), loc);
  SmallVector<Type> types(steps.size(), top.getIndexType());
  block.addArguments(types, locations);
  body.setInsertionPointToEnd(&block);
  YieldOp::create(body, loc);
  body.setInsertionPointToStart(&block);
  return block.getArguments();
}

//===--- Tiles --------------------------------------------------------------------------------===//

Value KernelBuilder::load(Value memory, ValueRange indices, int64_t rows, int64_t columns) {
  auto type = TileType::get(loc.getContext(), rows, columns, elementOf(memory.getType()));
  return LoadTileOp::create(body, loc, type, memory, indices);
}

void KernelBuilder::store(Value tile, Value memory, ValueRange indices, Value valid) {
  StoreTileOp::create(body, loc, tile, memory, indices, valid);
}

Value KernelBuilder::splat(Value scalar, int64_t rows, int64_t columns) {
  auto type = TileType::get(loc.getContext(), rows, columns, scalar.getType());
  return SplatOp::create(body, loc, type, scalar);
}

Value KernelBuilder::zeros(int64_t rows, int64_t columns) {
  return splat(arith::ConstantOp::create(body, loc, body.getF32FloatAttr(0.0f)), rows, columns);
}

Value KernelBuilder::map(ValueRange tiles, int64_t rows, int64_t columns, Type element,
                         MapBody scalars) {
  auto type = TileType::get(loc.getContext(), rows, columns, element);
  auto op = MapOp::create(body, loc, type, tiles);
  Block &block = op.getBody().emplaceBlock();
  for (Value tile : tiles)
    block.addArgument(tileOf(tile).getElementType(), loc);
  OpBuilder inner = OpBuilder::atBlockEnd(&block);
  YieldOp::create(inner, loc, scalars(inner, loc, block.getArguments()));
  return op.getResult();
}

Value KernelBuilder::convert(Value tile, Type element) {
  TileType type = tileOf(tile);
  Type from = type.getElementType();
  if (from == element)
    return tile;
  return map(tile, type.getRows(), type.getColumns(), element,
             [&](OpBuilder &b, Location loc, ValueRange x) -> Value {
               if (bitWidth(element) > bitWidth(from))
                 return arith::ExtFOp::create(b, loc, element, x[0]);
               return arith::TruncFOp::create(b, loc, element, x[0]);
             });
}

Value KernelBuilder::sum(Value tile, int64_t dimension) {
  TileType type = tileOf(tile);
  auto result = dimension == 1
                    ? TileType::get(loc.getContext(), type.getRows(), 1, type.getElementType())
                    : TileType::get(loc.getContext(), 1, type.getColumns(), type.getElementType());
  return ReduceOp::create(body, loc, result, Reduction::Sum, tile, dimension);
}

Value KernelBuilder::slice(Value tile, int64_t begin, int64_t columns) {
  TileType type = tileOf(tile);
  if (begin == 0 && columns == type.getColumns())
    return tile;
  auto result = TileType::get(loc.getContext(), type.getRows(), columns, type.getElementType());
  return SliceOp::create(body, loc, result, tile, begin);
}

Value KernelBuilder::concat(Value left, Value right) {
  TileType type = tileOf(left);
  auto result =
      TileType::get(loc.getContext(), type.getRows(),
                    type.getColumns() + tileOf(right).getColumns(), type.getElementType());
  return ConcatOp::create(body, loc, result, left, right);
}

Value KernelBuilder::stackRows(Value count, int64_t rows, int64_t columns, Type element,
                               llvm::function_ref<Value(Value)> row) {
  auto type = TileType::get(loc.getContext(), rows, columns, element);
  auto op = StackRowsOp::create(body, loc, type, count);
  Block &block = op.getBody().emplaceBlock();
  block.addArgument(body.getIndexType(), loc);
  // Constants that the rows ask for stand in front of all of them.
  top.setInsertionPoint(op);
  body.setInsertionPointToStart(&block);
  YieldOp::create(body, loc, row(block.getArgument(0)));
  body.setInsertionPointAfter(op);
  top.setInsertionPointAfter(op);
  return op.getResult();
}

//===--- Scalars ------------------------------------------------------------------------------===//

Value KernelBuilder::scalar(Value buffer, ValueRange indices) {
  return LoadScalarOp::create(body, loc, elementOf(buffer.getType()), buffer, indices);
}

Value KernelBuilder::position(Value buffer, ValueRange indices) {
  return arith::IndexCastOp::create(body, loc, body.getIndexType(), scalar(buffer, indices));
}

//===--- The end ------------------------------------------------------------------------------===//

LaunchOp KernelBuilder::finish(SymbolTable &symbols, StringRef name, Operation *before,
                               TypeRange types) {
  function.setSymName(name);
  function.setFunctionType(
      top.getFunctionType(function.getBody().front().getArgumentTypes(), TypeRange()));
  for (auto [index, transposed] : llvm::enumerate(isTransposed))
    if (transposed)
      function.setArgAttr(index, "kernel.transposed", top.getUnitAttr());
  for (unsigned index : updated)
    function.setArgAttr(index, updatedAttribute, top.getUnitAttr());
  symbols.insert(function);
  OpBuilder builder(before);
  auto launch =
      LaunchOp::create(builder, before->getLoc(), types,
                       FlatSymbolRefAttr::get(function.getSymNameAttr()), operands, ValueRange());
  function = {};
  return launch;
}
