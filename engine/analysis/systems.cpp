#include "engine/analysis/systems.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "engine/analysis/generators.hpp"
#include "engine/analysis/splitmix.hpp"

namespace assay::analysis {

namespace generators {

SeriesTable iterate(std::vector<std::string> names, std::int64_t rows, const Row& start,
                    const std::function<Row(const Row& now, const Row& before)>& next, std::int64_t skipped) {
  const auto width = static_cast<std::int64_t>(names.size());
  SeriesTable table;
  table.names = std::move(names);
  table.values = Tensor(DType::f64, {rows, width});
  auto out = table.values.as<double>().begin();
  Row before = start, now = start;
  for (std::int64_t t = 0; t < rows + skipped; ++t) {
    Row later = next(now, before);
    before = std::move(now);
    now = std::move(later);
    if (t >= skipped) out = std::copy(now.begin(), now.end(), out);
  }
  return table;
}

std::vector<std::string> numbered_names(std::int64_t variables) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < variables; ++i) names.push_back("v" + std::to_string(i));
  return names;
}

}  // namespace generators

namespace {

using Generator =
    std::function<GeneratedSystem(std::int64_t rows, std::uint64_t seed, std::int64_t variables)>;

struct Entry {
  SystemInfo info;
  Generator make;
};

/// Of a system with columns of its own, whatever number of variables is asked for.
Generator fixed(GeneratedSystem (*make)(std::int64_t, std::uint64_t)) {
  return [make](std::int64_t rows, std::uint64_t seed, std::int64_t) { return make(rows, seed); };
}

GeneratedSystem data_a(std::int64_t rows, std::uint64_t seed) {
  return coupled_ar1(rows, 0.6, 0.5, 0.4, seed);
}
GeneratedSystem ar1(std::int64_t rows, std::uint64_t seed) {
  return coupled_ar1(rows, 0.5, 0.6, 0.4, seed);
}

const std::array<Entry, 15>& entries() {
  using namespace generators;
  static const std::array<Entry, 15> all{{
      {{"data-a", "coupled AR(1), x drives y; seed 42 gives the reference tables' data A"}, fixed(data_a)},
      {{"data-b", "three jointly Gaussian columns without time structure; seed 7 gives data B"},
       fixed(data_b)},
      {{"ar1", "coupled AR(1), x drives y"}, fixed(ar1)},
      {{"delayed", "x drives y at lag 3"}, fixed(delayed)},
      {{"logistic", "coupled logistic maps, x drives y"}, fixed(logistic)},
      {{"henon", "coupled Henon maps, x drives y"}, fixed(henon)},
      {{"quadratic", "x squared drives y: information without linear correlation"}, fixed(quadratic)},
      {{"heavy-tailed", "coupled AR(1) with Cauchy noise, x drives y"}, fixed(heavy_tailed)},
      {{"quantised", "coupled AR(1) rounded to multiples of 0.25, x drives y"}, fixed(quantised)},
      {{"common-driver", "z drives x and y; x does not drive y"}, fixed(common_driver)},
      {{"independent", "two independent AR(1) series"}, fixed(independent)},
      {{"network", "a sparse random vector autoregression", 2}, random_network},
      {{"logistic-network", "logistic maps, each driven by 0 to 3 others", 2}, logistic_network},
      {{"henon-chain", "Henon maps in a chain, each driven by its neighbours", 3}, henon_chain},
      {{"lorenz96", "the Lorenz-96 ring, chaotic at F = 8", 4}, lorenz96},
  }};
  return all;
}

/// Adds independent noise of `share` of its standard deviation to every column.
void observe_with_noise(GeneratedSystem& system, double share, std::uint64_t seed) {
  const auto values = system.table.values.as<double>();
  const auto columns = static_cast<std::size_t>(system.table.columns());
  const auto rows = static_cast<double>(system.table.rows());
  std::vector<double> mean(columns), squares(columns);
  for (std::size_t i = 0; i < values.size(); ++i) mean[i % columns] += values[i] / rows;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double from_mean = values[i] - mean[i % columns];
    squares[i % columns] += from_mean * from_mean;
  }
  SplitMix64 random(seed ^ 0x6F62736572766564u);  // other numbers than the system's own
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] += share * std::sqrt(squares[i % columns] / rows) * random.irwin_hall();
  system.linear.reset();  // what is seen is no longer the process
  system.description += ", observed with noise";
}

}  // namespace

std::span<const SystemInfo> known_systems() {
  static const auto infos = [] {
    std::vector<SystemInfo> made;
    for (const Entry& entry : entries()) made.push_back(entry.info);
    return made;
  }();
  return infos;
}

Result<GeneratedSystem> generate(std::string_view name, std::int64_t rows, std::uint64_t seed,
                                 std::int64_t variables, double observation_noise) {
  const auto refuse = [](std::string message) {
    return InputError{InputError::Code::out_of_range, std::move(message), {}, {}, {}};
  };
  if (rows < 1 || rows > 1'000'000'000)
    return refuse("rows: " + std::to_string(rows) + ", expected 1 to 1000000000");
  if (variables < 2 || variables > 10'000)
    return refuse("variables: " + std::to_string(variables) + ", expected 2 to 10000");
  if (rows * variables > std::int64_t{1} << 30)
    return refuse("rows times variables: " + std::to_string(rows * variables) + ", expected at most 2^30");
  if (!(observation_noise >= 0) || !std::isfinite(observation_noise))
    return refuse("observation noise: expected a finite share of the standard deviation, 0 or more");
  const auto found = std::find_if(entries().begin(), entries().end(),
                                  [&](const Entry& entry) { return entry.info.name == name; });
  if (found == entries().end()) {
    std::string known;
    for (const Entry& entry : entries()) known += (known.empty() ? "" : ", ") + std::string(entry.info.name);
    return refuse("system: '" + std::string(name) + "' is not known, expected one of " + known);
  }
  if (variables < found->info.least_variables)
    return refuse("variables: " + std::to_string(variables) + ", expected at least " +
                  std::to_string(found->info.least_variables) + " for '" + std::string(name) + "'");
  GeneratedSystem made = found->make(rows, seed, variables);
  if (observation_noise > 0) observe_with_noise(made, observation_noise, seed);
  return made;
}

}  // namespace assay::analysis
