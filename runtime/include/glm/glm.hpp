// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime's C API (runtime.h, which explains everything) for C++20: owners that move and clean
// up, spans instead of pointer and count, names instead of out-parameters. Header only; no
// exceptions, no allocation of its own.
//
//   glm::Runtime runtime;
//   glm::Model model;
//   if (glm::Status status = glm::Runtime::create({}, runtime); !status) { … status.message() … }
#ifndef GLM_GLM_HPP
#define GLM_GLM_HPP

#include "glm/runtime.h"

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace glm {

/// The outcome of a call: true when it succeeded.
class [[nodiscard]] Status final {
public:
  Status(const glm_status &status) : value(status) {}
  explicit operator bool() const { return value.code == GLM_OK; }
  int code() const { return value.code; }
  /// One line; empty on success. Lives as long as the status.
  const char *message() const { return value.message; }

private:
  glm_status value;
};

/// Sole owner of one of the API's objects.
template <typename T, void (*destroy)(T *)> class Owner {
public:
  Owner() = default;
  explicit Owner(T *object) : object(object) {}
  Owner(Owner &&other) noexcept : object(std::exchange(other.object, nullptr)) {}
  Owner &operator=(Owner &&other) noexcept {
    std::swap(object, other.object);
    return *this;
  }
  ~Owner() { destroy(object); }
  explicit operator bool() const { return object != nullptr; }
  /// For calls of the C API; stays owned.
  T *get() const { return object; }

protected:
  /// Destroys what is owned and gives the place for something new.
  T **renew() {
    destroy(std::exchange(object, nullptr));
    return &object;
  }

private:
  T *object = nullptr;
};

/// The threads. Outlives its models.
class Runtime final : public Owner<glm_runtime, glm_runtime_destroy> {
public:
  static Status create(const glm_runtime_options &options, Runtime &runtime) {
    return glm_runtime_create(&options, runtime.renew());
  }
  glm_runtime_statistics statistics() const {
    glm_runtime_statistics result = {};
    glm_runtime_describe(get(), &result);
    return result;
  }
};

/// A loaded artifact. Outlives its sessions.
class Model final : public Owner<glm_model, glm_model_destroy> {
public:
  static Status load(const Runtime &runtime, const char *path, const glm_model_options &options,
                     Model &model) {
    return glm_model_load(runtime.get(), path, &options, model.renew());
  }
  glm_model_info info() const {
    glm_model_info result = {};
    glm_model_describe(get(), &result);
    return result;
  }
  /// Empty when the artifact has no such attribute.
  std::string_view attribute(const char *key) const {
    const char *value = glm_model_attribute(get(), key);
    return value ? value : std::string_view();
  }
  /// `name` null: the first one.
  Status tokenizer(const char *name, std::span<const std::byte> &bytes) const {
    return view(glm_model_tokenizer, name, bytes);
  }
  Status blob(const char *name, std::span<const std::byte> &bytes) const {
    return view(glm_model_blob, name, bytes);
  }

private:
  template <typename Call>
  Status view(Call call, const char *name, std::span<const std::byte> &bytes) const {
    glm_bytes found = {};
    glm_status status = call(get(), name, 0, &found);
    bytes = {static_cast<const std::byte *>(found.data), found.size};
    return status;
  }
};

/// Caches and buffers of a number of slots.
class Session final : public Owner<glm_session, glm_session_destroy> {
public:
  static Status measure(const Model &model, const glm_session_options &options,
                        glm_memory_sizes &sizes) {
    return glm_session_measure(model.get(), &options, &sizes);
  }
  static Status create(const Model &model, const glm_session_options &options, Session &session) {
    return glm_session_create(model.get(), &options, session.renew());
  }
  Status step(std::span<const glm_row> rows, std::span<const int32_t> logitRows) {
    return glm_session_step(get(), rows.data(), rows.size(), logitRows.data(), logitRows.size());
  }
  Status run(const char *entry, std::span<const glm_tensor> inputs) {
    return glm_session_run(get(), entry, inputs.data(), inputs.size());
  }
  Status output(const char *name, glm_tensor &tensor) const {
    return glm_session_output(get(), name, &tensor);
  }
  int64_t length(int32_t slot) const { return glm_session_length(get(), slot); }
  Status truncate(int32_t slot, int64_t length) {
    return glm_session_truncate(get(), slot, length);
  }
  Status release(int32_t slot) { return glm_session_release(get(), slot); }
  Status branch(int32_t from, int32_t to, int64_t length) {
    return glm_session_branch(get(), from, to, length);
  }
  Status save(int32_t slot, const char *path) const { return glm_session_save(get(), slot, path); }
  Status restore(int32_t slot, const char *path) {
    return glm_session_restore(get(), slot, path);
  }
  void cancel() { glm_session_cancel(get()); }
  std::span<const glm_launch_times> profile() const {
    const glm_launch_times *launches = nullptr;
    size_t count = 0;
    glm_session_profile(get(), &launches, &count);
    return {launches, count};
  }
};

/// Elements of an output; empty when they are of another type than `dtype` says or T's size does
/// not fit.
template <typename T> std::span<const T> elements(const glm_tensor &tensor, glm_dtype dtype) {
  int64_t count = 1;
  for (int32_t i = 0; i < tensor.rank; ++i)
    count *= tensor.shape[i];
  return tensor.dtype == dtype && tensor.data
             ? std::span(static_cast<const T *>(tensor.data), size_t(count))
             : std::span<const T>();
}

} // namespace glm

#endif
