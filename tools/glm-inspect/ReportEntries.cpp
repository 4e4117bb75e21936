// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Expression.h"
#include "tools/glm-inspect/Report.h"

#include <functional>
#include <map>

namespace glm::inspect {

using runtime::countOf;

/// `nameOf` says what a dim is called.
static std::string textOf(const schema::Expr &expression,
                          const std::function<std::string(uint32_t)> &nameOf) {
  std::vector<std::string> stack;
  for (const schema::Term *term : *expression.terms()) {
    if (term->op() == schema::ExprOp::constant || term->op() == schema::ExprOp::dim) {
      bool isDim = term->op() == schema::ExprOp::dim;
      stack.push_back(isDim ? nameOf(uint32_t(term->value())) : std::to_string(term->value()));
      continue;
    }
    std::string right = stack.back();
    stack.pop_back();
    std::string left = stack.back();
    static constexpr const char *infix[] = {"", "", " + ", " - ", " * "};
    if (size_t(term->op()) < std::size(infix))
      stack.back() = "(" + left + infix[size_t(term->op())] + right + ")";
    else
      stack.back() =
          std::string(schema::EnumNameExprOp(term->op())) + "(" + left + ", " + right + ")";
  }
  // Of the whole, the parentheses say nothing.
  const std::string &result = stack.back();
  return result.front() == '(' ? result.substr(1, result.size() - 2) : result;
}

std::string textOf(const schema::Expr &expression, const schema::Program &program) {
  return textOf(expression, [&](uint32_t dim) { return program.dims()->Get(dim)->name()->str(); });
}

/// A cost of a launch. The loader does not look at them, so a broken one is null like one that is
/// not there.
static Json costOf(const schema::Expr *cost, const schema::Program &program) {
  if (!cost || runtime::checkExpression(*cost, countOf(program.counts())))
    return nullptr;
  return textOf(*cost, [&](uint32_t count) { return program.counts()->Get(count)->str(); });
}

namespace {

/// Counts of an entry's commands, branches included.
struct Commands {
  std::map<std::string, size_t> kinds;
  std::map<uint32_t, size_t> launches; // by kernel
  Json branches = Json::array();       // those that ask and hold the same are told once
  Json costs = Json::array();          // of launches in order

  void add(const schema::Program &program,
           const flatbuffers::Vector<flatbuffers::Offset<schema::Command>> *commands) {
    for (size_t i = 0; i < countOf(commands); ++i) {
      const schema::Command &command = *commands->Get(uint32_t(i));
      ++kinds[schema::EnumNameBody(command.body_type())];
      if (const schema::Launch *launch = command.body_as_Launch()) {
        ++launches[launch->kernel()];
        costs.push_back({{"kernel", program.kernels()->Get(launch->kernel())->name()->str()},
                         {"label", runtime::textOf(launch->label())},
                         {"flop", costOf(launch->flop(), program)},
                         {"bytes", costOf(launch->bytes(), program)}});
      }
      if (const schema::Branch *branch = command.body_as_Branch()) {
        size_t before = kinds["Launch"];
        add(program, branch->less());
        size_t between = kinds["Launch"];
        add(program, branch->otherwise());
        addBranch({{"left", textOf(*branch->left(), program)},
                   {"right", textOf(*branch->right(), program)},
                   {"less", between - before},
                   {"otherwise", kinds["Launch"] - between}});
      }
    }
  }

  void addBranch(Json branch) {
    for (Json &known : branches) {
      branch["count"] = known["count"];
      if (known == branch) {
        known["count"] = known["count"].get<size_t>() + 1;
        return;
      }
    }
    branch["count"] = 1;
    branches.push_back(branch);
  }
};

} // namespace

// A size with every dim at its bound: the most an entry needs.
static Json sizeOf(const schema::Expr &expression, const schema::Program &program) {
  std::vector<int64_t> dims;
  for (const schema::Dim *dim : *program.dims())
    dims.push_back(dim->max());
  int64_t value = 0;
  Json most = runtime::evaluateSize(expression, dims.data(), value) ? Json(nullptr) : Json(value);
  return {{"size", textOf(expression, program)}, {"most_bytes", most}};
}

static Json portsOf(const flatbuffers::Vector<flatbuffers::Offset<schema::Port>> &ports,
                    const schema::Program &program) {
  Json result = Json::array();
  for (const schema::Port *port : ports) {
    Json shape = Json::array();
    for (const schema::Expr *extent : *port->shape())
      shape.push_back(textOf(*extent, program));
    result.push_back({{"name", port->name()->str()},
                      {"dtype", schema::EnumNameDtype(port->dtype())},
                      {"shape", shape}});
  }
  return result;
}

static Json kernelsOf(const schema::Program &program, const std::map<uint32_t, size_t> &launches) {
  Json result = Json::array();
  for (size_t i = 0; i < countOf(program.kernels()); ++i) {
    const schema::Kernel &kernel = *program.kernels()->Get(uint32_t(i));
    auto found = launches.find(uint32_t(i));
    result.push_back({{"name", kernel.name()->str()},
                      {"symbol", runtime::textOf(kernel.symbol())},
                      {"segment", program.segments()->Get(kernel.segment())->name()->str()},
                      {"offset", kernel.offset()},
                      {"launches", found == launches.end() ? 0 : found->second}});
    if (kernel.scratch())
      result.back()["scratch"] = textOf(*kernel.scratch(), program);
  }
  return result;
}

static Json statesOf(const schema::Program &program) {
  Json result = Json::array();
  for (size_t i = 0; i < countOf(program.states()); ++i) {
    const schema::State &state = *program.states()->Get(uint32_t(i));
    result.push_back({{"name", state.name()->str()},
                      {"dtype", schema::EnumNameDtype(state.dtype())},
                      {"width", state.width()},
                      {"row_bytes", state.row_bytes()},
                      {"page_rows", state.page_rows()},
                      {"layout", state.layout() == 0 ? "rows" : "lines16"}});
  }
  return result;
}

void reportExecution(const schema::Program &program, Json &result) {
  Json entries = Json::array(), handoffs = Json::array();
  Commands all;
  for (const schema::Entry *entry : *program.entries()) {
    Commands own;
    own.add(program, entry->commands());
    all.add(program, entry->commands());
    entries.push_back({{"name", entry->name()->str()},
                       {"inputs", portsOf(*entry->inputs(), program)},
                       {"outputs", portsOf(*entry->outputs(), program)},
                       {"buffers", entry->buffers()->size()},
                       {"arena", sizeOf(*entry->arena(), program)},
                       {"scratch", sizeOf(*entry->scratch(), program)},
                       {"commands", own.kinds},
                       {"branches", own.branches},
                       {"launches", own.costs}});
  }
  for (size_t i = 0; i < countOf(program.handoffs()); ++i) {
    const schema::Handoff &handoff = *program.handoffs()->Get(uint32_t(i));
    handoffs.push_back(
        {{"name", handoff.name()->str()}, {"size", textOf(*handoff.size(), program)}});
  }
  result["entries"] = entries;
  result["kernels"] = kernelsOf(program, all.launches);
  result["states"] = statesOf(program);
  result["handoffs"] = handoffs;
}

} // namespace glm::inspect
