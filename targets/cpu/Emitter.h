// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From one kernel.func to one func.func of scalar and vector code with the signature of
// runtime/schema/kernel_abi.h. The emitter walks the kernel once, in order; Tile.h says where
// values are meanwhile. One file for each family of ops:
//
//   IndexRange.cpp     what is known of indices: edges that do not exist need no masks
//   Emitter.cpp        the function, the grid, scalars, loops that carry tiles
//   EmitMemory.cpp     load_tile, store_tile, gather_rows, load_scalar, caches
//   EmitElements.cpp   reading and writing elements, maps, reductions
//   EmitShape.cpp      slices, concatenations, rotations
//   EmitMma.cpp        products: register tiles over packed panels
//   EmitIntegers.cpp   products of integer codes
//   EmitArm.cpp        products of pairs, of fours and of small matrices on aarch64
//   EmitTiles.cpp      products in tile registers (AMX)
//   EmitManyRows.cpp   products of many rows: blocks of the weight are expanded once
//   EmitPack.cpp       rows turned into panels
//   EmitBlocks.cpp     rows as matrices, tiles turned around, bits
//   EmitSoftmax.cpp    attention over a stream of keys
//   EmitTopK.cpp       selection from a stream of scores
//   EmitExperts.cpp    experts, columns by number, groups of rows
#ifndef GLM_TARGETS_CPU_EMITTER_H
#define GLM_TARGETS_CPU_EMITTER_H

#include "targets/cpu/Code.h"
#include "targets/cpu/Tile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

namespace glm::cpu {

/// On a function: bytes of scratch one worker needs, i64.
inline constexpr llvm::StringLiteral scratchAttribute = "glm.scratch";

class Emitter {
public:
  Emitter(kernel::FuncOp kernel, kernel::MachineAttr machine, mlir::OpBuilder &builder);

  /// The function beside the kernel; failure after a diagnostic on the op that has no code.
  mlir::FailureOr<mlir::func::FuncOp> run();

private:
  using Result = mlir::LogicalResult;

  // Emitter.cpp
  void bindArguments(mlir::Block &entry);
  Memory bindCache(kernel::CacheType type, mlir::Value word);
  Result emitBlock(mlir::Block &block);
  Result emit(mlir::Operation *op);
  Result emitScalar(mlir::Operation *op);
  Result emitParallel(kernel::ParallelOp op);
  Result emitFor(mlir::scf::ForOp op);
  Result emitIf(mlir::scf::IfOp op);
  void finishCarried(mlir::scf::ForOp op, mlir::ArrayRef<mlir::Value> places, Values &scalars);
  mlir::Value scalarOf(mlir::Value value) { return scalars.lookup(value); }
  /// Scratch taken while a frame lives is free again after it.
  struct Frame {
    explicit Frame(Emitter &emitter) : emitter(emitter), before(emitter.used) {}
    ~Frame() { emitter.used = before; }
    Emitter &emitter;
    int64_t before;
  };
  Tile &tileOf(mlir::Value value);
  mlir::Value allocate(int64_t bytes);
  Tile allocateTile(kernel::TileType type);
  Result unsupported(mlir::Operation *op, const llvm::Twine &why);

  // EmitMemory.cpp
  Result emitDim(kernel::DimOp op);
  Result emitFlatten(kernel::FlattenOp op);
  Result emitLoadScalar(kernel::LoadScalarOp op);
  Result emitLoadTile(kernel::LoadTileOp op);
  Result emitStoreTile(kernel::StoreTileOp op);
  Result emitGatherRows(kernel::GatherRowsOp op);
  void makeZeroRow();
  Tile view(const Memory &memory, mlir::ValueRange indices, kernel::TileType type);
  Tile bankRow(const Memory &memory, mlir::ValueRange indices, kernel::TileType type);
  Tile panels(const Memory &memory, mlir::ValueRange indices, kernel::TileType type);
  Tile cached(const Memory &memory, mlir::ValueRange indices, kernel::TileType type);
  mlir::Value cachedRow(const Memory &memory, mlir::Value slot, mlir::Value position);
  mlir::Value matrixOf(const Memory &memory, mlir::ValueRange indices, int64_t matrixBytes);
  void storeLine(const Tile &tile, const Memory &memory, mlir::Value slot, mlir::Value position);
  void storeRows(const Tile &tile, const Tile &place);
  bool isWritten(const Memory &memory);

  // EmitElements.cpp
  mlir::Value read(const Tile &tile, mlir::Value row, mlir::Value column, Chunk chunk);
  mlir::Value readMemory(const Tile &tile, mlir::Value row, mlir::Value column, Chunk chunk);
  mlir::Value readMap(kernel::MapOp map, mlir::Value row, mlir::Value column, Chunk chunk);
  mlir::Value clone(mlir::Operation *op, mlir::IRMapping &mapping, int64_t lanes);
  mlir::Value rowAddress(const Tile &tile, mlir::Value row);
  void forColumns(int64_t columns, llvm::function_ref<void(mlir::Value, Chunk)> body);
  Values foldColumns(int64_t columns, mlir::ValueRange carried,
                     llvm::function_ref<Values(mlir::Value, Chunk, mlir::ValueRange)> body);
  /// Every element of `tile` into rows at `place`; `exact`: nothing beyond the last column. `rows`:
  /// how many of them (null: all).
  void write(const Tile &tile, const Tile &place, bool exact, mlir::Value rows = {});
  /// The tile as rows in memory, all valid, computed if it was not.
  Tile materialize(const Tile &tile, mlir::Value rows = {});
  Result emitSplat(kernel::SplatOp op);
  Result emitIota(kernel::IotaOp op);
  Result emitMap(kernel::MapOp op);
  Result emitReduce(kernel::ReduceOp op);
  mlir::Value reduceRow(kernel::ReduceOp op, const Tile &tile, mlir::Value row);
  bool isReadOnce(kernel::MapOp op);

  // EmitShape.cpp
  Result emitSlice(kernel::SliceOp op);
  Result emitConcat(kernel::ConcatOp op);
  Result emitStackRows(kernel::StackRowsOp op);
  Result emitWordColumn(kernel::WordColumnOp op);
  Result emitRotate(kernel::RotateOp op);
  void rotateInterleaved(const Tile &x, const Tile &angles, const Tile &place, mlir::Value row);
  void rotateHalves(const Tile &x, const Tile &angles, const Tile &place, mlir::Value row);

  // EmitMma.cpp
  struct Product;
  Result emitMma(kernel::MmaOp op);
  Tile leftOperand(const Tile &a, bool dot);
  mlir::Value rowsUsed(mlir::Value a);
  void forgetEarly();
  Tile accumulator(const Tile &c);
  Tile neededRows(kernel::MmaOp op, Product &product);
  void finishProduct(kernel::MmaOp op, Product &product);
  void emitProduct(Product &product);
  void emitInRegisters(Product &product);
  void forPanels(const Product &product,
                 llvm::function_ref<void(mlir::Value vector, int64_t count)> body);
  void emitRowTiles(const Product &product, int64_t rows);
  void widenForInnerProducts(mlir::Operation *op);
  mlir::Value rowsStored(mlir::Value result);
  mlir::Value scalarBefore(mlir::Value value);
  void emitRowBlock(const Product &product, mlir::Value row, mlir::Value vector, int64_t rows,
                    int64_t vectors);
  void emitRegisterTile(const Product &product, mlir::Value row, mlir::Value vector, int64_t rows,
                        int64_t vectors);
  Values multiplyStep(const Product &product, mlir::ValueRange sums, mlir::ArrayRef<mlir::Value> a,
                      mlir::Value step, mlir::Value vector, int64_t vectors, bool half);
  mlir::Value dotPairs(mlir::Value sum, mlir::Value a, mlir::Value b);
  void copyRows(const Product &product, mlir::Value row, mlir::Value end, mlir::Value vector,
                int64_t vectors);
  mlir::SmallVector<Values> readLines(const Product &product, mlir::Value step, mlir::Value vector,
                                      int64_t vectors, bool half, int64_t rows);
  int64_t unrolled(const Product &product, int64_t steps, int64_t rows, int64_t vectors);
  int64_t rowsInRegisters(const Product &product);
  Values multiplySteps(const Product &product, mlir::ValueRange sums, mlir::ArrayRef<mlir::Value> a,
                       mlir::Value first, int64_t columns, mlir::Value vector, int64_t vectors);
  void fetchAhead(const Product &product, mlir::Value bytes);

  mlir::Value lineAddress(const Product &product, mlir::Value step, mlir::Value vector,
                          int64_t rows);

  // EmitIntegers.cpp
  Result emitIntegerMma(kernel::MmaOp op);
  Tile codeRows(const Tile &a);
  int64_t offsetIn(mlir::Type codes);
  mlir::Value offsetsOf(kernel::MmaOp op, const Tile &a);
  mlir::Value sumRuns(const Tile &a, int64_t run, int64_t factor);
  mlir::Value offsetOf(const Product &product, mlir::Value row, mlir::Value run);
  mlir::Value codeWord(mlir::Value row, mlir::Value column, int64_t count);
  Values spreadWord(mlir::Value word);
  Values spreadLine(mlir::Value line);
  mlir::Value dotBytes(mlir::Value sum, mlir::ArrayRef<mlir::Value> line,
                       mlir::ArrayRef<mlir::Value> word);
  mlir::SmallVector<Values> codeLines(const Product &product, mlir::Value step, mlir::Value vector,
                                      int64_t vectors, int64_t words, int64_t rows);
  Values startOfRun(const Product &product, int64_t rows, mlir::Value row, mlir::Value run,
                    mlir::Value vector, int64_t vectors);
  Values multiplyRuns(const Product &product, mlir::ValueRange sums, mlir::ArrayRef<mlir::Value> a,
                      mlir::Value row, mlir::Value vector, int64_t vectors);
  Values multiplyCodes(const Product &product, mlir::ValueRange sums, mlir::ArrayRef<mlir::Value> a,
                       mlir::Value step, mlir::Value vector, int64_t vectors, bool half);

  // EmitArm.cpp
  mlir::Value armDotPairs(mlir::Value sum, mlir::Value a, mlir::Value b);
  mlir::Value armDotBytes(mlir::Value sum, mlir::Value a, mlir::Value b);
  bool usesRowPairs(const Product &product, int64_t rows);
  Values multiplyRowPairs(const Product &product, Values sums, mlir::ArrayRef<mlir::Value> a,
                          mlir::Value vector, int64_t vectors);
  mlir::Value wordsOf(const Product &product, mlir::Value step, mlir::Value vector, int64_t rows);
  /// Both operands of a dot product of bytes are signed, so that panels lose their offset.
  bool dotsSignedBytes() const { return machine.getInt8Dot() && lanes < 16; }

  // EmitTiles.cpp
  struct TileBlock;
  bool hasTiles();
  bool isForTiles(const Product &product);
  Tile evenRows(const Tile &a);
  void emitTilesIfMany(const Product &product, llvm::function_ref<void()> otherwise);
  void emitTileProduct(Product product);
  void emitTileRows(const Product &product, const TileBlock &block);
  void emitTileBlock(const Product &product, const TileBlock &block, mlir::Value vector,
                     int64_t vectors);
  void multiplyTiles(const Product &product, const TileBlock &block, const Tile &a,
                     mlir::Value skip, int64_t vectors,
                     llvm::function_ref<std::pair<mlir::Value, mlir::Value>(int64_t)> lines);
  Tile restOfRows(const Product &product, mlir::Value valid);
  mlir::Value restOfLines(const Product &product, int64_t first, mlir::Value vector);
  void leaveTiles(const Product &product, const TileBlock &block, mlir::Value vector,
                  int64_t vectors);

  // EmitManyRows.cpp
  bool isForManyRows(const Product &product);
  bool expands(const Product &product);
  int64_t stepsOfBlock(const Product &product, int64_t vectors);
  void emitManyRows(Product product);
  void startSums(Product &product);
  void multiplyBlock(const Product &product, mlir::Value first, int64_t steps, mlir::Value vector,
                     int64_t vectors);
  Tile expandBlock(const Product &product, mlir::Value first, int64_t steps, mlir::Value vector,
                   int64_t vectors);

  // EmitPack.cpp
  Tile pack(const Tile &rows);
  void packBlock(const Tile &words, const Tile &place, mlir::Value word, int64_t used);
  Values transpose(Values vectors);

  // EmitBlocks.cpp
  Result emitBlockRows(kernel::BlockRowsOp op);
  Result emitTranspose(kernel::TransposeOp op);
  Result emitHiddenBits(kernel::HiddenBitsOp op);
  Result emitUnpackBits(kernel::UnpackBitsOp op);
  mlir::Value readBits(const Tile &tile, mlir::Value row, mlir::Value column, Chunk chunk);

  // EmitSoftmax.cpp
  struct Attention;
  Result emitSoftmax(kernel::OnlineSoftmaxOp op);
  Result forKeys(mlir::Block &body, mlir::Value begin, mlir::Value end, int64_t step,
                 llvm::function_ref<void(mlir::Value position)> use);
  void weighKeys(const Attention &state, const Tile &scores, mlir::Value row, mlir::Value valid);
  Tile widenRows(const Tile &rows, int64_t columns, mlir::Value valid);
  void addRows(const Attention &state, const Tile &rows, mlir::Value valid);
  void addColumns(const Attention &state, const Tile &columns);
  void addBlock(const Attention &state, const Tile &rows, mlir::Value valid, mlir::Value head,
                mlir::Value column, int64_t heads, mlir::ArrayRef<Chunk> chunks);

  // EmitTopK.cpp
  struct Ranking;
  Result emitTopK(kernel::TopKOp op);
  Ranking makeRanking(kernel::TopKOp op);
  int64_t listBytes(const Ranking &ranking);
  void offer(const Ranking &ranking, mlir::Value row, const Tile &scores, const Tile *numbers,
             mlir::Value position);
  mlir::Value append(const Ranking &ranking, mlir::Value row, mlir::Value keys, mlir::Value ids,
                     mlir::Value mask, mlir::Value bits, mlir::Value filled);
  void cut(const Ranking &ranking, mlir::Value row);
  std::pair<mlir::Value, mlir::Value> rangeOf(mlir::Value keys, mlir::Value count);
  mlir::Value countFrom(mlir::Value keys, mlir::Value count, mlir::Value least);
  void moveScalars(const Ranking &ranking, mlir::Value row, mlir::Value count, mlir::Value bound,
                   mlir::Value equal);
  void moveVectors(const Ranking &ranking, mlir::Value row, mlir::Value count, mlir::Value bound,
                   mlir::Value equal);
  void takeBest(const Ranking &ranking, mlir::Value row);

  // EmitExperts.cpp
  Result emitSelectExperts(kernel::SelectExpertsOp op);
  void maskGroups(const Tile &values, int64_t groups, int64_t kept);
  mlir::Value takeLargest(const Tile &values);
  Result emitTakeColumns(kernel::TakeColumnsOp op);
  Result emitGroupRows(kernel::GroupRowsOp op);

  kernel::FuncOp kernel;
  kernel::MachineAttr machine;
  Code code;
  mlir::func::FuncOp function;
  mlir::Value worker, workers, scratch;
  mlir::IRMapping scalars;
  Values early; // scalars computed before their place
  llvm::DenseMap<mlir::Value, Tile> tiles;
  llvm::DenseMap<mlir::Value, Memory> memories;
  llvm::DenseMap<mlir::Value, Tile> widened; // left operands of inner products, ready
  /// What sums of integers start with: by left operand, columns of a run and factor.
  llvm::DenseMap<std::pair<mlir::Value, std::pair<int64_t, int64_t>>, mlir::Value> offsets;
  mlir::Value zeroRow;                               // what negative row numbers lead to
  llvm::DenseMap<mlir::Value, mlir::Value> gathered; // how many leading rows may exist
  llvm::SmallDenseSet<unsigned> written;             // arguments that stores go to
  int64_t used = 0, peak = 0;                        // scratch
  bool usedTiles = false;                            // tile registers, somewhere in the function
  int64_t lanes;                                     // f32 of a vector register
};

/// The largest number known to divide `value`, an index of a kernel.
int64_t knownDivisor(mlir::Value value);

/// A bound that `value`, which is not negative, never exceeds.
std::optional<int64_t> knownMaximum(mlir::Value value);

} // namespace glm::cpu

#endif
