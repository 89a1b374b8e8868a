#include "ci/program/suggestion.hpp"

#include <algorithm>
#include <numeric>

namespace assay::program {
namespace {

/// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view typed, const std::vector<std::string>& known) {
  // Words of one or two letters are close to anything.
  if (typed.size() < 3 || typed.size() > 100) return "";
  const std::string* best = nullptr;
  std::size_t least = std::max<std::size_t>(1, typed.size() / 3) + 1;
  for (const std::string& name : known) {
    const bool begins =
        name.size() > typed.size() && typed.size() > 2 && std::string_view(name).starts_with(typed);
    const std::size_t apart = begins ? 1 : distance(typed, name);
    if (apart < least) {
      least = apart;
      best = &name;
    }
  }
  return best == nullptr ? "" : ", did you mean '" + *best + "'?";
}

}  // namespace assay::program
