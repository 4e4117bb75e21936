// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/Sampler.h"
#include "runtime/text/Error.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

using namespace glm::text;

namespace {

constexpr std::array<double, 14> inverseFactorials = [] {
  std::array<double, 14> values{1};
  for (size_t k = 1; k < values.size(); ++k)
    values[k] = values[k - 1] / double(k);
  return values;
}();

} // namespace

// Two steps: x = n ln 2 + r with |r| <= ln 2 / 2, then the Taylor series of e^r; ln 2 in two parts
// makes r exact enough.
double glm::text::exponential(double x) {
  if (!(x > -700))
    return 0;
  constexpr double log2e = 1.4426950408889634, high = 0x1.62e42fee00000p-1,
                   low = 0x1.a39ef35793c76p-33;
  double n = std::rint(x * log2e);
  double r = (x - n * high) - n * low;
  double sum = 0;
  for (size_t k = inverseFactorials.size(); k-- > 0;)
    sum = sum * r + inverseFactorials[k];
  return sum * std::bit_cast<double>(uint64_t(1023 + int64_t(n)) << 52);
}

namespace {

uint64_t mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

void requireRange(double value, double low, double high, const char *name, const char *range) {
  if (!(value >= low && value <= high))
    throw Error(ErrorKind::Argument,
                std::string(name) + " " + std::to_string(value) + " is not in " + range);
}

/// More likely first, of equal ones the lower id: a total order, so that no sort has a say.
struct Better {
  std::span<const float> logits;
  bool operator()(uint32_t a, uint32_t b) const {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  }
};

/// Also the place where bad logits are noticed.
int32_t highestLogit(std::span<const float> logits) {
  size_t best = 0;
  bool numbers = !logits.empty();
  for (size_t i = 0; i < logits.size(); ++i) {
    numbers &= !std::isnan(logits[i]);
    if (logits[i] > logits[best])
      best = i;
  }
  if (!numbers || !std::isfinite(logits[best]))
    throw Error(ErrorKind::Model, "the logits are not numbers; nothing can be picked from them");
  return int32_t(best);
}

} // namespace

double glm::text::randomNumber(uint64_t seed, uint64_t n) {
  constexpr uint64_t golden = 0x9e3779b97f4a7c15u;
  return double(mix(mix(seed + golden) + (n + 1) * golden) >> 11) * 0x1p-53;
}

Sampler::Sampler(const glm_sampling &sampling) : settings(sampling) {
  requireRange(settings.temperature, 0, 1e6, "temperature", "[0, 1e6]");
  requireRange(settings.top_p, 0, 1, "top-p", "[0, 1]");
  requireRange(settings.min_p, 0, 1, "min-p", "[0, 1]");
  requireRange(settings.repetition_penalty, 0, 1e6, "repetition penalty", "[0, 1e6]");
  requireRange(settings.top_k, 0, 0x7fffffff, "top-k", "[0, 2147483647]");
}

void Sampler::observe(std::span<const int32_t> tokens) {
  for (int32_t token : tokens) {
    if (token < 0)
      continue;
    if (size_t(token) >= seen.size())
      seen.resize(size_t(token) + 1);
    seen[size_t(token)] = true;
  }
}

std::span<const float> Sampler::penalise(std::span<const float> logits) {
  double penalty = settings.repetition_penalty;
  if (penalty == 0 || penalty == 1)
    return logits;
  penalised.assign(logits.begin(), logits.end());
  for (size_t i = 0; i < std::min(penalised.size(), seen.size()); ++i)
    if (seen[i])
      penalised[i] = float(penalised[i] > 0 ? penalised[i] / penalty : penalised[i] * penalty);
  return penalised;
}

int32_t Sampler::pick(std::span<const float> logits) {
  logits = penalise(logits);
  int32_t best = highestLogit(logits);
  int32_t token = settings.temperature == 0 ? best : draw(logits);
  observe({&token, 1});
  ++picks;
  return token;
}

/// Puts the `count` best of order[from..] there, in order. A heap is good for few of many, not for
/// many.
void Sampler::sortFirst(std::span<const float> logits, size_t from, size_t count) {
  auto begin = order.begin() + ptrdiff_t(from), end = begin + ptrdiff_t(count);
  if (count <= 1024)
    return std::partial_sort(begin, end, order.end(), Better{logits});
  std::nth_element(begin, end, order.end(), Better{logits});
  std::sort(begin, end, Better{logits});
}

double Sampler::totalWeight() const {
  double total = 0;
  for (uint32_t token : order)
    total += weights[token];
  return total;
}

/// The candidates that temperature and top-k leave. Weights are relative to the most likely
/// token's, which is 1.
void Sampler::weigh(std::span<const float> logits) {
  double highest = *std::max_element(logits.begin(), logits.end());
  weights.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i)
    weights[i] = exponential((logits[i] - highest) / settings.temperature);
  order.resize(logits.size());
  std::iota(order.begin(), order.end(), 0u);
  if (settings.top_k > 0 && size_t(settings.top_k) < order.size()) {
    sortFirst(logits, 0, size_t(settings.top_k));
    order.resize(size_t(settings.top_k));
  }
}

/// Sorting goes on in growing pieces: as a rule a few dozen of 150,000 tokens are enough.
void Sampler::cutTopP(std::span<const float> logits) {
  double enough = settings.top_p * totalWeight(), sum = 0;
  size_t piece = 64;
  for (size_t done = 0; done < order.size(); piece *= 8) {
    size_t end = done + std::min(piece, order.size() - done);
    sortFirst(logits, done, end - done);
    while (done < end) {
      sum += weights[order[done++]];
      if (sum >= enough)
        return order.resize(done);
    }
  }
}

int32_t Sampler::draw(std::span<const float> logits) {
  weigh(logits);
  if (settings.top_p > 0 && settings.top_p < 1)
    cutTopP(logits);
  // -inf stays impossible, whatever rounding does to the sums.
  double least = std::max(settings.min_p, std::numeric_limits<double>::min());
  std::erase_if(order, [&](uint32_t token) { return weights[token] < least; });
  double target = randomNumber(settings.seed, picks) * totalWeight(), sum = 0;
  for (uint32_t token : order)
    if ((sum += weights[token]) > target)
      return int32_t(token);
  return int32_t(order.back());
}

std::vector<glm_token_probability> glm::text::logProbabilities(std::span<const float> logits,
                                                               int32_t picked, size_t count) {
  double highest = logits[size_t(highestLogit(logits))], sum = 0;
  for (float logit : logits)
    sum += exponential(logit - highest);
  double normaliser = highest + std::log(sum);
  std::vector<uint32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0u);
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + ptrdiff_t(count), order.end(), Better{logits});
  std::vector<glm_token_probability> result{{picked, float(logits[size_t(picked)] - normaliser)}};
  for (size_t i = 0; i < count; ++i)
    result.push_back({int32_t(order[i]), float(logits[order[i]] - normaliser)});
  return result;
}
