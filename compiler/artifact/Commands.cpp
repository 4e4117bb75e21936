// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/artifact/TableWriter.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace glm::artifact {

namespace {

class EntryTables {
public:
  EntryTables(TableWriter &writer, program::EntryOp entry)
      : writer(writer), b(writer.builder), entry(entry) {}

  Offset<schema::Entry> write() {
    for (auto buffer : entry.getBody().getOps<program::BufferOp>())
      addBuffer(buffer);
    Offsets<schema::Port> inputs, outputs;
    for (auto port : entry.getBody().getOps<program::PortOp>())
      (port.getKind() == program::PortKind::Input ? inputs : outputs).push_back(writePort(port));
    auto commands = writeCommands(entry.getBody());
    auto name = writer.string(entry.getSymName());
    auto arena = writer.expr(entry.getArenaAttr()), scratch = writer.expr(entry.getScratchAttr());
    return schema::CreateEntry(b, name, b.CreateVector(inputs), b.CreateVector(outputs),
                               b.CreateVector(buffers), arena, scratch, b.CreateVector(commands));
  }

private:
  void addBuffer(program::BufferOp buffer) {
    bufferIndex[buffer.getResult()] = uint32_t(buffers.size());
    buffers.push_back(schema::CreateBuffer(b, 0, 0, writer.expr(buffer.getOffsetAttr()),
                                           writer.expr(buffer.getSizeAttr())));
  }

  Offset<schema::Port> writePort(program::PortOp port) {
    auto buffer = port.getBuffer().getDefiningOp<program::BufferOp>();
    kernel::BufferType type = buffer.getResult().getType();
    Offsets<schema::Expr> shape;
    for (int64_t size : type.getShape())
      shape.push_back(writer.expr(ShapedType::isDynamic(size)
                                      ? program::Expr::dim(buffer.getDimAttr())
                                      : program::Expr(size)));
    return schema::CreatePort(b, writer.string(port.getName()),
                              TableWriter::dtypeOf(type.getElementType()), b.CreateVector(shape),
                              bufferIndex.lookup(buffer.getResult()));
  }

  schema::Arg argOf(Value value) {
    using enum schema::ArgKind;
    return llvm::TypeSwitch<Operation *, schema::Arg>(value.getDefiningOp())
        .Case([&](program::BufferOp) { return schema::Arg(buffer, bufferIndex.lookup(value), 0); })
        .Case([&](program::WeightRefOp ref) {
          return schema::Arg(weight, writer.indexOf(ref.getWeight()), 0);
        })
        .Case([&](program::BankRefOp ref) {
          return schema::Arg(bank, writer.indexOf(ref.getBank()), 0);
        })
        .Case([&](program::StateRefOp ref) {
          return schema::Arg(state, writer.indexOf(ref.getState()), 0);
        })
        .Default([](Operation *) { return schema::Arg(constant, 0, 0); });
  }

  /// One word for each memory, one more for the dynamic dimension of a buffer.
  std::vector<schema::Arg> argsOf(ValueRange operands) {
    std::vector<schema::Arg> args;
    for (Value operand : operands) {
      args.push_back(argOf(operand));
      auto buffer = operand.getDefiningOp<program::BufferOp>();
      if (buffer && buffer.getDim())
        args.emplace_back(schema::ArgKind::dim, writer.indexOf(*buffer.getDim()), 0);
    }
    return args;
  }

  Offsets<schema::Command> writeCommands(Region &region) {
    Offsets<schema::Command> commands;
    if (region.empty())
      return commands;
    for (Operation &op : region.front()) {
      auto [kind, body] = writeCommand(&op);
      if (kind != schema::Body::NONE)
        commands.push_back(schema::CreateCommand(b, kind, body));
    }
    return commands;
  }

  using Written = std::pair<schema::Body, Offset<void>>;

  Written writeCommand(Operation *op) {
    return llvm::TypeSwitch<Operation *, Written>(op)
        .Case([&](program::LaunchOp launch) { return writeLaunch(launch); })
        .Case([&](program::BarrierOp barrier) {
          return Written(schema::Body::Barrier,
                         schema::CreateBarrier(b, writer.indexOf(barrier.getDevice())).Union());
        })
        .Case([&](program::CopyOp copy) { return writeCopy(copy); })
        .Case([&](program::SignalOp signal) {
          return Written(schema::Body::Signal,
                         schema::CreateSignal(b, uint32_t(signal.getEvent()),
                                              writer.indexOf(signal.getDevice()))
                             .Union());
        })
        .Case([&](program::WaitOp wait) {
          return Written(schema::Body::Wait, schema::CreateWait(b, uint32_t(wait.getEvent()),
                                                                writer.indexOf(wait.getDevice()))
                                                 .Union());
        })
        .Case([&](program::RequireOp require) {
          schema::Arg routing = argOf(require.getRouting());
          return Written(
              schema::Body::Require,
              schema::CreateRequire(b, argOf(require.getBank()).index(), &routing).Union());
        })
        .Case([&](program::CollectiveOp collective) { return writeCollective(collective); })
        .Case([&](program::BranchOp branch) { return writeBranch(branch); })
        .Default([](Operation *) { return Written(schema::Body::NONE, Offset<void>()); });
  }

  Written writeLaunch(program::LaunchOp launch) {
    auto args = b.CreateVectorOfStructs(argsOf(launch.getArguments()));
    auto label = sharedLabel(launch.getLabel());
    auto flop = writer.cost(launch.getFlopAttr()), bytes = writer.cost(launch.getBytesAttr());
    return {schema::Body::Launch,
            schema::CreateLaunch(b, writer.indexOf(launch.getKernel()), args,
                                 writer.indexOf(launch.getDevice()), label, flop, bytes)
                .Union()};
  }

  /// Many launches have the same label.
  Offset<flatbuffers::String> sharedLabel(StringRef label) {
    return b.CreateSharedString(label.data(), label.size());
  }

  Written writeCopy(program::CopyOp copy) {
    schema::Arg source = argOf(copy.getSource()), destination = argOf(copy.getDestination());
    auto bytes = writer.expr(copy.getBytes());
    return {schema::Body::Copy, schema::CreateCopy(b, &source, &destination, bytes,
                                                   writer.indexOf(copy.getSourceDevice()),
                                                   writer.indexOf(copy.getDestinationDevice()))
                                    .Union()};
  }

  Written writeCollective(program::CollectiveOp op) {
    schema::Arg source = argOf(op.getSource()), destination = argOf(op.getDestination());
    auto count = writer.expr(op.getCount());
    auto type = TableWriter::dtypeOf(op.getSource().getType().getElementType());
    return {schema::Body::Collective,
            schema::CreateCollective(b, writer.indexOf(op.getGroup()), uint8_t(op.getKind()),
                                     &source, &destination, count, type)
                .Union()};
  }

  Written writeBranch(program::BranchOp branch) {
    auto less = b.CreateVector(writeCommands(branch.getLess()));
    auto otherwise = b.CreateVector(writeCommands(branch.getOtherwise()));
    auto left = writer.expr(branch.getLeft()), right = writer.expr(branch.getRight());
    return {schema::Body::Branch, schema::CreateBranch(b, left, right, less, otherwise).Union()};
  }

  TableWriter &writer;
  flatbuffers::FlatBufferBuilder &b;
  program::EntryOp entry;
  Offsets<schema::Buffer> buffers;
  llvm::DenseMap<Value, uint32_t> bufferIndex;
};

} // namespace

Offset<schema::Entry> writeEntry(TableWriter &writer, program::EntryOp entry) {
  return EntryTables(writer, entry).write();
}

} // namespace glm::artifact
