#include "reports/scaling.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

namespace assay::reports {
namespace {

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::vector<std::string> parts_of(const std::string& label) {
  std::vector<std::string> parts{""};
  for (const char c : label) {
    if (c == ',' || c == '/' || c == ' ')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  std::erase(parts, "");
  return parts;
}

/// "search=tree", but not "n=1000" and not "cold".
bool names_a_word(const std::string& part) {
  const std::size_t equals = part.find('=');
  if (equals == std::string::npos) return false;
  double number = 0.0;
  const char* const end = part.data() + part.size();
  const auto [last, error] = std::from_chars(part.data() + equals + 1, end, number);
  return error != std::errc{} || last != end;
}

std::map<std::string, double> axes_of(const Benchmark& benchmark) {
  if (!benchmark.axes.empty()) return benchmark.axes;
  if (benchmark.problem_size <= 0.0) return {};
  return {{benchmark.size_name.empty() ? "size" : lower(benchmark.size_name), benchmark.problem_size}};
}

bool usable(const Benchmark& benchmark) {
  return benchmark.median_ns > 0.0 && benchmark.validity == Validity::valid && !benchmark.impossible;
}

}  // namespace

std::vector<Growth> growths(const RunRecord& record) {
  std::vector<Growth> all;
  std::map<std::tuple<std::string, std::string, std::string, std::string, std::string>, std::size_t> index;
  for (const Benchmark& benchmark : record.benchmarks) {
    if (!usable(benchmark)) continue;
    for (const auto& [axis, value] : axes_of(benchmark)) {
      if (value <= 0.0) continue;
      Growth made{.operation = benchmark.operation,
                  .axis = axis,
                  .backend = benchmark.backend,
                  .peer = benchmark.peer};
      for (const std::string& part : parts_of(benchmark.label)) {
        if (lower(part).starts_with(axis + '=')) continue;
        made.fixed += (made.fixed.empty() ? "" : ", ") + part;
        made.with_words |= names_a_word(part);
      }
      made.of_size = axis == (benchmark.size_name.empty() ? "size" : lower(benchmark.size_name));
      const auto [found, is_new] =
          index.try_emplace({made.operation, axis, made.backend, made.peer, made.fixed}, all.size());
      if (is_new) all.push_back(std::move(made));
      Growth& growth = all[found->second];
      const auto place = static_cast<std::size_t>(
          std::upper_bound(growth.at.begin(), growth.at.end(), value) - growth.at.begin());
      growth.at.insert(growth.at.begin() + static_cast<std::ptrdiff_t>(place), value);
      growth.points.insert(growth.points.begin() + static_cast<std::ptrdiff_t>(place), &benchmark);
    }
  }
  std::erase_if(all, [](const Growth& growth) { return growth.at.front() == growth.at.back(); });
  std::stable_sort(all.begin(), all.end(), [](const Growth& a, const Growth& b) {
    return std::tuple(a.operation, !a.of_size, a.axis, !a.peer.empty()) <
           std::tuple(b.operation, !b.of_size, b.axis, !b.peer.empty());
  });
  return all;
}

std::optional<GrowthFit> fit(const Growth& growth) {
  const std::size_t n = growth.at.size();
  GrowthFit made;
  for (std::size_t i = 0; i < n; ++i) {
    made.mean_log_x += std::log(growth.at[i]) / static_cast<double>(n);
    made.level += std::log(growth.points[i]->median_ns) / static_cast<double>(n);
  }
  double xx = 0.0, xy = 0.0, yy = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = std::log(growth.at[i]) - made.mean_log_x;
    const double y = std::log(growth.points[i]->median_ns) - made.level;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  if (!(xx > 0.0)) return std::nullopt;
  made.exponent = xy / xx;
  if (n > 2) made.error = std::sqrt(std::max(0.0, yy - made.exponent * xy) / static_cast<double>(n - 2) / xx);
  return made;
}

std::optional<Scaling> prediction_for(const RunRecord& record, const Growth& growth) {
  if (growth.with_words || !growth.peer.empty()) return std::nullopt;
  for (const OperationInfo& operation : record.operations) {
    if (operation.name != growth.operation) continue;
    for (const Scaling& scaling : operation.scalings)
      if (scaling.axis == growth.axis) return scaling;
  }
  return std::nullopt;
}

}  // namespace assay::reports
