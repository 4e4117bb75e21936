// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Picks tokens from logits. Everything that decides is computed in double with this file's own
// exponential and without contraction, sums run in a fixed order and the random numbers are a
// function of seed and count: the same logits and seed give the same tokens on every machine.
#ifndef GLM_RUNTIME_TEXT_SAMPLER_H
#define GLM_RUNTIME_TEXT_SAMPLER_H

#include "glm/text.h"

#include <cstdint>
#include <span>
#include <vector>

namespace glm::text {

/// e^x for x <= 0, relative error below 1e-14.
double exponential(double x);

/// The n-th number of a seed in [0, 1), a multiple of 2^-53 (SplitMix64 of a mixed seed).
double randomNumber(uint64_t seed, uint64_t n);

class Sampler final {
public:
  /// Throws Argument for settings out of range.
  explicit Sampler(const glm_sampling &sampling);

  /// Tokens that count for the repetition penalty.
  void observe(std::span<const int32_t> tokens);

  /// A token for the logits of one row; it is observed. Throws Model when a logit is NaN, or none
  /// is finite.
  int32_t pick(std::span<const float> logits);

private:
  int32_t draw(std::span<const float> logits);
  std::span<const float> penalise(std::span<const float> logits);
  void weigh(std::span<const float> logits);
  void cutTopP(std::span<const float> logits);
  void sortFirst(std::span<const float> logits, size_t from, size_t count);
  double totalWeight() const;

  glm_sampling settings;
  uint64_t picks = 0;
  std::vector<bool> seen;
  std::vector<float> penalised;
  std::vector<double> weights;
  std::vector<uint32_t> order; // candidates; a prefix of it is sorted, most likely first
};

/// Log-probabilities of the logits as they are: the picked token, then the `count` most likely (of
/// equal ones the lower id first). Throws as Sampler::pick.
std::vector<glm_token_probability> logProbabilities(std::span<const float> logits, int32_t picked,
                                                    size_t count);

} // namespace glm::text

#endif
