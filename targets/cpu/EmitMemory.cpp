// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between memory and tiles. A load is a view: an address, a row stride and how much of it is inside
// the memory. Pages, panels and lines are laid out as runtime/schema/kernel_abi.h and
// #kernel.panels say.
#include "targets/cpu/Emitter.h"

using namespace mlir;
using namespace glm::kernel;

namespace glm::cpu {

static int64_t bytesOf(Type memory) { return bitWidth(elementOf(memory)) / 8; }

/// Whether `[index, index + extent)` lies inside `size` for every unit of the grid.
static bool isInside(Value index, int64_t extent, int64_t size) {
  if (ShapedType::isDynamic(size))
    return false;
  if (std::optional<int64_t> maximum = knownMaximum(index); maximum && *maximum + extent <= size)
    return true;
  return size % extent == 0 && knownDivisor(index) % extent == 0;
}

//===--- Buffers ----------------------------------------------------------------------------===//

LogicalResult Emitter::emitDim(DimOp op) {
  scalars.map(op.getResult(), memories.lookup(op.getBuffer()).sizes[op.getDimension()]);
  return success();
}

LogicalResult Emitter::emitFlatten(FlattenOp op) {
  Memory memory = memories.lookup(op.getBuffer());
  memory.sizes[1] = code.mul(memory.sizes[0], memory.sizes[1]);
  memory.sizes.erase(memory.sizes.begin());
  memory.type = op.getType();
  memories[op] = memory;
  return success();
}

LogicalResult Emitter::emitLoadScalar(LoadScalarOp op) {
  const Memory memory = memories.lookup(op.getBuffer());
  Value linear = code.index(0);
  for (auto [size, index] : llvm::zip(memory.sizes, op.getIndices()))
    linear = code.add(code.mul(linear, size), scalarOf(index));
  Value address = code.at(memory.base, code.mul(linear, bytesOf(memory.type)));
  scalars.map(op.getResult(), code.load(op.getType(), address));
  return success();
}

bool Emitter::isWritten(const Memory &memory) { return written.contains(memory.argument); }

/// A window of a row-major buffer, cut off at the buffer's edge. A window of one row starts inside.
Tile Emitter::view(const Memory &memory, ValueRange indices, TileType type) {
  auto buffer = cast<BufferType>(memory.type);
  ArrayRef<int64_t> shape = buffer.getShape();
  int64_t rank = shape.size(), width = shape.back();
  Tile tile;
  tile.type = type;
  tile.place = Tile::Place::Memory;
  tile.stride = rank == 1 ? code.index(0) : code.mul(memory.sizes.back(), tile.elementBytes());
  Value linear = code.index(0);
  for (int64_t dim = 0; dim < rank; ++dim)
    linear = code.add(code.mul(linear, memory.sizes[dim]), scalarOf(indices[dim]));
  tile.base = code.at(memory.base, code.mul(linear, tile.elementBytes()));
  if (!isInside(indices.back(), tile.columns(), width))
    tile.validColumns = code.sub(memory.sizes.back(), scalarOf(indices.back()));
  if (tile.rows() > 1 && !isInside(indices[rank - 2], tile.rows(), shape[rank - 2]))
    tile.validRows =
        code.min(code.sub(memory.sizes[rank - 2], scalarOf(indices[rank - 2])), tile.rows());
  return tile;
}

/// Address of matrix `h` of a memory of rank 3, of expert `e` of a bank, of the only one.
Value Emitter::matrixOf(const Memory &memory, ValueRange indices, int64_t matrixBytes) {
  if (isa<BankType>(memory.type))
    return code.load(code.pointer(), code.at(memory.base, code.mul(scalarOf(indices[0]), 8)));
  if (indices.size() == 3)
    return code.at(memory.base, code.mul(scalarOf(indices[0]), matrixBytes));
  return memory.base;
}

/// A row of the row-major matrix of an expert.
Tile Emitter::bankRow(const Memory &memory, ValueRange indices, TileType type) {
  int64_t width = columnsOf(memory.type);
  Tile tile;
  tile.type = type;
  tile.place = Tile::Place::Memory;
  tile.stride = code.index(0);
  Value column = scalarOf(indices[2]);
  Value linear = code.add(code.mul(scalarOf(indices[1]), width), column);
  tile.base = code.at(matrixOf(memory, indices, 0), code.mul(linear, tile.elementBytes()));
  if (!isInside(indices[2], type.getColumns(), width))
    tile.validColumns = code.sub(code.index(width), column);
  return tile;
}

Tile Emitter::panels(const Memory &memory, ValueRange indices, TileType type) {
  auto layout = cast<PanelsAttr>(layoutOf(memory.type));
  int64_t n = layout.getN(), k = layout.getK();
  int64_t laneBytes = k * bitWidth(elementOf(memory.type)) / 8;
  int64_t panelBytes = llvm::divideCeil(columnsOf(memory.type), k) * n * laneBytes;
  Tile tile;
  tile.type = type;
  tile.place = Tile::Place::Panels;
  tile.groupRows = n;
  tile.lane = k;
  tile.offset = elementOf(memory.type).isInteger();
  tile.groupStride = code.index(panelBytes);
  Value row = scalarOf(indices[indices.size() - 2]), column = scalarOf(indices.back());
  Value base = matrixOf(memory, indices, llvm::divideCeil(rowsOf(memory.type), n) * panelBytes);
  Value offset = code.add(code.mul(code.div(row, n), panelBytes),
                          code.mul(code.div(column, k), n * laneBytes));
  tile.base = code.at(base, code.add(offset, code.mul(code.rem(row, n), laneBytes)));
  return tile;
}

//===--- Caches -----------------------------------------------------------------------------===//

/// Address of the first row of the page of a position, and the row within the page; of lines the
/// address of the line block.
Value Emitter::cachedRow(const Memory &memory, Value slot, Value position) {
  auto cache = cast<CacheType>(memory.type);
  int64_t pageRows = machine.getPageRows(), rowBytes = cache.getWidth() * bytesOf(cache);
  Value entry = code.add(code.mul(slot, memory.pagesPerSlot), code.div(position, pageRows));
  Value page = code.toIndex(code.load(code.i32(), code.at(memory.pages, code.mul(entry, 4))));
  Value row = code.rem(position, pageRows);
  if (auto lines = dyn_cast_or_null<LinesAttr>(cache.getLayout()))
    row = code.mul(code.div(row, lines.getRows()), lines.getRows());
  return code.at(memory.base, code.mul(code.add(code.mul(page, pageRows), row), rowBytes));
}

/// Rows of consecutive positions; they never cross a page, whose rows a tile's divide.
Tile Emitter::cached(const Memory &memory, ValueRange indices, TileType type) {
  auto cache = cast<CacheType>(memory.type);
  int64_t rowBytes = cache.getWidth() * bytesOf(cache);
  Tile tile;
  tile.type = type;
  tile.base = cachedRow(memory, scalarOf(indices[0]), scalarOf(indices[1]));
  auto lines = dyn_cast_or_null<LinesAttr>(cache.getLayout());
  tile.place = lines ? Tile::Place::Panels : Tile::Place::Memory;
  tile.stride = code.index(rowBytes);
  if (lines) {
    tile.groupRows = lines.getRows();
    tile.lane = 4 / bytesOf(cache);
    tile.isCached = true;
    tile.groupStride = code.index(lines.getRows() * rowBytes);
  }
  return tile;
}

LogicalResult Emitter::emitLoadTile(LoadTileOp op) {
  const Memory memory = memories.lookup(op.getSource());
  TileType type = op.getType();
  Attribute layout = layoutOf(memory.type);
  bool edge = type.getRows() > 1 && machine.getPageRows() % type.getRows() != 0;
  if (isa<CacheType>(memory.type)) {
    if (edge)
      return unsupported(op, Twine(type.getRows()) + " positions cross the edge of a page");
    if (auto lines = dyn_cast_or_null<LinesAttr>(layout))
      if (type.getRows() % lines.getRows() != 0 || lines.getRows() % lanes != 0)
        return unsupported(op, "lines are read whole, in multiples of " + Twine(lanes) + " rows");
    tiles[op] = cached(memory, op.getIndices(), type);
  } else if (auto packed = dyn_cast_or_null<PanelsAttr>(layout)) {
    if (packed.getN() % lanes != 0)
      return unsupported(op, "panels of " + Twine(packed.getN()) + " rows are no multiple of " +
                                 Twine(lanes) + ", the lanes of a vector");
    tiles[op] = panels(memory, op.getIndices(), type);
  } else if (isa<BankType>(memory.type)) {
    if (type.getRows() != 1)
      return unsupported(op, "matrices of a bank are packed in #kernel.panels, or read row by row");
    tiles[op] = bankRow(memory, op.getIndices(), type);
  } else {
    tiles[op] = view(memory, op.getIndices(), type);
    if (op.getInside())
      tileOf(op).validRows = tileOf(op).validColumns = {};
  }
  // What a store of the same kernel may overwrite is copied at once.
  if (isWritten(memory) && tileOf(op).place == Tile::Place::Memory) {
    Tile copy = allocateTile(type);
    write(tileOf(op), copy, /*exact=*/false);
    tiles[op] = copy;
  }
  return success();
}

//===--- Gathering --------------------------------------------------------------------------===//

/// One row for all gathers of the kernel, as long as the longest.
void Emitter::makeZeroRow() {
  int64_t bytes = 0;
  kernel.walk([&](GatherRowsOp op) {
    TileType type = op.getType();
    bytes = std::max(bytes, type.getColumns() * bitWidth(type.getElementType()) / 8);
  });
  if (bytes == 0)
    return;
  zeroRow = allocate(llvm::alignTo(bytes, machine.getVectorBytes()));
  code.loop(0, bytes, machine.getVectorBytes(), [&](Value byte) {
    code.store(code.zero(code.vector(code.i32(), lanes)), code.at(zeroRow, byte));
  });
}

/// A list of row addresses. Negative numbers lead to a row of zeros; rows after the last one that
/// is not negative are not valid, so that few rows cost little.
LogicalResult Emitter::emitGatherRows(GatherRowsOp op) {
  const Memory memory = memories.lookup(op.getSource());
  const Tile ids = tileOf(op.getIds());
  Tile tile;
  tile.type = op.getType();
  tile.place = Tile::Place::Rows;
  tile.base = allocate(8 * tile.rows());
  Value column = scalarOf(op.getIndex());
  Value used = rowsUsed(op);
  Values last = code.loop(
      code.index(0), used ? code.min(used, tile.rows()) : code.index(tile.rows()), 1,
      {code.index(0)}, [&](Value row, ValueRange carried) {
        Value id = code.toIndex(read(ids, code.index(0), row, Chunk{}));
        Value exists = code.compare(arith::CmpIPredicate::sge, id, code.index(0));
        Value safe = code.max(id, code.index(0));
        Value address =
            isa<CacheType>(memory.type)
                ? cachedRow(memory, column, safe)
                : code.at(memory.base,
                          code.mul(code.add(code.mul(safe, memory.sizes.back()), column),
                                   tile.elementBytes()));
        code.store(code.select(exists, address, zeroRow), code.at(tile.base, code.mul(row, 8)));
        return Values{code.select(exists, code.add(row, 1), carried[0])};
      });
  // Only products use the count; for everything else the row of zeros is as good as any.
  gathered[op] = last[0];
  tiles[op] = tile;
  return success();
}

//===--- Storing ----------------------------------------------------------------------------===//

void Emitter::storeRows(const Tile &tile, const Tile &place) {
  Value rows = place.validRows ? place.validRows : code.index(place.rows());
  code.loop(code.index(0), rows, 1, [&](Value row) {
    Value address = rowAddress(place, row);
    forColumns(place.columns(), [&](Value column, Chunk chunk) {
      Value value = read(tile, row, column, chunk);
      Value target = code.at(address, code.mul(column, place.elementBytes()));
      if (chunk.lanes && place.validColumns)
        code.storeMasked(value, target,
                         code.firstLanes(chunk.lanes, code.sub(place.validColumns, column)));
      else if (chunk.lanes && chunk.used < chunk.lanes)
        code.storeMasked(value, target, code.firstLanes(chunk.lanes, chunk.used));
      else
        code.store(value, target);
    });
  });
}

/// One row, a word of 4 bytes in each line.
void Emitter::storeLine(const Tile &tile, const Memory &memory, Value slot, Value position) {
  auto lines = cast<LinesAttr>(layoutOf(memory.type));
  Tile words = materialize(tile);
  int64_t count = tile.columns() * tile.elementBytes() / 4;
  Value base =
      code.at(cachedRow(memory, slot, position), code.mul(code.rem(position, lines.getRows()), 4));
  code.loop(0, count, 1, [&](Value word) {
    Value value = code.load(code.i32(), code.at(words.base, code.mul(word, 4)));
    code.store(value, code.at(base, code.mul(word, 4 * lines.getRows())));
  });
}

LogicalResult Emitter::emitStoreTile(StoreTileOp op) {
  const Memory memory = memories.lookup(op.getDestination());
  const Tile tile = tileOf(op.getTile());
  if (tile.place == Tile::Place::Panels)
    return unsupported(op, "a packed tile is an operand of mma only");
  if (isa<CacheType>(memory.type)) {
    Value slot = scalarOf(op.getIndices()[0]), position = scalarOf(op.getIndices()[1]);
    if (layoutOf(memory.type)) {
      storeLine(tile, memory, slot, position);
      return success();
    }
    Tile place = tile;
    place.place = Tile::Place::Memory;
    place.base = cachedRow(memory, slot, position);
    place.stride = code.index(0);
    place.validRows = place.validColumns = {};
    storeRows(tile, place);
    return success();
  }
  Tile place = view(memory, op.getIndices(), op.getTile().getType());
  if (op.getValid())
    place.validRows = code.min(scalarOf(op.getValid()),
                               place.validRows ? place.validRows : code.index(place.rows()));
  if (!place.validColumns) {
    storeRows(tile, place);
    return success();
  }
  // Masks only at the edge.
  Value limit = place.validColumns;
  const Tile ready = tile.place == Tile::Place::Lazy ? materialize(tile, place.validRows) : tile;
  code.when(
      code.compare(arith::CmpIPredicate::sge, limit, code.index(place.columns())),
      [&] {
        Tile whole = place;
        whole.validColumns = {};
        storeRows(ready, whole);
      },
      [&] { storeRows(ready, place); });
  return success();
}

} // namespace glm::cpu
