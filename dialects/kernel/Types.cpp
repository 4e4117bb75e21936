// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types and attributes of the dialect: how shapes are written, and which are sound.
#include "dialects/kernel/Kernel.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace glm::kernel;

#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/kernel/KernelTypes.cpp.inc"

void KernelDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/kernel/KernelTypes.cpp.inc"
      >();
}

void KernelDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/kernel/KernelAttributes.cpp.inc"
      >();
}

using Emit = function_ref<InFlightDiagnostic()>;

//===--- What all memories answer -----------------------------------------------------------===//

int64_t glm::kernel::rankOf(Type memory) {
  if (auto buffer = dyn_cast<BufferType>(memory))
    return buffer.getShape().size();
  if (auto bank = dyn_cast<BankType>(memory))
    return bank.getShape().size();
  return 2;
}

Type glm::kernel::elementOf(Type type) {
  return TypeSwitch<Type, Type>(type)
      .Case<BufferType, BankType, CacheType, TileType>(
          [](auto shaped) { return shaped.getElementType(); })
      .Default(Type());
}

Attribute glm::kernel::layoutOf(Type memory) {
  return TypeSwitch<Type, Attribute>(memory)
      .Case<BufferType, BankType, CacheType>([](auto shaped) { return shaped.getLayout(); })
      .Default(Attribute());
}

int64_t glm::kernel::rowsOf(Type memory) {
  ArrayRef<int64_t> shape;
  if (auto buffer = dyn_cast<BufferType>(memory))
    shape = buffer.getShape();
  else if (auto bank = dyn_cast<BankType>(memory))
    shape = bank.getShape();
  else
    return ShapedType::kDynamic;
  return shape.size() == 1 ? 1 : shape[shape.size() - 2];
}

int64_t glm::kernel::columnsOf(Type memory) {
  if (auto buffer = dyn_cast<BufferType>(memory))
    return buffer.getShape().back();
  if (auto bank = dyn_cast<BankType>(memory))
    return bank.getShape().back();
  return cast<CacheType>(memory).getWidth();
}

//===--- Rules ------------------------------------------------------------------------------===//

static LogicalResult verifyElement(Emit emitError, StringRef what, Type element) {
  if (element.isF32() || element.isF64() || element.isBF16() || element.isInteger(32) ||
      element.isInteger(8) || element.isInteger(4) || isa<Float8E4M3FNType>(element))
    return success();
  return emitError() << what << " holds f32, f64, bf16, i32, i8, i4 or f8E4M3FN, not " << element;
}

static LogicalResult verifyPanels(Emit emitError, StringRef what, Attribute layout) {
  auto panels = dyn_cast<PanelsAttr>(layout);
  if (!panels)
    return emitError() << what << " is row-major or packed in #kernel.panels, not " << layout;
  return success();
}

LogicalResult PanelsAttr::verify(Emit emitError, int64_t n, int64_t k) {
  if (n < 1 || k < 1)
    return emitError() << "a panel has at least one row and one column, not " << n << " and " << k;
  return success();
}

LogicalResult LinesAttr::verify(Emit emitError, int64_t rows) {
  if (rows < 1)
    return emitError() << "a line holds at least one row, not " << rows;
  return success();
}

LogicalResult BufferType::verify(Emit emitError, ArrayRef<int64_t> shape, Type elementType,
                                 Attribute layout) {
  if (shape.empty())
    return emitError() << "a buffer has at least one dimension";
  if (llvm::any_of(shape.drop_front(), ShapedType::isDynamic))
    return emitError() << "only the first dimension of a buffer may be dynamic";
  bool isNumber = ShapedType::isDynamic(shape.front()) && shape.size() != 3;
  if (layout && (shape.size() < 2 || shape.size() > 3 || isNumber))
    return emitError() << "a packed buffer has two static dimensions, or a number of such matrices";
  if (layout && failed(verifyPanels(emitError, "a buffer", layout)))
    return failure();
  return verifyElement(emitError, "a buffer", elementType);
}

LogicalResult BankType::verify(Emit emitError, ArrayRef<int64_t> shape, Type elementType,
                               Attribute layout) {
  if (shape.size() != 3 || llvm::any_of(shape, ShapedType::isDynamic))
    return emitError() << "a bank has three static dimensions: experts, rows, columns";
  if (layout && failed(verifyPanels(emitError, "a bank", layout)))
    return failure();
  return verifyElement(emitError, "a bank", elementType);
}

LogicalResult CacheType::verify(Emit emitError, int64_t width, Type elementType, Attribute layout) {
  if (width < 1)
    return emitError() << "a cache is at least 1 wide, not " << width;
  if (failed(verifyElement(emitError, "a cache", elementType)))
    return failure();
  if (!layout)
    return success();
  auto lines = dyn_cast<LinesAttr>(layout);
  if (!lines)
    return emitError() << "a cache stores rows or #kernel.lines, not " << layout;
  if (width * bitWidth(elementType) % 32 != 0)
    return emitError() << "rows packed in lines are whole words of 32 bits, not " << width << " x "
                       << elementType;
  return success();
}

LogicalResult TileType::verify(Emit emitError, int64_t rows, int64_t columns, Type elementType) {
  if (rows < 1 || columns < 1)
    return emitError() << "a tile has at least one row and one column, not " << rows << "x"
                       << columns;
  return verifyElement(emitError, "a tile", elementType);
}

//===--- Text -------------------------------------------------------------------------------===//

/// `<?x64xf32>` or `<40x64xbf16, #kernel.panels<64, 2>>`; the layout only where `layout` is given.
static ParseResult parseShaped(AsmParser &parser, bool allowDynamic, SmallVectorImpl<int64_t> &dims,
                               Type &element, Attribute *layout) {
  if (parser.parseLess() || parser.parseDimensionList(dims, allowDynamic) ||
      parser.parseType(element))
    return failure();
  if (layout && succeeded(parser.parseOptionalComma()) && parser.parseAttribute(*layout))
    return failure();
  return parser.parseGreater();
}

static void printShaped(AsmPrinter &printer, ArrayRef<int64_t> dims, Type element,
                        Attribute layout) {
  printer << '<';
  for (int64_t dim : dims) {
    if (ShapedType::isDynamic(dim))
      printer << "?x";
    else
      printer << dim << 'x';
  }
  printer << element;
  if (layout)
    printer << ", " << layout;
  printer << '>';
}

template <typename Memory> static Type parseMemory(AsmParser &parser, bool allowDynamic) {
  SMLoc where = parser.getCurrentLocation();
  SmallVector<int64_t> dims;
  Type element;
  Attribute layout;
  if (parseShaped(parser, allowDynamic, dims, element, &layout))
    return {};
  return parser.getChecked<Memory>(where, parser.getContext(), dims, element, layout);
}

Type BufferType::parse(AsmParser &parser) {
  return parseMemory<BufferType>(parser, /*allowDynamic=*/true);
}

void BufferType::print(AsmPrinter &printer) const {
  printShaped(printer, getShape(), getElementType(), getLayout());
}

Type BankType::parse(AsmParser &parser) {
  return parseMemory<BankType>(parser, /*allowDynamic=*/false);
}

void BankType::print(AsmPrinter &printer) const {
  printShaped(printer, getShape(), getElementType(), getLayout());
}

Type CacheType::parse(AsmParser &parser) {
  SMLoc where = parser.getCurrentLocation();
  SmallVector<int64_t> dims;
  Type element;
  Attribute layout;
  if (parseShaped(parser, /*allowDynamic=*/false, dims, element, &layout))
    return {};
  if (dims.size() != 1) {
    parser.emitError(where, "a cache has one dimension, its width, not ") << dims.size();
    return {};
  }
  return parser.getChecked<CacheType>(where, parser.getContext(), dims.front(), element, layout);
}

void CacheType::print(AsmPrinter &printer) const {
  printShaped(printer, getWidth(), getElementType(), getLayout());
}

Type TileType::parse(AsmParser &parser) {
  SMLoc where = parser.getCurrentLocation();
  SmallVector<int64_t> dims;
  Type element;
  if (parseShaped(parser, /*allowDynamic=*/false, dims, element, nullptr))
    return {};
  if (dims.size() != 2) {
    parser.emitError(where, "a tile has two dimensions, not ") << dims.size();
    return {};
  }
  return parser.getChecked<TileType>(where, parser.getContext(), dims[0], dims[1], element);
}

void TileType::print(AsmPrinter &printer) const {
  printShaped(printer, {getRows(), getColumns()}, getElementType(), nullptr);
}
