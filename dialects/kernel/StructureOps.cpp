// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels, launches, groups and units: their text and their rules.
#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/Verify.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace glm::kernel;

#define GET_OP_CLASSES
#include "dialects/kernel/StructureOps.cpp.inc"

void KernelDialect::addStructureOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/StructureOps.cpp.inc"
      >();
}

//===--- func -------------------------------------------------------------------------------===//

ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &result) {
  auto type = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                 function_interface_impl::VariadicFlag,
                 std::string &) { return builder.getFunctionType(arguments, results); };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false, getFunctionTypeAttrName(result.name), type,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void FuncOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false,
                                           getFunctionTypeAttrName(), getArgAttrsAttrName(),
                                           getResAttrsAttrName());
}

LogicalResult FuncOp::verify() {
  // C1: arguments are memory or integer scalars, there are no results.
  for (auto [index, type] : llvm::enumerate(getArgumentTypes()))
    if (!isa<BufferType, BankType, CacheType, IndexType>(type) && !type.isInteger(32))
      return emitOpError() << "argument " << index << " is " << type
                           << ", expected a buffer, bank, cache, index or i32";
  if (!getResultTypes().empty())
    return emitOpError() << "returns " << getResultTypes().size()
                         << " values, but a kernel writes its results to memory";
  // C2: the body has at most one kernel.parallel and it is the last op before kernel.return.
  if (getBody().empty())
    return emitOpError("has no body");
  Block &body = getBody().front();
  if (body.empty() || !isa<ReturnOp>(body.back()))
    return emitOpError("must end in kernel.return");
  for (Operation &op : body)
    if (isa<ParallelOp>(op) && op.getNextNode() != &body.back())
      return op.emitOpError("must be the last op before kernel.return");
  return success();
}

//===--- parallel ---------------------------------------------------------------------------===//

/// `(%j, %i) to (%c40, %n) step [64, 6] {...}`.
ParseResult ParallelOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> units;
  SmallVector<OpAsmParser::UnresolvedOperand> bounds;
  SmallVector<int64_t> steps;
  Type index = parser.getBuilder().getIndexType();
  auto parseStep = [&] { return parser.parseInteger(steps.emplace_back()); };
  if (parser.parseArgumentList(units, OpAsmParser::Delimiter::Paren) || parser.parseKeyword("to") ||
      parser.parseOperandList(bounds, OpAsmParser::Delimiter::Paren) ||
      parser.resolveOperands(bounds, index, result.operands) || parser.parseKeyword("step") ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, parseStep))
    return failure();
  for (OpAsmParser::Argument &unit : units)
    unit.type = index;
  result.addAttribute(getStepsAttrName(result.name),
                      parser.getBuilder().getDenseI64ArrayAttr(steps));
  Region *body = result.addRegion();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*body, units))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return success();
}

void ParallelOp::print(OpAsmPrinter &printer) {
  printer << " (" << getBody().getArguments() << ") to (" << getBounds() << ") step [";
  llvm::interleaveComma(getSteps(), printer);
  printer << "] ";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {getStepsAttrName()});
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
}

LogicalResult ParallelOp::verify() {
  // C1: as many steps as bounds, all positive; one block argument of type index for each.
  if (getSteps().size() != getBounds().size() || getBounds().empty())
    return emitOpError() << "has " << getBounds().size() << " bounds and " << getSteps().size()
                         << " steps, expected as many of both and at least one";
  for (int64_t step : getSteps())
    if (step < 1)
      return emitOpError() << "steps must be positive, found " << step;
  SmallVector<Type> units(getBounds().size(), IndexType::get(getContext()));
  return checkRegion(*this, units, 0);
}

//===--- launch and group -------------------------------------------------------------------===//

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // C1: kernel names a kernel.func; operands and results are as many as its arguments.
  auto kernel = symbols.lookupNearestSymbolFrom<FuncOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError() << getKernelAttr() << " is not a kernel.func";
  // An updated argument is an operand and, on values, a result.
  size_t given = getInputs().size() + getOutputs().size() + getResults().size();
  if (!getResults().empty())
    for (unsigned index = 0; index < kernel.getArgumentTypes().size(); ++index)
      given -= bool(kernel.getArgAttr(index, updatedAttribute));
  if (given != kernel.getArgumentTypes().size())
    return emitOpError() << "has " << given << " operands and results, but " << getKernelAttr()
                         << " has " << kernel.getArgumentTypes().size() << " arguments";
  return success();
}

/// The region's last op is a yield of the op's results.
static LogicalResult checkYield(Operation *op, Region &region) {
  auto yield = dyn_cast_or_null<YieldOp>(region.front().empty() ? nullptr : &region.front().back());
  if (!yield)
    return op->emitOpError("the region must end in kernel.yield");
  if (yield.getOperandTypes() != op->getResultTypes()) {
    InFlightDiagnostic error = op->emitOpError("the region yields (");
    llvm::interleaveComma(yield.getOperandTypes(), error);
    error << "), expected (";
    llvm::interleaveComma(op->getResultTypes(), error);
    return error << ")";
  }
  return success();
}

LogicalResult GroupOp::verify() {
  // C1: the region yields the results.
  return checkYield(*this, getBody());
}

LogicalResult ByRowsOp::verify() {
  // C1: bound is positive; both regions yield the results.
  if (getBound() < 1)
    return emitOpError() << "bound must be positive, found " << getBound();
  return failure(failed(checkYield(*this, getFew())) || failed(checkYield(*this, getMany())));
}
