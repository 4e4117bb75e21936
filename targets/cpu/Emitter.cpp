// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The function around a kernel: its arguments, its share of the grid, scalars, and loops that carry
// tiles.
#include "targets/cpu/Emitter.h"
#include "targets/cpu/TileRegisters.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

Emitter::Emitter(FuncOp kernel, MachineAttr machine, OpBuilder &builder)
    : kernel(kernel), machine(machine), code(builder, kernel.getLoc()),
      lanes(machine.getVectorBytes() / 4) {}

FailureOr<func::FuncOp> Emitter::run() {
  OpBuilder &builder = code.builder;
  builder.setInsertionPoint(kernel);
  Type pointer = code.pointer();
  auto type = builder.getFunctionType({pointer, code.i32(), code.i32(), pointer}, {});
  function = func::FuncOp::create(builder, code.loc, kernel.getName(), type);
  for (unsigned argument : {0u, 3u})
    function.setArgAttr(argument, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  kernel.walk([&](StoreTileOp op) {
    Value root = op.getDestination();
    while (Operation *view = root.getDefiningOp())
      root = view->getOperand(0); // flatten, block_rows
    if (auto argument = dyn_cast<BlockArgument>(root))
      written.insert(argument.getArgNumber());
  });
  bindArguments(*entry);
  makeZeroRow();
  // Without a grid there is one unit of work, the first worker's.
  Block &body = kernel.getBody().front();
  LogicalResult emitted = success();
  if (llvm::any_of(body, llvm::IsaPred<ParallelOp>))
    emitted = emitBlock(body);
  else
    code.when(code.equal(worker, code.index(0)), [&] { emitted = emitBlock(body); });
  if (failed(emitted)) {
    function.erase();
    return failure();
  }
  if (usedTiles && machine.getMatrix() == "amx")
    TileRegisters::release(code);
  func::ReturnOp::create(builder, code.loc);
  function->setAttr(scratchAttribute, builder.getI64IntegerAttr(llvm::alignTo(peak, 64)));
  return function;
}

//===--- Arguments --------------------------------------------------------------------------===//

void Emitter::bindArguments(Block &entry) {
  Value words = entry.getArgument(0);
  worker = code.toIndex(entry.getArgument(1));
  workers = code.toIndex(entry.getArgument(2));
  scratch = entry.getArgument(3);
  int64_t word = 0;
  auto next = [&](Type type) { return code.load(type, code.at(words, 8 * word++)); };
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    Type type = argument.getType();
    if (type.isIndex() || type.isInteger()) {
      Value wide = next(code.i64());
      scalars.map(argument, type.isIndex()
                                ? code.toIndex(wide)
                                : arith::TruncIOp::create(code.builder, code.loc, type, wide));
      continue;
    }
    Memory memory;
    if (auto cache = dyn_cast<CacheType>(type)) {
      memory = bindCache(cache, next(code.pointer()));
    } else {
      memory.base = next(code.pointer());
      if (auto buffer = dyn_cast<BufferType>(type))
        for (int64_t size : buffer.getShape())
          memory.sizes.push_back(ShapedType::isDynamic(size) ? code.toIndex(next(code.i64()))
                                                             : code.index(size));
    }
    memory.type = type;
    memory.argument = argument.getArgNumber();
    memories[argument] = memory;
  }
}

/// The fields of a glm_cache_view.
Memory Emitter::bindCache(CacheType, Value address) {
  Memory memory;
  memory.base = code.load(code.pointer(), address);
  memory.pages = code.load(code.pointer(), code.at(address, 8));
  memory.pagesPerSlot = code.toIndex(code.load(code.i64(), code.at(address, 16)));
  return memory;
}

//===--- Scratch ----------------------------------------------------------------------------===//

Value Emitter::allocate(int64_t bytes) {
  int64_t offset = used;
  // Whole vectors may be read and written a little beyond the last row.
  used = llvm::alignTo(used + bytes + machine.getVectorBytes(), 64);
  peak = std::max(peak, used);
  return code.at(scratch, offset);
}

Tile Emitter::allocateTile(TileType type) {
  Tile tile;
  tile.type = type;
  tile.place = Tile::Place::Memory;
  int64_t stride = llvm::alignTo(tile.columns() * tile.elementBytes(), 64);
  tile.base = allocate(stride * tile.rows());
  tile.stride = code.index(stride);
  tile.padded = true;
  return tile;
}

Tile &Emitter::tileOf(Value value) {
  auto found = tiles.find(value);
  assert(found != tiles.end() && "a tile is emitted before its uses");
  return found->second;
}

LogicalResult Emitter::unsupported(Operation *op, const Twine &why) {
  return op->emitOpError() << "has no code for this target: " << why;
}

//===--- Walking ----------------------------------------------------------------------------===//

LogicalResult Emitter::emitBlock(Block &block) {
  for (Operation &op : block) {
    code.loc = op.getLoc();
    if (failed(emit(&op)))
      return failure();
    widenForInnerProducts(&op);
  }
  return success();
}

LogicalResult Emitter::emit(Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<ReturnOp, YieldOp, scf::YieldOp>([](auto) { return success(); })
      .Case([&](ParallelOp op) { return emitParallel(op); })
      .Case([&](scf::ForOp op) { return emitFor(op); })
      .Case([&](scf::IfOp op) { return emitIf(op); })
      .Case([&](WorkersOp op) {
        scalars.map(op.getResult(), workers);
        return success();
      })
      .Case([&](DimOp op) { return emitDim(op); })
      .Case([&](FlattenOp op) { return emitFlatten(op); })
      .Case([&](LoadScalarOp op) { return emitLoadScalar(op); })
      .Case([&](LoadTileOp op) { return emitLoadTile(op); })
      .Case([&](StoreTileOp op) { return emitStoreTile(op); })
      .Case([&](GatherRowsOp op) { return emitGatherRows(op); })
      .Case([&](StackRowsOp op) { return emitStackRows(op); })
      .Case([&](SplatOp op) { return emitSplat(op); })
      .Case([&](IotaOp op) { return emitIota(op); })
      .Case([&](MapOp op) { return emitMap(op); })
      .Case([&](ReduceOp op) { return emitReduce(op); })
      .Case([&](SliceOp op) { return emitSlice(op); })
      .Case([&](ConcatOp op) { return emitConcat(op); })
      .Case([&](WordColumnOp op) { return emitWordColumn(op); })
      .Case([&](RotateOp op) { return emitRotate(op); })
      .Case([&](MmaOp op) { return emitMma(op); })
      .Case([&](BlockRowsOp op) { return emitBlockRows(op); })
      .Case([&](TransposeOp op) { return emitTranspose(op); })
      .Case([&](HiddenBitsOp op) { return emitHiddenBits(op); })
      .Case([&](UnpackBitsOp op) { return emitUnpackBits(op); })
      .Case([&](OnlineSoftmaxOp op) { return emitSoftmax(op); })
      .Case([&](TopKOp op) { return emitTopK(op); })
      .Case([&](SelectExpertsOp op) { return emitSelectExperts(op); })
      .Case([&](TakeColumnsOp op) { return emitTakeColumns(op); })
      .Case([&](GroupRowsOp op) { return emitGroupRows(op); })
      .Default([&](Operation *op) { return emitScalar(op); });
}

/// `arith` and `math` on scalars, as they are.
LogicalResult Emitter::emitScalar(Operation *op) {
  if (op->getNumRegions() != 0 || !op->getDialect() ||
      !llvm::is_contained({"arith", "math"}, op->getDialect()->getNamespace()))
    return unsupported(op, "it is not an operation on scalars or tiles");
  code.builder.clone(*op, scalars);
  return success();
}

/// Units `[U w / W, U (w + 1) / W)`, the last dimension fastest.
LogicalResult Emitter::emitParallel(ParallelOp op) {
  Values counts;
  Value units = code.index(1);
  for (auto [bound, step] : llvm::zip(op.getBounds(), op.getSteps())) {
    counts.push_back(code.div(code.add(scalarOf(bound), step - 1), step));
    units = code.mul(units, counts.back());
  }
  Value begin = code.div(code.mul(units, worker), workers);
  Value end = code.div(code.mul(units, code.add(worker, 1)), workers);
  LogicalResult result = success();
  code.loop(begin, end, 1, [&](Value unit) {
    Frame frame(*this);
    Value rest = unit;
    for (int64_t dim = counts.size() - 1; dim >= 0; --dim) {
      Value number = dim == 0 ? rest : code.rem(rest, counts[dim]);
      rest = dim == 0 ? rest : code.div(rest, counts[dim]);
      scalars.map(op.getBody().getArgument(dim), code.mul(number, op.getSteps()[dim]));
    }
    result = emitBlock(op.getBody().front());
  });
  return result;
}

//===--- Loops and branches -----------------------------------------------------------------===//

static bool isScalarTile(Value value) {
  auto tile = dyn_cast<TileType>(value.getType());
  return tile && tile.getRows() == 1 && tile.getColumns() == 1;
}

/// Whether all that becomes of a carried tile is that products are added to it.
static bool isProductSum(BlockArgument argument) {
  return argument.hasOneUse() && isa<MmaOp>(*argument.user_begin());
}

/// Carried tiles have one place for all iterations; those of one element are carried as scalars.
LogicalResult Emitter::emitFor(scf::ForOp op) {
  int64_t step = 1;
  if (auto constant = op.getConstantStep())
    step = constant->getSExtValue();
  else
    return unsupported(op, "its step is not a constant");
  Values initial, places;
  for (auto [argument, init, sum] :
       llvm::zip(op.getRegionIterArgs(), op.getInitArgs(), op.getResults())) {
    if (isScalarTile(init)) {
      initial.push_back(read(tileOf(init), code.index(0), code.index(0), {}));
    } else if (auto type = dyn_cast<TileType>(init.getType())) {
      Tile place = allocateTile(type);
      Value rows = isProductSum(argument) ? rowsStored(sum) : Value();
      write(tileOf(init), place, /*exact=*/false, rows ? code.min(rows, type.getRows()) : rows);
      forgetEarly();
      tiles[argument] = place;
      places.push_back(argument);
    } else {
      initial.push_back(scalarOf(init));
    }
  }
  LogicalResult result = success();
  auto bind = [&](ValueRange targets, ValueRange values) {
    unsigned next = 0;
    for (Value target : targets) {
      if (isScalarTile(target)) {
        Tile tile;
        tile.type = cast<TileType>(target.getType());
        tile.scalar = values[next++];
        tiles[target] = tile;
      } else if (!isa<TileType>(target.getType())) {
        scalars.map(target, values[next++]);
      }
    }
  };
  Values last = code.loop(scalarOf(op.getLowerBound()), scalarOf(op.getUpperBound()), step, initial,
                          [&](Value iv, ValueRange carried) {
                            Frame frame(*this);
                            scalars.map(op.getInductionVar(), iv);
                            bind(op.getRegionIterArgs(), carried);
                            result = emitBlock(*op.getBody());
                            Values next;
                            if (succeeded(result))
                              finishCarried(op, places, next);
                            else
                              next.assign(carried.begin(), carried.end());
                            return next;
                          });
  for (auto [value, argument] : llvm::zip(op.getResults(), op.getRegionIterArgs()))
    if (isa<TileType>(value.getType()) && !isScalarTile(value))
      tiles[value] = tileOf(argument);
  bind(op.getResults(), last);
  return result;
}

/// Whether a tile that is computed element by element may overwrite the carried tile it reads: it
/// reads it at the same element only.
static bool readsInPlace(MapOp map, Value carried) {
  return llvm::all_of(map.getInputs(), [&](Value input) {
    if (input == carried)
      return input.getType() == map.getType();
    if (auto inner = input.getDefiningOp<MapOp>())
      return readsInPlace(inner, carried);
    return !input.getDefiningOp<SliceOp>();
  });
}

/// Yielded tiles go to the places of the arguments. A tile that is there already stays; one that is
/// not yet computed may read what another's copy overwrites, so it is computed first.
void Emitter::finishCarried(scf::ForOp op, ArrayRef<Value> places, Values &next) {
  SmallVector<std::pair<Tile, Tile>> copies;
  for (auto [argument, value] : llvm::zip(op.getRegionIterArgs(), op.getYieldedValues())) {
    if (isScalarTile(value)) {
      next.push_back(read(tileOf(value), code.index(0), code.index(0), {}));
      continue;
    }
    if (!isa<TileType>(value.getType())) {
      next.push_back(scalarOf(value));
      continue;
    }
    Tile tile = tileOf(value), place = tileOf(argument);
    if (tile.base && tile.base == place.base)
      continue;
    bool inPlace =
        tile.place == Tile::Place::Lazy && places.size() == 1 && readsInPlace(tile.map, argument);
    copies.emplace_back(inPlace ? tile : materialize(tile), place);
  }
  for (auto &[tile, place] : copies)
    write(tile, place, /*exact=*/false);
}

LogicalResult Emitter::emitIf(scf::IfOp op) {
  if (llvm::any_of(op.getResultTypes(), llvm::IsaPred<TileType>))
    return unsupported(op, "it yields tiles");
  LogicalResult result = success();
  auto fill = [&](Region &region) {
    return [&]() {
      Values yielded;
      Frame frame(*this);
      if (region.empty())
        return yielded;
      if (failed(emitBlock(region.front())))
        result = failure();
      for (Value value : region.front().getTerminator()->getOperands())
        yielded.push_back(scalarOf(value));
      return yielded;
    };
  };
  Values results = code.choose(scalarOf(op.getCondition()), op.getResultTypes(),
                               fill(op.getThenRegion()), fill(op.getElseRegion()));
  for (auto [value, made] : llvm::zip(op.getResults(), results))
    scalars.map(value, made);
  return result;
}

} // namespace glm::cpu
