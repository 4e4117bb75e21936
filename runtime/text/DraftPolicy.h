// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many tokens to draft, decided while generating.
//
// Mental model. A round drafts k tokens and verifies them in one step of k + 1 rows. It gives
//   E(k) = 1 + a1 + a1 a2 + … + a1 … ak
// tokens on average, where aj is how often the j-th draft is right when those before it were, and
// takes the time C(k) = step(k + 1 rows) + draft(k). The best k makes E / C largest; 0 is one of
// them. Both sides are measured: rates over the last rounds, times as medians, which a busy machine
// hardly moves. (What each token costs by itself, such as sampling, does not change the order.)
//
// A k that is not used is not measured, so the policy begins with five rounds of 1 and 0 drafts and
// tries a neighbour of the best k now and then. What that is expected to cost is kept below a
// hundredth of the time; the beginning is a debt to pay back first.
//
// Pure arithmetic: it has no clock and no random numbers, so recorded rounds can be replayed.
#ifndef GLM_RUNTIME_TEXT_DRAFT_POLICY_H
#define GLM_RUNTIME_TEXT_DRAFT_POLICY_H

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

namespace glm::text {

/// Times are in any unit, the same everywhere.
struct DraftRound {
  size_t drafted = 0;
  size_t accepted = 0; ///< so many of the first ones were right
  double stepTime = 0; ///< of drafted + 1 rows
  /// Of the draft layer before it. Nothing if the layer did not run, or had an unusual number of
  /// rows to catch up with, such as a prompt's.
  std::optional<double> draftTime;
};

/// Times that depend on a small number, such as a step's on its rows.
class DraftTimes final {
public:
  explicit DraftTimes(size_t largest) : samples(largest + 1) {}
  void add(size_t number, double time);
  bool known(size_t number) const { return samples[number].count > 0; }
  /// The median of the last ones. Where there are none: on the line through the neighbours, beyond
  /// the last ones on the line through those two, or in proportion if there is only one. That also
  /// stands in for a single longer time: what is done for the first time often takes longer.
  double at(size_t number) const;

private:
  double fromNeighbours(size_t number) const;

  struct Samples {
    std::array<double, 15> last;
    size_t count = 0; ///< ever
    double median = 0;
  };
  std::vector<Samples> samples;
};

class DraftPolicy final {
public:
  /// At most `most` drafts.
  explicit DraftPolicy(size_t most);

  struct Plan {
    size_t drafts; ///< of the next round
    /// Whether the draft layer should run even without drafts, to keep its cache complete. While
    /// drafting does not pay and the layer costs more than 1.5 % of a step, as in small models, its
    /// rows are left out for good: wrong drafts change no output, and the drafts are hardly worse
    /// for it. Measured on the trained demo at 793 places of its held-out text, a1 was 0.631 with
    /// the last 399 of 447 rows missing and 0.633 with none missing.
    bool follow;
  };

  /// Asked once before every round. A round may have fewer drafts than planned.
  Plan next();
  /// Told once after every round.
  void record(const DraftRound &round);

  /// aj, j from 1.
  double acceptance(size_t position) const;
  /// E and C of so many drafts.
  double expectedTokens(size_t drafts) const;
  double cost(size_t drafts) const;
  /// What the formula says now.
  size_t settled() const { return best; }

private:
  double speed(size_t drafts) const { return expectedTokens(drafts) / cost(drafts); }
  double loss(size_t drafts) const;
  bool cheapToFollow() const;
  void count(const DraftRound &round);
  void settle();
  std::optional<size_t> probe();

  size_t most;
  size_t best = 0;
  size_t rounds = 0;
  size_t lastProbe = 0;         ///< round of
  size_t tested = 0;            ///< most drafts of a round so far
  double credit = 0;            ///< time that probes may cost
  std::vector<double> tried;    ///< by position from 1; older rounds weigh less
  std::vector<double> accepted; ///< likewise
  std::vector<size_t> lastUse;  ///< of a number of drafts: the round after
  DraftTimes stepTimes;         ///< by rows
  DraftTimes draftTimes;        ///< by drafts
};

} // namespace glm::text

#endif
