// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/text/DraftPolicy.h"

#include <algorithm>
#include <cstdint>

using namespace glm::text;

namespace {

constexpr size_t openingRounds = 5;   ///< 1, 0, 1, 0 and 1 drafts
constexpr size_t earlyRounds = 64;    ///< in which every other round may be a probe
constexpr size_t roundsPerProbe = 32; ///< later, at least
constexpr double probeShare = 0.0075; ///< of the time
constexpr double followShare = 0.015; ///< of a step; a layer of many costs less
constexpr double fading = 31.0 / 32;  ///< weight of a round, one round later
constexpr double leastWeight = 3;     ///< in rounds: rates that were not seen for long still count
constexpr double firstGuess = 0.6;    ///< of a1
constexpr double neighbourWeight = 2; ///< in rounds: how much aj is thought to be like a(j - 1)

} // namespace

//===-- times -------------------------------------------------------------------------------===//

/// The median of an even number is the lower one: what disturbs a measurement makes it longer.
void DraftTimes::add(size_t number, double time) {
  Samples &at = samples[number];
  at.last[at.count++ % at.last.size()] = time;
  std::array<double, 15> sorted = at.last;
  size_t size = std::min(at.count, sorted.size());
  auto middle = sorted.begin() + (size - 1) / 2;
  std::nth_element(sorted.begin(), middle, sorted.begin() + size);
  at.median = *middle;
}

double DraftTimes::at(size_t number) const {
  const Samples &own = samples[number];
  if (own.count > 1)
    return own.median;
  double guess = fromNeighbours(number);
  return own.count == 0 || (guess > 0 && guess < own.median) ? guess : own.median;
}

double DraftTimes::fromNeighbours(size_t number) const {
  constexpr size_t none = SIZE_MAX;
  size_t below = none, further = none, above = none;
  for (size_t other = 0; other < samples.size() && above == none; ++other) {
    if (!known(other) || other == number)
      continue;
    if (other > number) {
      above = other;
    } else {
      further = below;
      below = other;
    }
  }
  if (below == none)
    return above == none ? 0 : samples[above].median;
  double start = samples[below].median;
  if (above == none && further == none)
    return start * double(number) / double(std::max<size_t>(below, 1));
  size_t other = above == none ? further : above;
  double slope = (samples[other].median - start) / (double(other) - double(below));
  return start + std::max(slope, 0.0) * double(number - below);
}

//===-- the formula -------------------------------------------------------------------------===//

DraftPolicy::DraftPolicy(size_t most)
    : most(most), tried(most + 1), accepted(most + 1), lastUse(most + 1), stepTimes(most + 1),
      draftTimes(most) {
  if (most > 0) {
    tried[1] = leastWeight;
    accepted[1] = leastWeight * firstGuess;
  }
}

double DraftPolicy::acceptance(size_t position) const {
  if (position == 1)
    return accepted[1] / tried[1];
  return (accepted[position] + neighbourWeight * acceptance(position - 1)) /
         (tried[position] + neighbourWeight);
}

double DraftPolicy::expectedTokens(size_t drafts) const {
  double tokens = 1, allRight = 1;
  for (size_t position = 1; position <= drafts; ++position)
    tokens += allRight *= acceptance(position);
  return tokens;
}

double DraftPolicy::cost(size_t drafts) const {
  double step = stepTimes.at(drafts + 1);
  return drafts > 0 || cheapToFollow() ? step + draftTimes.at(drafts) : step;
}

bool DraftPolicy::cheapToFollow() const {
  return draftTimes.known(0) && draftTimes.at(0) <= followShare * stepTimes.at(1);
}

/// Time that a round of so many drafts takes longer than its tokens do with the best number.
double DraftPolicy::loss(size_t drafts) const {
  return std::max(0.0, cost(drafts) - expectedTokens(drafts) / speed(best));
}

//===-- rounds ------------------------------------------------------------------------------===//

DraftPolicy::Plan DraftPolicy::next() {
  if (rounds < openingRounds)
    return {std::min<size_t>(1 - rounds % 2, most), true};
  size_t drafts = probe().value_or(best);
  return {drafts, best > 0 || cheapToFollow()};
}

void DraftPolicy::record(const DraftRound &round) {
  rounds += 1;
  tested = std::max(tested, round.drafted);
  lastUse[round.drafted] = rounds;
  stepTimes.add(round.drafted + 1, round.stepTime);
  if (round.draftTime)
    draftTimes.add(round.drafted, *round.draftTime);
  count(round);
  if (rounds < openingRounds)
    return;
  settle();
  if (rounds == openingRounds)
    credit = best == 0 && most > 0 ? -3 * loss(1) : 0;
  double time = round.stepTime + round.draftTime.value_or(0);
  credit = std::min(credit + probeShare * time, cost(best));
}

/// Every round makes all rates older, also those it says nothing about: after a long time with few
/// drafts, a few new rounds tell more than many old ones.
void DraftPolicy::count(const DraftRound &round) {
  for (size_t position = 1; position <= most; ++position) {
    if (tried[position] > leastWeight) {
      tried[position] *= fading;
      accepted[position] *= fading;
    }
    if (position <= std::min(round.accepted + 1, round.drafted)) {
      tried[position] += 1;
      accepted[position] += position <= round.accepted;
    }
  }
}

/// Climbs by no more than one untested number of drafts at a time.
void DraftPolicy::settle() {
  for (size_t drafts = 0; drafts <= std::min(most, tested + 1); ++drafts)
    if (speed(drafts) > speed(best))
      best = drafts;
}

/// The neighbour of the best number that was not used for longer, of those there is credit for.
std::optional<size_t> DraftPolicy::probe() {
  if (rounds < lastProbe + (rounds < earlyRounds ? 2 : roundsPerProbe))
    return std::nullopt;
  std::optional<size_t> oldest;
  for (size_t drafts : {best - 1, best + 1}) // below 0 is above all
    if (drafts <= most && loss(drafts) <= credit && (!oldest || lastUse[drafts] < lastUse[*oldest]))
      oldest = drafts;
  if (oldest) {
    credit -= loss(*oldest);
    lastProbe = rounds;
  }
  return oldest;
}
