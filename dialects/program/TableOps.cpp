// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/program/Layout.h"
#include "dialects/program/Program.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace glm;
using namespace glm::program;

#define GET_OP_CLASSES
#include "dialects/program/TableOps.cpp.inc"

void ProgramDialect::addTableOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/program/TableOps.cpp.inc"
      >();
}

LogicalResult DimOp::verify() {
  // C1.
  if (getMax() < 1)
    return emitOpError("is at most ") << getMax() << ", which is not positive";
  // C2.
  if ((getKind() == DimKind::Step) != getBound().has_value())
    return emitOpError("a step dimension has a bound and others have none, but this one is ")
           << stringifyDimKind(getKind()) << (getBound() ? " with one" : " without one");
  // C3.
  if ((getMin() || getPreset()) && getKind() != DimKind::Session)
    return emitOpError("only a session dimension has `min` and `preset`, this one is ")
           << stringifyDimKind(getKind());
  if (least() < 0 || least() > usual() || usual() > getMax())
    return emitOpError("0 <= min <= preset <= max does not hold for ")
           << least() << ", " << usual() << " and " << getMax();
  return success();
}

LogicalResult SegmentOp::verify() {
  int64_t alignment = getAlignment();
  // C1.
  if (alignment < lineBytes || !llvm::isPowerOf2_64(alignment))
    return emitOpError("is aligned to a power of two of at least 64 bytes, not ") << alignment;
  return success();
}

LogicalResult WeightOp::verify() {
  auto type = cast<kernel::BufferType>(getType());
  auto from = cast<RankedTensorType>(getFrom());
  int64_t offset = getOffset(), size = getSize();
  // C1.
  if (ShapedType::isDynamicShape(type.getShape()) || !from.hasStaticShape())
    return emitOpError("is static, but ") << from << " becomes " << type;
  // C2.
  if (offset < 0 || offset % lineBytes)
    return emitOpError("lies at a multiple of 64, not at ") << offset;
  // C3.
  if (size != packedBytes(type))
    return emitOpError("takes ") << packedBytes(type) << " bytes as " << type << ", not " << size;
  // C4.
  bool isSame = type.getShape() == from.getShape() ||
                (!type.getLayout() && differInOnes(type.getShape(), from.getShape()));
  if (!getDerive() && !getQuantize() && !isSame)
    return emitOpError("keeps its shape, but ") << from << " becomes " << type;
  return success();
}

LogicalResult program::BankOp::verify() {
  auto type = cast<kernel::BankType>(getType());
  int64_t slab = getSlab();
  // C1.
  auto from = cast<RankedTensorType>(getFrom());
  bool isSame = type.getShape() == from.getShape() ||
                (!type.getLayout() && differInOnes(type.getShape(), from.getShape()));
  if (type.getShape().size() != 3 || (!getQuantize() && !isSame))
    return emitOpError("has three dimensions and keeps its shape, but ")
           << getFrom() << " becomes " << type;
  // C2.
  size_t experts = type.getShape().front();
  if (getOffsets().size() != experts || getFileOf().size() != experts ||
      getPositions().size() != experts)
    return emitOpError("lists ") << getOffsets().size() << " offsets, " << getFileOf().size()
                                 << " files and " << getPositions().size() << " positions for "
                                 << experts << " experts";
  // C3.
  for (int64_t offset : getOffsets())
    if (offset < 0 || offset % slabAlignment)
      return emitOpError("slabs lie at multiples of 4096, not at ") << offset;
  // C4.
  if (slab != int64_t(llvm::alignTo(expertBytes(type), slabAlignment)))
    return emitOpError("takes slabs of ") << llvm::alignTo(expertBytes(type), slabAlignment)
                                          << " bytes as " << type << ", not " << slab;
  return success();
}

LogicalResult program::StateOp::verify() {
  auto type = cast<kernel::CacheType>(getType());
  int64_t rows = getPageRows();
  auto lines = dyn_cast_or_null<kernel::LinesAttr>(type.getLayout());
  // C1.
  if (rows < 1 || (lines && rows % lines.getRows()))
    return emitOpError("has pages of ") << rows << " rows, which is not a positive multiple of "
                                        << (lines ? lines.getRows() : 1);
  return success();
}

LogicalResult KernelOp::verify() {
  // C1.
  if (getEntry() < 0)
    return emitOpError("is entered at ") << getEntry();
  return success();
}

LogicalResult LevelOp::verify() {
  // C1.
  auto kernels = (*this)->getParentOfType<ModuleOp>().getOps<KernelOp>();
  size_t count = size_t(std::distance(kernels.begin(), kernels.end()));
  if (getEntries().size() != count || getScratch().size() != count)
    return emitOpError("has ") << getEntries().size() << " entries and " << getScratch().size()
                               << " sizes of scratch for " << count << " kernels";
  for (int64_t number : llvm::concat<const int64_t>(getEntries(), getScratch()))
    if (number < 0)
      return emitOpError("has the negative number ") << number;
  return success();
}

LogicalResult CommunicationOp::verify() {
  // C1.
  if (getRanks() < 2)
    return emitOpError("takes at least 2 ranks, not ") << getRanks();
  return success();
}
