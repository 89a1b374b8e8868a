// What is large of a row, and an estimate of the rest, in one sweep.
#include "kernels/filters/marks.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/filters/marks.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
// Highway's own header comes after it.
#include "hwy/highway.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/widen_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::filters::HWY_NAMESPACE {

/// Elements that one word has bits for.
constexpr std::int64_t block = 64;

/// Bits of vectors one after the other into a word. Vectors of 8 lanes or more store theirs straight away.
HWY_INLINE void put_bits(hn::Mask<Floats> mask, std::int64_t lane, std::uint64_t* word) {
  const Floats floats;
  auto* const bytes = reinterpret_cast<std::uint8_t*>(word);
  if (hn::Lanes(floats) % 8 == 0) {
    hn::StoreMaskBits(floats, mask, bytes + lane / 8);
  } else {
    std::uint8_t bits[8] = {};
    hn::StoreMaskBits(floats, mask, bits);
    bytes[lane / 8] = static_cast<std::uint8_t>(bytes[lane / 8] | bits[0] << (lane % 8));
  }
}

/// The elements behind the last whole block, as float and with NaN behind them.
template <typename Element>
HWY_INLINE void load_rest(const Element* from, std::int64_t count, float* to) {
  std::fill_n(to, block, std::numeric_limits<float>::quiet_NaN());
  if (mutant("sampling.chain.long_row_without_its_end")) return;
  for (std::int64_t i = 0; i < count; ++i) to[i] = to_float(from[i]);
}

template <typename Element>
HWY_INLINE void mark_block(const Element* at, hn::Vec<Floats> bound, std::uint64_t* word) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  *word = 0;
  for (std::int64_t lane = 0; lane < block; lane += lanes)
    put_bits(hn::Ge(widened(at + lane), bound), lane, word);
}

void mark_from_on(const RawRow& row, float bound, std::uint64_t* marks) {
  with_elements(row, [&](const auto* elements) {
    const auto least = hn::Set(Floats(), bound);
    std::int64_t at = 0;
    for (; at + block <= row.count; at += block) mark_block(elements + at, least, marks + at / block);
    if (at == row.count) return;
    float rest[block];
    load_rest(elements + at, row.count - at, rest);
    mark_block(rest, least, marks + at / block);
  });
}

// Here, and not compiled for any machine, because counting and finding bits takes instructions of its own.
std::int64_t list_marked_on(const RawRow& row, const std::uint64_t* marks, std::int64_t most, float* logits,
                            std::int32_t* positions) {
  constexpr int at_once = 4;
  const std::int64_t words = words_of_marks(row.count);
  std::int64_t count = 0;
  for (std::int64_t word = 0; word < words && count <= most; ++word) {
    std::uint64_t bits = marks[word];
    const std::int64_t marked = std::popcount(bits);
    const auto first = static_cast<std::int32_t>(block * word);
    // So many whether there are or not: how many there are is anyone's guess, the processor's too. What is
    // too many is written over.
    for (std::int64_t done = 0;;) {
      for (int i = 0; i < at_once; ++i, bits &= bits - 1)
        positions[count + done + i] = first + std::countr_zero(bits);
      done += at_once;
      if (done >= marked) break;
    }
    count += marked;
  }
  with_elements(row, [&](const auto* elements) {
    for (std::int64_t i = 0; i < count; ++i) logits[i] = to_float(elements[positions[i]]) + 0.0F;
  });
  return count;
}

#if HWY_NATIVE_FMA && HWY_HAVE_FLOAT64 && HWY_TARGET != HWY_SCALAR
bool can_sum_on() {
  return true;
}

/// 2^power; see marks.hpp.
HWY_INLINE hn::Vec<Floats> power_of_two(hn::Vec<Floats> power) {
  const Floats floats;
  const hn::Rebind<std::int32_t, Floats> words;
  // Minimax on |f| <= 1/2 with the first coefficient 1: off by 1.82 x 2^-24 (relative).
  constexpr float series[5] = {0x1.5bba14p-10f, 0x1.3cea88p-7f, 0x1.c6b752p-5f, 0x1.ebf9bcp-3f,
                               0x1.62e42ap-1f};
  // Added to and taken from a float below 2^22, this rounds it to an integer, whose bits the sum ends in.
  const auto magic = hn::Set(floats, 0x1.8p23f);
  const auto shifted = hn::Add(power, magic);
  const auto fraction = hn::Sub(power, hn::Sub(shifted, magic));
  auto sum = hn::Set(floats, series[0]);
  for (int i = 1; i < 5; ++i) sum = hn::MulAdd(sum, fraction, hn::Set(floats, series[i]));
  sum = hn::MulAdd(sum, fraction, hn::Set(floats, 1.0f));
  const auto whole = hn::ShiftLeft<23>(hn::BitCast(words, shifted));
  return hn::BitCast(floats, hn::Add(hn::BitCast(words, sum), whole));
}

/// Marks a block and returns the sums of its terms, a lane each.
template <typename Element>
HWY_INLINE hn::Vec<Floats> sum_block(const Element* at, hn::Vec<Floats> bound, hn::Vec<Floats> scale,
                                     hn::Vec<Floats> offset, std::uint64_t* word) {
  const Floats floats;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  auto sum = hn::Zero(floats);
  *word = 0;
  for (std::int64_t lane = 0; lane < block; lane += lanes) {
    const auto logits = widened(at + lane);
    put_bits(hn::Ge(logits, bound), lane, word);
    const auto power = hn::Max(hn::MulSub(logits, scale, offset), hn::Set(floats, least_power));
    // Of a NaN nothing is said but this: it is not less.
    sum = hn::Add(sum, hn::IfThenElseZero(hn::Lt(logits, bound), power_of_two(power)));
  }
  return sum;
}

OthersSum mark_and_sum_on(const RawRow& row, float bound, float scale, float offset, std::uint64_t* marks) {
  constexpr int blocks_in_float = 4;
  const Floats floats;
  const hn::Half<Floats> half;
  const hn::Rebind<double, decltype(half)> doubles;
  const auto least = hn::Set(floats, bound), factor = hn::Set(floats, scale), shift = hn::Set(floats, offset);
  auto low = hn::Zero(doubles), high = low;
  const auto add = [&](hn::Vec<Floats> sum) {
    low = hn::Add(low, hn::PromoteTo(doubles, hn::LowerHalf(half, sum)));
    high = hn::Add(high, hn::PromoteTo(doubles, hn::UpperHalf(half, sum)));
  };
  with_elements(row, [&](const auto* elements) {
    std::int64_t at = 0;
    while (at + block <= row.count) {
      auto sum = hn::Zero(floats);
      for (int i = 0; i < blocks_in_float && at + block <= row.count; ++i, at += block)
        sum = hn::Add(sum, sum_block(elements + at, least, factor, shift, marks + at / block));
      add(sum);
    }
    if (at == row.count) return;
    float rest[block];
    load_rest(elements + at, row.count - at, rest);
    add(sum_block(rest, least, factor, shift, marks + at / block));
  });
  const auto per_block = static_cast<int>(block) / static_cast<int>(hn::Lanes(floats));
  return {hn::GetLane(hn::SumOfLanes(doubles, hn::Add(low, high))), per_block + blocks_in_float};
}
#else
bool can_sum_on() {
  return false;
}

OthersSum mark_and_sum_on(const RawRow&, float, float, float, std::uint64_t*) {
  return {0, 0};
}
#endif

}  // namespace assay::kernels::filters::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::filters {

HWY_EXPORT(mark_from_on);
HWY_EXPORT(list_marked_on);
HWY_EXPORT(can_sum_on);
HWY_EXPORT(mark_and_sum_on);

void mark_from(const RawRow& row, float bound, std::uint64_t* marks) {
  HWY_DYNAMIC_DISPATCH(mark_from_on)(row, bound, marks);
}
std::int64_t list_marked(const RawRow& row, const std::uint64_t* marks, std::int64_t most, float* logits,
                         std::int32_t* positions) {
  return HWY_DYNAMIC_DISPATCH(list_marked_on)(row, marks, most, logits, positions);
}
bool can_sum() {
  return HWY_DYNAMIC_DISPATCH(can_sum_on)();
}
OthersSum mark_and_sum(const RawRow& row, float bound, float scale, float offset, std::uint64_t* marks) {
  return HWY_DYNAMIC_DISPATCH(mark_and_sum_on)(row, bound, scale, offset, marks);
}

}  // namespace assay::kernels::filters
#endif
