#include "ci/program/te_options.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ci/program/failure.hpp"
#include "engine/io/csv.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

constexpr std::int64_t most_surrogates = 10'000'000;
constexpr std::int64_t most_searched = 1000;
constexpr std::int64_t most_delays = 1000;

std::vector<std::vector<std::int64_t>> read_permutations(const std::string& path) {
  const io::CsvFile file = value_or_fail(io::CsvFile::open(path, io::Header::absent));
  const io::NumberTable table = value_or_fail(file.read_all());
  const std::size_t width = table.names.size();
  std::vector<std::vector<std::int64_t>> permutations;
  for (std::int64_t row = 0; row < table.rows; ++row) {
    std::vector<std::int64_t> permutation(width);
    std::vector<bool> seen(width, false);
    for (std::size_t i = 0; i < width; ++i) {
      const double value = table.values[static_cast<std::size_t>(row) * width + i];
      const bool legal = value == std::floor(value) && value >= 0 && value < static_cast<double>(width);
      if (!legal || seen[static_cast<std::size_t>(value)]) {
        throw Failure(ExitCode::usage,
                      fmt::format("{}: line {}, column {}: {} {}, expected a permutation of 0 to {}", path,
                                  file.line_of(row), i + 1, value, legal ? "comes twice" : "is not an index",
                                  width - 1));
      }
      seen[static_cast<std::size_t>(value)] = true;
      permutation[i] = static_cast<std::int64_t>(value);
    }
    permutations.push_back(std::move(permutation));
  }
  return permutations;
}

}  // namespace

std::vector<Option> joined(std::vector<std::vector<Option>> groups) {
  std::vector<Option> all;
  for (auto& group : groups) {
    for (Option& option : group) all.push_back(std::move(option));
  }
  return all;
}

std::vector<Option> estimation_options() {
  return {
      {"k", "N", "nearest neighbours in the joint space, below the number of observations", "4"},
      {"algorithm", "1|2", "Kraskov's first or second estimator", "1"},
      {"theiler", "N", "exclusion window: observations at most N steps apart are no neighbours", "0"},
      {"normalise", "HOW", "columns (each embedded column), series (each input column) or none", "columns"},
      {"noise", "SD", "standard deviation of Gaussian noise added after normalising, to break ties", "0"},
  };
}

std::vector<Option> history_options(bool scans) {
  return {
      {"k-history", "N", "length of the target's past", "1"},
      {"k-tau", "N", "spacing of the target's past", "1"},
      {"l-history", "N", "length of the source's past", "1"},
      {"l-tau", "N", "spacing of the source's past", "1"},
      scans ? Option{"delay", "N",
                     "steps from source to target; of several (1..20 or 1,3,5) the one of the largest value",
                     "1"}
            : Option{"delay", "N", "steps from source to target", "1"},
      {"cond-history", "N,..", "length of each conditional's past, one for all or one each", "1"},
      {"cond-tau", "N,..", "spacing of each conditional's past", "1"},
      {"cond-delay", "N,..", "delay of each conditional", "1"},
  };
}

std::vector<Option> surrogate_options() {
  return {
      {"surrogates", "N", "test against N surrogates", "0"},
      {"surrogate-method", "HOW", "permute or shift (circular)", "permute"},
      {"permutations", "F.csv", "take these permutations as surrogates, one a line, 0-based"},
  };
}

std::vector<Option> auto_embed_options() {
  return {
      {"auto-embed", "HOW", "choose histories: ragwitz, ragwitz-target, ais, ais-target or ais-te"},
      {"k-search-max", "N", "longest history that is tried", "5"},
      {"tau-search-max", "N", "widest spacing that is tried", "5"},
      {"ragwitz-nns", "K", "neighbours of the Ragwitz criterion; by default --k"},
  };
}

analysis::EstimationOptions read_estimation(const Invocation& invocation) {
  analysis::EstimationOptions options;
  options.k = invocation.integer("k", 1);
  options.algorithm = static_cast<int>(invocation.integer("algorithm", 1, 2));
  options.theiler_window = invocation.integer("theiler", 0, most_lags);
  const std::string how = invocation.choice("normalise", {"columns", "series", "none"});
  options.normalise = how == "columns"  ? analysis::Normalise::columns
                      : how == "series" ? analysis::Normalise::series
                                        : analysis::Normalise::none;
  options.noise = invocation.real("noise", 0, std::numeric_limits<double>::infinity());
  options.seed = invocation.seed();
  return options;
}

analysis::SurrogateOptions read_surrogates(const Invocation& invocation, bool permutations_allowed) {
  analysis::SurrogateOptions options;
  options.count = invocation.integer("surrogates", 0, most_surrogates);
  options.method = invocation.choice("surrogate-method", {"permute", "shift"}) == "shift"
                       ? analysis::SurrogateMethod::shift
                       : analysis::SurrogateMethod::permute;
  if (!permutations_allowed) return options;
  if (const auto path = invocation.maybe_text("permutations")) {
    options.permutations = read_permutations(*path);
    const auto found = static_cast<std::int64_t>(options.permutations.size());
    if (invocation.given("surrogates") && options.count != found) {
      invocation.refuse("surrogates",
                        fmt::format("{} asked for, {} holds {} permutations", options.count, *path, found));
    }
    options.count = found;
  }
  return options;
}

namespace {

analysis::TeSpec read_lags(const Invocation& invocation) {
  analysis::TeSpec spec;
  spec.k_history = invocation.integer("k-history", 0, most_lags);
  spec.k_tau = invocation.integer("k-tau", 1, most_lags);
  spec.l_history = invocation.integer("l-history", 1, most_lags);
  spec.l_tau = invocation.integer("l-tau", 1, most_lags);
  spec.cond_history = invocation.integers("cond-history", 0, most_lags);
  spec.cond_tau = invocation.integers("cond-tau", 1, most_lags);
  spec.cond_delay = invocation.integers("cond-delay", 0, most_lags);
  return spec;
}

std::int64_t read_delay(const Invocation& invocation, const std::string& text) {
  const auto number = parse_integer(text);
  if (!number) invocation.refuse("delay", "'" + text + "' is not an integer, or one too large");
  if (*number < 0) invocation.refuse("delay", fmt::format("{} is too small, expected at least 0", *number));
  if (*number > most_lags)
    invocation.refuse("delay", fmt::format("{} is too large, expected at most {}", *number, most_lags));
  return *number;
}

}  // namespace

analysis::TeSpec read_te_spec(const Invocation& invocation) {
  analysis::TeSpec spec = read_lags(invocation);
  spec.delay = invocation.integer("delay", 0, most_lags);
  return spec;
}

DelayedSpec read_delayed_spec(const Invocation& invocation) {
  DelayedSpec read{read_lags(invocation), {}};
  const auto add = [&](std::int64_t delay) {
    if (std::find(read.delays.begin(), read.delays.end(), delay) != read.delays.end())
      invocation.refuse("delay", fmt::format("{} is given twice, expected each once", delay));
    if (static_cast<std::int64_t>(read.delays.size()) == most_delays)
      invocation.refuse("delay", fmt::format("more than {} delays, expected fewer", most_delays));
    read.delays.push_back(delay);
  };
  for (const std::string& part : split_list(invocation.text("delay"))) {
    const std::size_t dots = part.find("..");
    if (dots == std::string::npos) {
      add(read_delay(invocation, part));
      continue;
    }
    const std::int64_t first = read_delay(invocation, part.substr(0, dots));
    const std::int64_t last = read_delay(invocation, part.substr(dots + 2));
    if (last < first) invocation.refuse("delay", fmt::format("{}: expected a range that rises", part));
    for (std::int64_t delay = first; delay <= last; ++delay) add(delay);
  }
  read.spec.delay = read.delays.front();
  return read;
}

std::optional<analysis::EmbedSearch> read_auto_embed(const Invocation& invocation) {
  const bool wanted = invocation.given("auto-embed");
  for (const char* option : {"k-search-max", "tau-search-max", "ragwitz-nns"}) {
    if (invocation.given(option) && !wanted)
      invocation.refuse(option, "has a meaning only with --auto-embed");
  }
  if (!wanted) return std::nullopt;
  const std::string how =
      invocation.choice("auto-embed", {"ragwitz", "ragwitz-target", "ais", "ais-target", "ais-te"});
  analysis::EmbedSearch search;
  search.method = *analysis::embed_method_of(how);
  search.threads = threads_of(invocation);
  search.k_search_max = invocation.integer("k-search-max", 1, most_searched);
  search.tau_search_max = invocation.integer("tau-search-max", 1, most_searched);
  if (invocation.given("ragwitz-nns")) search.ragwitz_neighbours = invocation.integer("ragwitz-nns", 1);
  return search;
}

}  // namespace assay::program
