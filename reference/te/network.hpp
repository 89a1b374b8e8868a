#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/arguments.hpp"
#include "engine/runtime/philox.hpp"
#include "reference/te/ksg.hpp"

namespace assay::reference::te {

/// The row that stands in place of each row in surrogate `index`. Permutation: Fisher, Yates 1938 in
/// Durstenfeld's form. Shift: each trial turned by one lag, uniform in [m, L - m], m = max(1, ceil(L / 10)).
inline std::vector<std::int64_t> surrogate_rows(const Arguments& arguments, std::int64_t n,
                                                std::uint64_t seed, std::int64_t index) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
  const bool shift = arguments.text("surrogate_method") == "shift";
  Philox stream(seed,
                (shift ? std::uint64_t{3} : std::uint64_t{2}) << 32 | static_cast<std::uint64_t>(index));
  if (!shift) {
    stream.permutation(rows.data(), rows.size());
    return rows;
  }
  std::vector<std::int64_t> lengths{n};
  if (arguments.has("trial_lengths")) {
    const auto given = arguments.input("trial_lengths").as<std::int64_t>();
    lengths.assign(given.begin(), given.end());
  }
  std::int64_t begin = 0;
  for (const std::int64_t length : lengths) {
    const std::int64_t least = std::max<std::int64_t>(1, (length + 9) / 10);
    const std::int64_t lag = length < 2 ? 0
                                        : least + static_cast<std::int64_t>(stream.below(
                                                      static_cast<std::uint64_t>(length - 2 * least + 1)));
    for (std::int64_t at = 0; at < length; ++at)
      rows[static_cast<std::size_t>(begin + at)] = begin + (at + length - lag) % length;
    begin += length;
  }
  return rows;
}

/// te.ksg of every source with every target, one after the other (engine/te/network.hpp).
inline void run_network(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& sources = arguments.input("sources");
  const ConstTensorView& next = arguments.input("y");
  const std::int64_t m = sources.extent(0), n = sources.extent(1), t = next.extent(0);
  const bool condition =
      arguments.has("z") && arguments.input("z").rank() == 3 && arguments.input("z").extent(2) > 0;
  const auto values = outputs.at("values").as<double>();
  const auto surrogates = outputs.at("surrogates").as<double>();
  const bool counted = arguments.flag("counts");
  const auto counts = outputs.at("counts").as<std::int64_t>();
  std::vector<std::int64_t> uncounted(static_cast<std::size_t>(3 * n));
  const auto counts_of = [&](std::size_t cell) {
    return counted ? counts.data() + cell * static_cast<std::size_t>(3 * n) : uncounted.data();
  };

  const auto slice = [](const ConstTensorView& all, std::int64_t index) {
    const std::int64_t rows = all.extent(1), columns = all.extent(2);
    return assay::view_of(all.as<double>().data() + index * rows * columns, Shape{rows, columns});
  };
  for (std::int64_t source = 0; source < m; ++source)
    for (std::int64_t target = 0; target < t; ++target) {
      const auto cell = static_cast<std::size_t>(source * t + target);
      const std::int64_t draws = arguments.integer("surrogates");
      if (arguments.flag("skip_diagonal") && source == target) {
        constexpr double nan = std::numeric_limits<double>::quiet_NaN();
        values[cell] = nan;
        std::fill_n(surrogates.begin() + static_cast<std::int64_t>(cell) * draws, draws, nan);
        std::fill_n(counts_of(cell), 3 * n, 0);
        continue;
      }
      Arguments one;
      one.inputs.emplace("x", slice(sources, source));
      one.inputs.emplace("y", slice(next, target));
      if (condition) one.inputs.emplace("z", slice(arguments.input("z"), target));
      if (arguments.has("trial_lengths"))
        one.inputs.emplace("trial_lengths", arguments.input("trial_lengths"));
      one.parameters = arguments.parameters;
      Tensor local(DType::f64, {n}), radii(DType::f64, {n, 3});
      const auto evaluate = [&](double* value, std::int64_t* into) {
        run_ksg(one, {{"value", assay::view_of(value, Shape{1})},
                      {"local", local.view()},
                      {"radii", radii.view()},
                      {"counts", assay::view_of(into, Shape{n, 3})}});
      };
      evaluate(&values[cell], counts_of(cell));
      one.inputs.erase("trial_lengths");  // a surrogate's row numbers act as times
      const ConstTensorView x = one.input("x");
      for (std::int64_t index = 0; index < draws; ++index) {
        const auto rows = surrogate_rows(
            arguments, n, static_cast<std::uint64_t>(arguments.integer("seed") + source), index);
        Tensor resampled(DType::f64, x.shape);
        for (std::int64_t i = 0; i < n; ++i)
          std::copy_n(x.as<double>().begin() + rows[static_cast<std::size_t>(i)] * x.extent(1), x.extent(1),
                      resampled.as<double>().begin() + i * x.extent(1));
        one.inputs["x"] = assay::as_const(resampled.view());
        evaluate(&surrogates[cell * static_cast<std::size_t>(draws) + static_cast<std::size_t>(index)],
                 uncounted.data());
      }
    }
}

}  // namespace assay::reference::te
