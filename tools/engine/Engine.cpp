// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/engine/Engine.h"

#include "tools/engine/Failure.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace glm::tool {
namespace {

void log(void *, int32_t level, const char *message) {
  if (level >= GLM_LOG_WARNING)
    std::fprintf(stderr, "warning: %s\n", message);
}

/// Rows of one step over a prompt: enough for the matmuls, small enough for the arena.
constexpr int64_t defaultChunk = 512;

void check(const Status &status) {
  glm_status value = {status.code(), ""};
  std::snprintf(value.message, sizeof value.message, "%s", status.message());
  tool::check(value);
}

/// Calls `fill(buffer, capacity, &count)` twice: to ask and to get.
template <typename Sequence, typename Fill> Sequence filled(const Fill &fill) {
  size_t count = 0;
  tool::check(fill(nullptr, 0, &count));
  Sequence result(count, {});
  tool::check(fill(result.data(), count, &count));
  return result;
}

} // namespace

Engine::Engine(const EngineOptions &options) : attention(options.attention) {
  auto start = std::chrono::steady_clock::now();
  glm_runtime_options runtimeOptions = {};
  runtimeOptions.threads = options.threads;
  runtimeOptions.log = log;
  check(Runtime::create(runtimeOptions, runtime));
  glm_model_options modelOptions = {};
  modelOptions.weights_memory = options.copyWeights ? GLM_WEIGHTS_COPY : GLM_WEIGHTS_MAP;
  modelOptions.verify_weights = options.verifyWeights;
  modelOptions.level = options.level.empty() ? nullptr : options.level.c_str();
  check(Model::load(runtime, options.artifact.c_str(), modelOptions, loaded));
  modelInfo = loaded.info();
  std::span<const std::byte> tables;
  if (modelInfo.tokenizers > 0) {
    check(loaded.tokenizer(nullptr, tables));
    glm_tokenizer *opened = nullptr;
    tool::check(glm_tokenizer_open(tables.data(), tables.size(), &opened));
    openTokenizer.reset(opened);
  }
  loadTime =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

glm_tokenizer *Engine::tokenizer() const {
  if (!openTokenizer)
    throw Failure(Code::InputMissing, modelInfo.path, "has no tokenizer",
                  "compile a checkpoint with tokenizer.json, or give --tokens");
  return openTokenizer.get();
}

std::vector<int32_t> Engine::encode(const std::string &text, uint32_t flags) const {
  return filled<std::vector<int32_t>>([&](int32_t *ids, size_t capacity, size_t *count) {
    return glm_tokenizer_encode(tokenizer(), text.data(), text.size(), flags, ids, capacity, count);
  });
}

std::string Engine::decode(const std::vector<int32_t> &ids, uint32_t flags) const {
  return filled<std::string>([&](char *text, size_t capacity, size_t *size) {
    return glm_tokenizer_decode(tokenizer(), ids.data(), ids.size(), flags, text, capacity, size);
  });
}

std::string Engine::renderChat(const std::string &request) const {
  return filled<std::string>([&](char *text, size_t capacity, size_t *size) {
    return glm_chat_render(tokenizer(), request.data(), request.size(), text, capacity, size);
  });
}

std::vector<glm_dim> Engine::formOf(int64_t context) const {
  int64_t most = modelInfo.max_expanded_keys;
  if (attention == Attention::automatic || (attention == Attention::gathered && most == 0))
    return {};
  if (attention == Attention::gathered)
    return {{"expanded_keys", 0}};
  int64_t keys = context > 0 ? context : modelInfo.max_context;
  if (keys > most)
    throw Failure(Code::BadArguments, "--attention",
                  "a context of " + std::to_string(keys) + " keys, the artifact expands at most " +
                      std::to_string(most),
                  most ? "measure a shorter context" : "it has one form of attention only");
  std::vector<glm_dim> dims = {{"expanded_keys", keys}, {"expanded_rows", 1}, {"full_rows", 1}};
  if (attention == Attention::expanded)
    dims.push_back({"unmasked_keys", keys});
  return dims;
}

Session Engine::openSession(int64_t context, int64_t maxRows, int64_t slots, bool profile,
                            bool allLogits) const {
  glm_session_options options = {};
  options.max_rows = maxRows;
  options.slots = slots;
  options.context = context;
  options.profile = profile;
  std::vector<glm_dim> dims = formOf(context);
  if (allLogits)
    dims.push_back({"max_logit_rows", maxRows});
  options.dims = dims.data();
  options.dim_count = dims.size();
  Session session;
  check(Session::create(loaded, options, session));
  return session;
}

int64_t Engine::rowsFor(int64_t tokens, int64_t chunk) const {
  int64_t wanted = chunk > 0 ? chunk : defaultChunk;
  return std::clamp<int64_t>(std::min(wanted, tokens), 1, modelInfo.max_rows);
}

void Engine::requireContext(const char *thing, int64_t positions, int64_t context) const {
  int64_t bound = modelInfo.max_context;
  if (context > bound)
    throw Failure(Code::BadArguments, "--context",
                  std::to_string(context) + " positions, the artifact was compiled for " +
                      std::to_string(bound),
                  "compile with a larger --context");
  int64_t capacity = context > 0 ? context : bound;
  if (positions > capacity)
    throw Failure(Code::BadArguments, thing,
                  "needs " + std::to_string(positions) + " positions, the context has " +
                      std::to_string(capacity),
                  capacity < bound ? "give --context up to " + std::to_string(bound)
                                   : "make it shorter, or compile with a larger --context");
}

std::vector<glm_row> rowsOf(const int32_t *tokens, size_t count, int64_t position) {
  std::vector<glm_row> rows(count);
  for (size_t i = 0; i < count; ++i)
    rows[i] = {tokens[i], 0, static_cast<int32_t>(position + static_cast<int64_t>(i)), 0};
  return rows;
}

void prefill(Session &session, const std::vector<int32_t> &tokens, int64_t chunk, bool allLogits,
             const std::function<void(size_t, size_t)> &seen) {
  for (size_t first = 0; first < tokens.size();) {
    size_t count = std::min<size_t>(static_cast<size_t>(chunk), tokens.size() - first);
    std::vector<int32_t> wanted;
    if (allLogits) {
      wanted.resize(count);
      std::iota(wanted.begin(), wanted.end(), 0);
    } else if (first + count == tokens.size()) {
      wanted.push_back(static_cast<int32_t>(count - 1));
    }
    check(session.step(rowsOf(tokens.data() + first, count, session.length(0)), wanted));
    seen(first, count);
    first += count;
  }
}

std::span<const float> floats(const Session &session, const char *name) {
  glm_tensor tensor = {};
  check(session.output(name, tensor));
  return elements<float>(tensor, GLM_F32);
}

} // namespace glm::tool
