#include "validation/kept.hpp"

#include <algorithm>
#include <numeric>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace assay::validation {

namespace {

/// Parts that are tried without what is left of the others where there are many elements: twice the most that
/// are not 0 in a case that somebody is to look at.
constexpr std::size_t alone_tried = 128;
/// Indices that one number of parts may list with what is left without each, and that all together may.
constexpr std::size_t most_of_a_step = std::size_t{1} << 22, most_of_all = std::size_t{1} << 24;

}  // namespace

void Kept::apply(std::vector<double>& values) const {
  if (!only) return;
  std::vector<double> left(values.size(), 0.0);
  for (const std::int64_t index : *only) {
    const auto at = static_cast<std::size_t>(index);
    if (at < values.size()) left[at] = values[at];
  }
  values.swap(left);
}

std::ostream& operator<<(std::ostream& out, const Kept& kept) {
  if (!kept.only) return out << "all";
  return out << (kept.only->empty() ? "none" : "elements " + ranges_of(*kept.only));
}

std::string ranges_of(const std::vector<std::int64_t>& rising) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < rising.size() && parts.size() < 8;) {
    std::size_t j = i;
    while (j + 1 < rising.size() && rising[j + 1] == rising[j] + 1) ++j;
    parts.push_back(i == j ? fmt::format("{}", rising[i]) : fmt::format("{} to {}", rising[i], rising[j]));
    i = j + 1;
    if (parts.size() == 8 && i < rising.size()) parts.push_back("...");
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<std::int64_t> held_by(const std::vector<double>& values) {
  std::vector<std::int64_t> held;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != 0) held.push_back(static_cast<std::int64_t>(i));
  return held;
}

std::vector<std::vector<std::int64_t>> fewer(const std::vector<std::int64_t>& held) {
  std::vector<std::vector<std::int64_t>> made;
  if (held.empty()) return made;
  made.emplace_back();
  std::size_t total = 0;
  for (std::size_t parts = 2; parts / 2 < held.size(); parts *= 2) {
    const auto bound = [&](std::size_t part) {
      return held.begin() + static_cast<std::ptrdiff_t>(part * held.size() / parts);
    };
    const bool listed = parts * held.size() <= most_of_a_step;
    if ((parts > alone_tried && !listed) || (parts > 2 && total >= most_of_all)) break;
    total += listed ? (parts + 1) * held.size() : held.size();
    for (std::size_t part = 0; part < parts; ++part)
      if (bound(part) != bound(part + 1)) made.emplace_back(bound(part), bound(part + 1));
    // What is left without a part: two halves are each other's.
    for (std::size_t part = 0; parts > 2 && listed && part < parts; ++part) {
      if (bound(part) == bound(part + 1)) continue;
      std::vector<std::int64_t>& rest = made.emplace_back(held.begin(), bound(part));
      rest.insert(rest.end(), bound(part + 1), held.end());
    }
  }
  return made;
}

rc::Gen<Kept> kept_of(std::int64_t elements) {
  return rc::Gen<Kept>([elements](const rc::Random&, int) {
    return rc::shrinkable::shrinkRecur(Kept{}, [elements](const Kept& kept) {
      std::vector<std::int64_t> held;
      if (kept.only) {
        held = *kept.only;
      } else {
        held.resize(static_cast<std::size_t>(elements));
        std::iota(held.begin(), held.end(), 0);
      }
      std::vector<Kept> made;
      for (auto& only : fewer(held)) made.push_back({std::move(only)});
      return rc::seq::fromContainer(std::move(made));
    });
  });
}

}  // namespace assay::validation
