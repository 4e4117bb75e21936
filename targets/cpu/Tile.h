// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a tile value is, while a kernel is turned into code. A tile is never copied without need:
// a load is a view of memory, a gather a list of row addresses, an elementwise function is computed
// where it is used. What must have a place gets one in the worker's scratch.
#ifndef GLM_TARGETS_CPU_TILE_H
#define GLM_TARGETS_CPU_TILE_H

#include "dialects/kernel/Kernel.h"

namespace glm::cpu {

struct Tile {
  enum class Place {
    Memory, // rows at `base`, `stride` bytes apart
    Rows,   // addresses of rows, one 64-bit word each, at `base`
    Panels, // a packed matrix at `base`, see below
    Splat,  // `scalar` everywhere
    Iota,   // column numbers
    Bits,   // one bit for each column: words at `base`, `stride` bytes apart
    Lazy,   // `map`, not computed yet
  };

  kernel::TileType type;
  Place place = Place::Splat;
  mlir::Value base;
  mlir::Value stride; // index
  /// Rows and columns from these on are zero and must not be touched; null: all may.
  mlir::Value validRows, validColumns;
  /// Whole vectors may be read beyond the last column.
  bool padded = false;
  /// Panels: `groupRows` rows lie side by side, `lane` elements of each at a time; the next group
  /// is `groupStride` bytes on (index; null when there is one group).
  int64_t groupRows = 0, lane = 1;
  bool offset = false; // integer codes lie in offset binary
  mlir::Value groupStride;
  bool isCached = false; // rows of a cache, which come from memory
  mlir::Value scalar;
  kernel::MapOp map;

  int64_t rows() const { return type.getRows(); }
  int64_t columns() const { return type.getColumns(); }
  mlir::Type element() const { return type.getElementType(); }
  int64_t elementBytes() const { return element().getIntOrFloatBitWidth() / 8; }
  bool isWhole() const { return !validRows && !validColumns; }
  Tile withRows(mlir::Value valid) const {
    Tile tile = *this;
    tile.validRows = valid;
    return tile;
  }
};

/// A kernel argument, or a view of one: what `load_tile` and `store_tile` address.
struct Memory {
  mlir::Type type;
  mlir::Value base;                     // address; of a cache: of its first page
  llvm::SmallVector<mlir::Value> sizes; // of a buffer, index
  mlir::Value pages, pagesPerSlot;      // of a cache: address of the page table, index
  unsigned argument = 0;
};

/// Some columns of one row: a scalar (`lanes` 0) or a vector of which the first `used` lanes count.
struct Chunk {
  int64_t lanes = 0, used = 1;
};

} // namespace glm::cpu

#endif
