// What a network of pairs finds in generated systems whose couplings are known, and how much of it is false.
// Each check states its false alarm rate; all randomness comes from the seed of the case.

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "engine/analysis/network.hpp"
#include "engine/analysis/systems.hpp"
#include "validation/transfer_entropy/coupling_truth.hpp"
#include "validation/transfer_entropy/properties.hpp"

namespace assay::validation::transfer_entropy {

namespace {

using analysis::SurrogateMethod;

constexpr double level = 0.05;        // of the false discovery rate
constexpr double false_alarm = 1e-6;  // of a check here, where the rate is exactly the nominal one

/// A generated system, asked about with histories of 1: across copies nothing is to be found whatever is
/// conditioned on.
struct System {
  const char* name;
  SurrogateMethod method;  ///< of the surrogates that keep the rate in this system
  /// With fewer variables it need not be chaotic: two periodic copies keep their phases, and so are not
  /// independent.
  std::int64_t least_width = 2;
};

/// Permuted rows are as good as the data where, given the target's own past, what is left of it is noise that
/// its neighbours in time do not share; Lorenz-96 is sampled here so coarsely that it is (every 0.1 with a
/// history of 1, a fifth of independent pairs has p <= 0.05). The maps have no noise: what one value of the
/// past leaves open is the past before it. Of 40 runs of five independent Henon columns of 1,000 rows, 10
/// find something by permuted rows and 7.7 % of the pairs have p <= 0.05; by a circular shift, which leaves
/// the source its order in time, 3 and 5.5 %. surrogates_keep_the_rate shows both methods for every system.
constexpr std::array<System, 4> systems{{{"network", SurrogateMethod::permute},
                                         {"logistic-network", SurrogateMethod::shift},
                                         {"henon-chain", SurrogateMethod::shift},
                                         {"lorenz96", SurrogateMethod::permute, 8}}};

struct Size {
  std::int64_t blocks, width;  ///< independent copies of a system, and the variables of each
  std::int64_t rows;
  int seeds;
  std::int64_t variables() const { return blocks * width; }
  std::int64_t pairs() const { return variables() * (variables() - 1); }
};

/// Enough that half as many pairs as there are direct couplings, at the smallest p-value there is, are
/// discoveries: 1 / (1 + S) <= level (couplings / 2) / pairs.
std::int64_t surrogates_for(std::int64_t pairs, std::int64_t couplings) {
  const double least = std::max(1.0, static_cast<double>(couplings) / 2);
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(pairs) / (level * least))) - 1;
}

std::string name_of(SurrogateMethod method) {
  return method == SurrogateMethod::shift ? "shift" : "permute";
}

/// One ordered pair as a network answers for it.
struct Answer {
  std::int64_t source, target;
  double p_value;
  bool found;  ///< survives the false discovery rate
};

std::vector<Answer> answers_of(Probe& probe, const analysis::SeriesTable& table, std::int64_t surrogates,
                               SurrogateMethod method, std::uint64_t seed) {
  analysis::NetworkOptions options;
  options.estimation.seed = seed;
  options.surrogates.count = surrogates;
  options.surrogates.method = method;
  options.fdr = level;
  Context* const contexts[] = {&probe.context()};
  const auto made = probe.backend() == Backend::reference
                        ? analysis::network(table, options, estimator_of(probe), probe.context().pool())
                        : analysis::network(table, options, contexts);
  if (!made) throw Failed("refused: " + made.error().message);
  const analysis::Network& network = made.value();
  std::vector<Answer> answers;
  for (std::size_t source = 0; source < network.width(); ++source)
    for (std::size_t target = 0; target < network.width(); ++target)
      if (source != target)
        answers.push_back({network.columns[source], network.columns[target], network.p_value(source, target),
                           network.significant(source, target) != 0});
  return answers;
}

/// r KL(x || q), where the mean of r independent values in [0, 1] of mean q reaches x > q (or x < q) with
/// probability at most exp of its negative (Hoeffding 1963, J. Am. Stat. Assoc. 58, 13, eq. 2.1).
double exponent(double r, double x, double q) {
  const auto part = [](double a, double b) { return a > 0 ? a * std::log(a / b) : 0.0; };
  return r * (part(x, q) + part(1 - x, 1 - q));
}

/// What the mean of r independent values in [0, 1] of mean at most q exceeds with probability at most alpha.
double bound_of_mean(double r, double q, double alpha) {
  double low = q, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (exponent(r, middle, q) < -std::log(alpha) ? low : high) = middle;
  }
  return high;
}

/// The means that r independent values in [0, 1] with that average do not exclude at 95 %, by the same bound.
std::string interval_of_mean(double r, double average) {
  const auto end = [&](double from, double to) {
    for (int i = 0; i < 60; ++i) {
      const double middle = 0.5 * (from + to);
      (exponent(r, average, middle) < std::log(2 / 0.05) ? from : to) = middle;
    }
    return from;
  };
  return fmt::format("{:.3f} to {:.3f}", average > 0 ? end(average, 1e-12) : 0.0,
                     average < 1 ? end(average, 1 - 1e-12) : 1.0);
}

/// What was found in one system at one or several seeds.
struct Tally {
  int runs = 0;
  std::int64_t pairs = 0, null_pairs = 0, direct = 0, surrogates = 0;
  std::int64_t found = 0, false_found = 0, direct_found = 0, low_null = 0;
  double proportions = 0;  ///< sum over runs of false / found, 0 where nothing is found

  void add(const std::vector<Answer>& answers, const Coupling& truth) {
    std::int64_t here = 0, wrong = 0;
    for (const Answer& answer : answers) {
      const Link link = truth.link(answer.source, answer.target);
      ++pairs;
      direct += link == Link::direct;
      null_pairs += link == Link::none;
      low_null += link == Link::none && answer.p_value <= level;
      if (!answer.found) continue;
      ++here;
      wrong += link == Link::none;
      direct_found += link == Link::direct;
    }
    ++runs;
    found += here;
    false_found += wrong;
    proportions += here > 0 ? static_cast<double>(wrong) / static_cast<double>(here) : 0;
  }
};

std::string share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? fmt::format("{:.3f}", static_cast<double>(part) / static_cast<double>(whole)) : "-";
}

/// Independent copies of a system side by side, and what is known of their pairs.
struct Observed {
  analysis::SeriesTable series;
  Coupling truth;
  std::int64_t couplings;  ///< direct ones
};

/// `denied`: a truth that knows of no coupling, which makes every discovery a false one.
Observed observe(Probe& probe, const System& system, const Size& size, std::uint64_t seed, bool denied) {
  std::vector<analysis::GeneratedSystem> blocks;
  std::int64_t couplings = 0;
  for (std::int64_t block = 0; block < size.blocks; ++block) {
    auto made =
        analysis::generate(system.name, size.rows, seed + static_cast<std::uint64_t>(block), size.width);
    probe.expect(static_cast<bool>(made), "the system is known");
    blocks.push_back(std::move(made).value());
    couplings += static_cast<std::int64_t>(blocks.back().edges.size());
    if (!denied) continue;
    blocks.back().edges.clear();
    blocks.back().linear.reset();
  }
  return {side_by_side(std::span<const analysis::GeneratedSystem>(blocks)), Coupling(blocks), couplings};
}

// Systems of several independent copies: of a pair across copies nothing is to be found, whatever the
// estimator does within. In each run the false share of the discoveries is a number in [0, 1] whose mean
// Benjamini and Hochberg's procedure keeps at or below 0.05; the runs are independent. The mean over all runs
// of all systems exceeds bound_of_mean with probability at most 10^-6. Of the direct couplings at least a
// quarter have to be found, over all systems: without that a network that finds nothing would pass.
void detect(Probe& probe, std::span<const System> among, const Size& asked, bool denied) {
  Table table;
  table.columns = {"system",       "V",          "N",        "surrogates",       "runs",
                   "direct edges", "null pairs", "found",    "of them direct",   "recall of direct",
                   "false",        "precision",  "mean FDP", "95 % of its mean", "null p <= 0.05"};
  double proportions = 0;
  int runs = 0;
  std::int64_t direct = 0, direct_found = 0;
  for (const System& system : among) {
    Size size = asked;
    size.width = std::max(asked.width, system.least_width);
    size.rows = asked.rows * asked.width / size.width;  // as many values, where there are more variables
    Tally tally;
    for (int i = 0; i < size.seeds; ++i) {
      const std::uint64_t seed = probe.seed() + 104'729u * static_cast<std::uint64_t>(i);
      const Observed seen = observe(probe, system, size, seed, denied);
      const std::int64_t surrogates = surrogates_for(size.pairs(), seen.couplings);
      tally.surrogates += surrogates;
      tally.add(answers_of(probe, seen.series, surrogates, system.method, seed), seen.truth);
    }
    const double mean = tally.proportions / tally.runs;
    table.rows.push_back({fmt::format("{}, {} x {}", system.name, size.blocks, size.width),
                          std::to_string(size.variables()), std::to_string(size.rows),
                          fmt::format("{} ({})", tally.surrogates / tally.runs, name_of(system.method)),
                          std::to_string(tally.runs), std::to_string(tally.direct),
                          std::to_string(tally.null_pairs), std::to_string(tally.found),
                          share(tally.direct_found, tally.found), share(tally.direct_found, tally.direct),
                          std::to_string(tally.false_found),
                          share(tally.found - tally.false_found, tally.found), fmt::format("{:.3f}", mean),
                          interval_of_mean(tally.runs, mean), share(tally.low_null, tally.null_pairs)});
    proportions += tally.proportions;
    runs += tally.runs;
    direct += tally.direct;
    direct_found += tally.direct_found;
  }
  probe.show(std::move(table));
  probe.expect_within("mean false discovery proportion", proportions / runs,
                      bound_of_mean(runs, level, false_alarm));
  probe.expect(4 * direct_found >= direct,
               fmt::format("{} of {} direct couplings are found, expected a quarter", direct_found, direct));
}

struct NullSize {
  std::int64_t variables, rows, surrogates;
  int runs;
  bool both_methods;
};

// Every column from a realisation of its own: nothing is there, and each discovery is false. Benjamini and
// Hochberg's procedure then finds anything at all in at most 5 % of the runs, which are independent; as many
// as bound_of_mean says are seen with probability at most 10^-6. Surrogates are enough for a single pair to
// be found, else the check could not fail. `coupled`: the columns are one, each a row later than the one
// before, which says all of the next value.
void find_nothing(Probe& probe, const NullSize& size, bool coupled) {
  Table table;
  table.columns = {"columns of",
                   "method",
                   "used above",
                   "V",
                   "N",
                   "surrogates",
                   "runs",
                   "runs with a discovery",
                   "95 % of their share",
                   "p <= 0.05"};
  probe.expect(
      analysis::least_discoveries(size.variables * (size.variables - 1), size.surrogates, level) == 1,
      "a single pair can be a discovery");
  double all_alarms = 0, all_runs = 0;
  for (const System& system : systems)
    for (const SurrogateMethod method : {SurrogateMethod::permute, SurrogateMethod::shift}) {
      const bool used = method == system.method;
      if (!used && !size.both_methods) continue;
      std::int64_t alarms = 0, low = 0, pairs = 0;
      for (int run = 0; run < size.runs; ++run) {
        const std::uint64_t seed = probe.seed() + 15'485'863u * static_cast<std::uint64_t>(run);
        std::vector<analysis::SeriesTable> columns;
        for (std::int64_t v = 0; v < size.variables; ++v) {
          auto made = analysis::generate(system.name, size.rows + size.variables,
                                         seed + (coupled ? 0u : static_cast<std::uint64_t>(v)), 20);
          probe.expect(static_cast<bool>(made), "the system is known");
          columns.push_back(
              part_of_column(made.value().table, 0, coupled ? size.variables - v : 0, size.rows));
        }
        bool any = false;
        for (const Answer& answer :
             answers_of(probe, side_by_side(std::span<const analysis::SeriesTable>(columns)), size.surrogates,
                        method, seed)) {
          any |= answer.found;
          low += answer.p_value <= level;
          ++pairs;
        }
        alarms += any;
      }
      const auto runs = static_cast<double>(size.runs);
      table.rows.push_back({system.name, name_of(method), used ? "yes" : "no", std::to_string(size.variables),
                            std::to_string(size.rows), std::to_string(size.surrogates),
                            std::to_string(size.runs), std::to_string(alarms),
                            interval_of_mean(runs, static_cast<double>(alarms) / runs), share(low, pairs)});
      if (!used) continue;
      all_alarms += static_cast<double>(alarms);
      all_runs += runs;
    }
  probe.show(std::move(table));
  probe.expect_within("share of runs that find something", all_alarms / all_runs,
                      bound_of_mean(all_runs, level, false_alarm));
}

}  // namespace

void add_detection_properties(Suite& suite) {
  constexpr Size small{.blocks = 2, .width = 4, .rows = 1000, .seeds = 2};
  constexpr Size hundred{.blocks = 5, .width = 20, .rows = 1000, .seeds = 2};
  constexpr NullSize few{.variables = 3, .rows = 300, .surrogates = 119, .runs = 25, .both_methods = false};
  constexpr NullSize many{.variables = 5, .rows = 1000, .surrogates = 399, .runs = 40, .both_methods = true};
  const auto couplings_denied = [](Probe& probe) {
    constexpr Size one_ring{.blocks = 1, .width = 8, .rows = 300, .seeds = 8};
    detect(probe, std::span(systems).last(1), one_ring, true);
  };
  const auto one_column_for_all = [=](Probe& probe) {
    NullSize size = few;
    size.runs = 6;
    find_nothing(probe, size, true);
  };
  suite.property({.name = "detects_known_couplings",
                  .summary = "Of the pairs found in generated systems at a false discovery rate of 0.05 no "
                             "larger share is false, and a quarter of the direct couplings are among them.",
                  .body = [=](Probe& probe) { detect(probe, systems, small, false); },
                  .cases = 1,
                  .negative_control = couplings_denied});
  suite.property({.name = "finds_nothing_in_independent_series",
                  .summary = "Among columns without any coupling a discovery is made in no more than 5 % of "
                             "the runs.",
                  .body = [=](Probe& probe) { find_nothing(probe, few, false); },
                  .cases = 1,
                  .negative_control = one_column_for_all});
  suite.property({.name = "detects_couplings_of_100_variables",
                  .summary = "The same of 100 variables and 1,000 rows.",
                  .body = [=](Probe& probe) { detect(probe, systems, hundred, false); },
                  .cases = 1,
                  // 9,900 pairs of some 1,300 to 4,300 evaluations each: an hour and more on two cores
                  .backends = {Backend::cuda},
                  .negative_control = couplings_denied,
                  .long_running = true});
  suite.property({.name = "surrogates_keep_the_rate",
                  .summary = "Among columns without coupling the surrogates that are used keep the rate; the "
                             "others beside them.",
                  .body = [=](Probe& probe) { find_nothing(probe, many, false); },
                  .cases = 1,
                  .negative_control = one_column_for_all,
                  .long_running = true});
}

}  // namespace assay::validation::transfer_entropy
