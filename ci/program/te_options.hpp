#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ci/program/backend_choice.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/series_input.hpp"
#include "engine/analysis/auto_embed.hpp"
#include "engine/analysis/measure.hpp"
#include "engine/analysis/specification.hpp"

namespace assay::program {

/// Options that several te commands share; each list is one group of them.
std::vector<Option> estimation_options();
/// Of transfer entropy. `scans`: --delay takes a range or a list.
std::vector<Option> history_options(bool scans = false);
std::vector<Option> surrogate_options();
std::vector<Option> auto_embed_options();
std::vector<Option> joined(std::vector<std::vector<Option>> groups);

/// What the options say. All throw Failure (exit 2).
analysis::EstimationOptions read_estimation(const Invocation& invocation);
/// With --permutations, the file is read and each line checked to be a permutation of 0 .. n - 1.
analysis::SurrogateOptions read_surrogates(const Invocation& invocation, bool permutations_allowed = true);
/// Histories, spacings and delays; source, target and conditionals are for the caller.
analysis::TeSpec read_te_spec(const Invocation& invocation);
/// The same where --delay may name several: "3", "1..20", "1,3,5"; the delay of the specification is the
/// first.
struct DelayedSpec {
  analysis::TeSpec spec;
  std::vector<std::int64_t> delays;
};
DelayedSpec read_delayed_spec(const Invocation& invocation);
std::optional<analysis::EmbedSearch> read_auto_embed(const Invocation& invocation);

/// The largest number that a history, spacing, delay or window may have: far beyond any use, and safe to
/// multiply.
inline constexpr std::int64_t most_lags = 1'000'000'000;

}  // namespace assay::program
