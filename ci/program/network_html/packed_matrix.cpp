#include "ci/program/network_html/packed_matrix.hpp"

#include <algorithm>
#include <cmath>

namespace assay::program::network_html {
namespace {

constexpr int middle = 127;
constexpr std::uint8_t no_value = 255;

void find_scale(PackedMatrix& made) {
  std::vector<std::size_t> counts(256);
  for (const std::uint8_t code : made.codes) ++counts[code];
  bool any = false;
  for (int code = 0; code < no_value; ++code) {
    if (counts[static_cast<std::size_t>(code)] == 0) continue;
    made.highest = value_of(static_cast<std::uint8_t>(code), made.largest);
    if (!any) made.lowest = made.highest;
    any = true;
  }
  std::size_t beyond = (made.codes.size() - counts[no_value]) / 1000;
  for (std::size_t steps = middle; steps > 0; --steps) {
    const std::size_t here = counts[middle + steps] + counts[middle - steps];
    if (here > beyond) {
      made.scale_end = value_of(static_cast<std::uint8_t>(middle + steps), made.largest);
      return;
    }
    beyond -= here;
  }
}

}  // namespace

std::uint8_t code_of(double value, double largest) {
  const double root = std::sqrt(std::min(std::abs(value) / largest, 1.0));
  const auto steps = static_cast<int>(std::lround(root * middle));
  return static_cast<std::uint8_t>(value < 0 ? middle - steps : middle + steps);
}

double value_of(std::uint8_t code, double largest) {
  const double root = (static_cast<double>(code) - middle) / middle;
  return root * std::abs(root) * largest;
}

PackedMatrix packed_matrix(const View& view, std::size_t most) {
  PackedMatrix made;
  made.block = (view.count() + most - 1) / most;
  made.count = (view.count() + made.block - 1) / made.block;
  made.largest = std::max(std::abs(view.lowest), std::abs(view.highest));
  if (made.largest == 0) made.largest = 1;
  made.codes.assign(made.count * made.count, no_value);
  made.marks.assign((made.codes.size() + 7) / 8, 0);
  std::vector<std::size_t> place(view.count());  // of a column in the leaf order
  for (std::size_t i = 0; i < view.count(); ++i) place[view.clustering.order[i]] = i;
  for (std::size_t source = 0; source < view.count(); ++source) {
    const std::size_t row = place[source] / made.block * made.count;
    for (std::size_t target = 0; target < view.count(); ++target) {
      const double value = view.te(source, target);
      if (!std::isfinite(value)) continue;
      const std::size_t block = row + place[target] / made.block;
      const std::uint8_t code = code_of(value, made.largest);
      if (made.codes[block] == no_value || code > made.codes[block]) made.codes[block] = code;
      if (view.significant(source, target))
        made.marks[block / 8] = static_cast<std::uint8_t>(made.marks[block / 8] | (1u << (block % 8)));
    }
  }
  find_scale(made);
  return made;
}

std::string base64(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    unsigned word = 0;
    for (std::size_t j = 0; j < 3; ++j) word = word << 8 | (j < here ? bytes[i + j] : 0u);
    for (std::size_t j = 0; j < 4; ++j) out += j <= here ? digits[word >> (18 - 6 * j) & 63u] : '=';
  }
  return out;
}

}  // namespace assay::program::network_html
