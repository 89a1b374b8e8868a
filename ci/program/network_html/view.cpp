#include "ci/program/network_html/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <queue>
#include <stdexcept>

#include "reports/escape.hpp"

namespace assay::program::network_html {
namespace {

constexpr std::size_t most_edges = 300;
constexpr std::size_t most_listed = 40;

/// Keeps the `most` first of all that it is shown, in an order without ties.
template <typename Item, typename Before>
class Foremost {
 public:
  Foremost(std::size_t most, Before before) : most_(most), heap_(before) {}
  void show(const Item& item) {
    if (heap_.size() == most_ && !before_(item, heap_.top())) return;
    heap_.push(item);
    if (heap_.size() > most_) heap_.pop();
  }
  std::vector<Item> sorted() {
    std::vector<Item> out;
    for (; !heap_.empty(); heap_.pop()) out.push_back(heap_.top());
    std::reverse(out.begin(), out.end());
    return out;
  }

 private:
  std::size_t most_;
  Before before_{};
  std::priority_queue<Item, std::vector<Item>, Before> heap_;
};

struct Stronger {
  bool operator()(const Pair& a, const Pair& b) const {
    if (a.strength != b.strength) return a.strength > b.strength;
    return a.source != b.source ? a.source < b.source : a.target < b.target;
  }
};

struct Listed {
  Pair pair;
  bool significant = false;
};

struct ListedFirst {
  bool operator()(const Listed& a, const Listed& b) const {
    if (a.significant != b.significant) return a.significant;
    return Stronger{}(a.pair, b.pair);
  }
};

}  // namespace

View::View(const NetworkPageInput& from) : input(from) {
  if (!input.te || (tested() && !(input.effective && input.significant)))
    throw std::invalid_argument("network page: expected te, and with p_value also effective and significant");
  for (std::size_t i = 0; i < count(); ++i)
    names.push_back(input.names[i].empty() ? fmt::format("#{}", i) : reports::valid_utf8(input.names[i]));

  Foremost<Pair, Stronger> drawn(tested() ? most_edges : std::min(most_edges, 2 * count()), {});
  Foremost<Listed, ListedFirst> listed(most_listed, {});
  // The scale ends where one value in a thousand lies above it, so that one outlier does not pale the rest.
  Foremost<double, std::greater<>> top(1 + pairs() / 1000, {});
  for (std::size_t source = 0; source < count(); ++source) {
    for (std::size_t target = 0; target < count(); ++target) {
      const double value = te(source, target);
      if (!std::isfinite(value)) continue;
      lowest = values == 0 ? value : std::min(lowest, value);
      highest = values == 0 ? value : std::max(highest, value);
      ++values;
      negative += value < 0;
      survivors += significant(source, target);
      top.show(std::abs(value));
      const double weight = strength(source, target);
      if (!std::isfinite(weight)) continue;
      const Pair pair{source, target, weight};
      listed.show({pair, significant(source, target)});
      if (tested() ? !significant(source, target) : weight <= 0) continue;
      ++edge_total;
      drawn.show(pair);
    }
  }
  edges = drawn.sorted();
  for (const Listed& one : listed.sorted()) strongest.push_back(one.pair);
  if (const auto largest = top.sorted(); !largest.empty() && largest.back() > 0) scale_end = largest.back();

  const auto positive = [&](std::size_t source, std::size_t target) {
    const double value = strength(source, target);
    return std::isfinite(value) && value > 0 ? value : 0.0;
  };
  clustering = average_linkage(count(), [&](std::size_t i, std::size_t j) {
    return static_cast<float>((positive(i, j) + positive(j, i)) / 2);
  });
}

double View::te(std::size_t source, std::size_t target) const {
  return source == target ? std::nan("") : input.te(source, target);
}

double View::strength(std::size_t source, std::size_t target) const {
  return tested() && source != target ? input.effective(source, target) : te(source, target);
}

bool View::significant(std::size_t source, std::size_t target) const {
  return tested() && source != target && input.significant(source, target);
}

namespace {

/// The bytes of each letter of well-formed UTF-8.
std::vector<std::string_view> letters(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    while (at + length < text.size() && (static_cast<unsigned char>(text[at + length]) & 0xC0u) == 0x80u)
      ++length;
    out.push_back(text.substr(at, length));
    at += length;
  }
  return out;
}

/// Three bytes from U+2E80 on, and four: close to what fonts draw wide.
std::size_t columns_of(std::string_view letter) {
  return letter.size() >= 3 && letter >= "\xE2\xBA\x80" ? 2 : 1;
}

}  // namespace

std::size_t text_columns(std::string_view name) {
  std::size_t sum = 0;
  for (const std::string_view letter : letters(name)) sum += columns_of(letter);
  return sum;
}

std::string shortened(const std::string& name, std::size_t most) {
  if (text_columns(name) <= most) return name;
  const auto parts = letters(name);
  const std::size_t tail_room = (most - 1) / 3;
  std::size_t head = 0, tail = parts.size(), used = 0;
  while (tail > 0 && used + columns_of(parts[tail - 1]) <= tail_room) used += columns_of(parts[--tail]);
  while (used + columns_of(parts[head]) <= most - 1) used += columns_of(parts[head++]);
  std::string out;
  for (std::size_t i = 0; i < head; ++i) out += parts[i];
  out += "…";
  for (std::size_t i = tail; i < parts.size(); ++i) out += parts[i];
  return out;
}

std::string label(const View& view, std::size_t index, std::size_t most) {
  return reports::escape_html(shortened(view.names[index], most));
}

}  // namespace assay::program::network_html
