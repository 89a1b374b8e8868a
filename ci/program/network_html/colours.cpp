#include "ci/program/network_html/colours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace assay::program::network_html {
namespace {

using Colour = std::array<int, 3>;

/// From 0 outwards, at equal distances.
struct Scheme {
  std::vector<Colour> negative, positive;
};

// After ColorBrewer's Oranges and Blues (Brewer 2003), whose ends differ in hue for all dichromats.
const Scheme light{{{244, 246, 248}, {253, 208, 162}, {245, 140, 55}, {196, 82, 8}, {122, 44, 4}},
                   {{244, 246, 248}, {190, 214, 236}, {94, 157, 208}, {29, 99, 170}, {8, 40, 98}}};
const Scheme dark{{{31, 37, 45}, {92, 52, 26}, {158, 84, 30}, {226, 137, 62}, {255, 216, 170}},
                  {{31, 37, 45}, {30, 66, 107}, {46, 112, 180}, {112, 178, 238}, {224, 241, 255}}};

std::string hexadecimal(const Scheme& scheme, int level) {
  const auto& stops = level < 0 ? scheme.negative : scheme.positive;
  const double place =
      static_cast<double>(std::abs(level)) / most_level * static_cast<double>(stops.size() - 1);
  const std::size_t first = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  const double share = place - static_cast<double>(first);
  std::string out = "#";
  for (std::size_t i = 0; i < 3; ++i)
    out += fmt::format("{:02x}", std::lround((1 - share) * stops[first][i] + share * stops[first + 1][i]));
  return out;
}

std::string definitions(const Scheme& scheme) {
  std::string out = ":root {";
  for (int level = -most_level; level <= most_level; ++level)
    out += fmt::format(" {}: {};", level_variable(level), hexadecimal(scheme, level));
  return out + " }\n";
}

}  // namespace

int level_of(double value, double end) {
  return static_cast<int>(std::lround(std::clamp(value / end, -1.0, 1.0) * most_level));
}

std::string level_variable(int level) {
  return fmt::format("--u{}", level + most_level);
}

std::string level_style() {
  return definitions(light) + "@media (prefers-color-scheme: dark) {\n" + definitions(dark) + "}\n";
}

}  // namespace assay::program::network_html
