// dense.softmax on the CPU. Three sweeps over a row: the maximum; the exponentials and their sum, kept as
// floats; the scaling. A row up to some 100,000 columns stays in the cache of its core between the sweeps.
#include "kernels/dense/softmax.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/softmax.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
// Highway's own headers come after it.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/runtime/mutant.hpp"
#include "engine/tensors/half.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::dense::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Words = hn::Rebind<std::uint32_t, Floats>;
using Signed = hn::Rebind<std::int32_t, Floats>;
using Shorts = hn::Rebind<std::uint16_t, Floats>;
using Vector = hn::Vec<Floats>;

// Columns whose exponentials are added in float before they join the row's total in double: 16 in each of
// four running sums of a vector's lanes.
HWY_INLINE std::int64_t block_of(std::int64_t lanes) {
  return 16 * 4 * lanes;
}

HWY_INLINE Vector load(const float* from) {
  return hn::LoadU(Floats(), from);
}

HWY_INLINE Vector load(const BFloat16* from) {
  const auto bits = hn::LoadU(Shorts(), reinterpret_cast<const std::uint16_t*>(from));
  return hn::BitCast(Floats(), hn::ShiftLeft<16>(hn::PromoteTo(Words(), bits)));
}

// Highway's own widening of binary16 leaves out infinities and NaN where the machine has no instruction for
// it.
HWY_INLINE Vector load(const Half* from) {
  const Words words;
  const auto bits = hn::PromoteTo(words, hn::LoadU(Shorts(), reinterpret_cast<const std::uint16_t*>(from)));
  const auto sign = hn::ShiftLeft<16>(hn::And(bits, hn::Set(words, 0x8000u)));
  const auto magnitude = hn::ShiftLeft<13>(hn::And(bits, hn::Set(words, 0x7FFFu)));
  // The exponent field counts from 15 where float counts from 127; the product is exact, subnormals included.
  const auto scaled =
      hn::BitCast(words, hn::Mul(hn::BitCast(Floats(), magnitude), hn::Set(Floats(), 0x1p112f)));
  if (mutant("dense.softmax.half_infinity_finite")) return hn::BitCast(Floats(), hn::Or(scaled, sign));
  const auto special = hn::VecFromMask(words, hn::Gt(magnitude, hn::Set(words, 0x0F7FFFFFu)));
  const auto all_ones_exponent = hn::And(special, hn::Set(words, 0x7F800000u));
  return hn::BitCast(Floats(), hn::Or(hn::Or(scaled, all_ones_exponent), sign));
}

HWY_INLINE void store(Vector values, float* to) {
  hn::StoreU(values, Floats(), to);
}

HWY_INLINE void store_shorts(hn::Vec<Words> bits, std::uint16_t* to) {
  hn::StoreU(hn::DemoteTo(Shorts(), hn::BitCast(Signed(), bits)), Shorts(), to);
}

// Round to nearest even; for values from 0 to 1, which is all there is to store.
HWY_INLINE void store(Vector values, BFloat16* to) {
  const Words words;
  const auto bits = hn::BitCast(words, values);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1u));
  const auto half = hn::Add(hn::Set(words, 0x7FFFu), odd);
  const auto rounded = mutant("dense.softmax.bfloat_truncated") ? bits : hn::Add(bits, half);
  store_shorts(hn::ShiftRight<16>(rounded), reinterpret_cast<std::uint16_t*>(to));
}

HWY_INLINE void store(Vector values, Half* to) {
  const Words words;
  const auto bits = hn::BitCast(words, values);
  const auto odd = hn::And(hn::ShiftRight<13>(bits), hn::Set(words, 1u));
  const auto normal = hn::ShiftRight<13>(
      hn::Sub(hn::Add(bits, hn::Add(hn::Set(words, 0xFFFu), odd)), hn::Set(words, 0x38000000u)));
  // Beside 1/2 a float counts in units of 2^-24, as the subnormals of binary16 do: the addition rounds them.
  const auto beside_half = hn::BitCast(words, hn::Add(values, hn::Set(Floats(), 0.5f)));
  auto subnormal = hn::Sub(beside_half, hn::Set(words, 0x3F000000u));
  if (mutant("dense.softmax.half_subnormals_flushed")) subnormal = hn::Zero(words);
  const auto is_subnormal = hn::RebindMask(words, hn::Lt(values, hn::Set(Floats(), 0x1p-14f)));
  store_shorts(hn::IfThenElse(is_subnormal, subnormal, normal), reinterpret_cast<std::uint16_t*>(to));
}

// Calls body(vector, column) for a row in whole vectors; the last one is filled up with -Inf, whose
// exponential is 0.
template <typename Element, typename Body>
HWY_INLINE void for_each_vector(const Element* row, std::int64_t columns, const Body& body) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  std::int64_t column = 0;
  for (; column + lanes <= columns; column += lanes) body(load(row + column), column);
  if (column == columns || mutant("dense.softmax.unhandled_tail")) return;
  Element tail[16];
  const float filler =
      mutant("dense.softmax.tail_filled_with_zero") ? 0.0f : -std::numeric_limits<float>::infinity();
  std::fill(tail, tail + 16, from_float<Element>(filler));
  std::copy(row + column, row + columns, tail);
  body(load(tail), column);
}

/// x, y: (columns); exponentials: (columns rounded up to whole vectors)
template <typename Element>
void softmax_row(const Element* x, std::int64_t columns, float* exponentials, Element* y) {
  const Floats floats;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  Vector largest = hn::Set(floats, -std::numeric_limits<float>::infinity());
  auto not_a_number = hn::FirstN(floats, 0);
  const bool first_only = mutant("dense.softmax.maximum_of_first_vector");
  for_each_vector(x, columns, [&](Vector values, std::int64_t column) {
    if (!first_only || column == 0) largest = hn::Max(largest, values);
    not_a_number = hn::Or(not_a_number, hn::IsNaN(values));
  });
  float maximum = hn::GetLane(hn::MaxOfLanes(floats, largest));
  const bool any_nan = !hn::AllFalse(floats, not_a_number) && !mutant("dense.softmax.nan_ignored");
  if (any_nan || std::isinf(maximum)) {  // +Inf, or nothing but -Inf: 0/0 or Inf/Inf by the formula
    const bool to_zero = maximum < 0 && !any_nan && mutant("dense.softmax.masked_row_zero");
    std::fill(y, y + columns, from_float<Element>(to_zero ? 0 : std::numeric_limits<float>::quiet_NaN()));
    return;
  }
  if (mutant("dense.softmax.no_maximum")) maximum = 0;

  const Vector shift = hn::Set(floats, maximum);
  const bool lost_block = mutant("dense.softmax.lost_block");
  const bool half_sum = mutant("dense.softmax.half_precision_sum");
  const bool sum_lost = mutant("dense.softmax.running_sum_lost");
  const bool over_first = mutant("dense.softmax.blocks_overwrite_first");
  const std::int64_t block = block_of(lanes);
  double total = 0;
  for (std::int64_t first = 0; first < columns; first += block) {
    const std::int64_t width = std::min(block, columns - first);
    Vector sums[4] = {hn::Zero(floats), hn::Zero(floats), hn::Zero(floats), hn::Zero(floats)};
    for_each_vector(x + first, width, [&](Vector values, std::int64_t column) {
      const Vector exponential = hn::Exp(floats, hn::Sub(values, shift));
      hn::StoreU(exponential, floats, exponentials + (over_first ? 0 : first) + column);
      Vector& sum = sums[column / lanes % 4];
      sum = hn::Add(sum, exponential);
    });
    const Vector sum = hn::Add(hn::Add(sums[0], sums[1]), sum_lost ? sums[2] : hn::Add(sums[2], sums[3]));
    if (lost_block && first == block) continue;
    total += hn::GetLane(hn::SumOfLanes(floats, sum));
    if (half_sum) total = to_float(to_half(static_cast<float>(total)));
  }

  Vector scale = hn::Set(floats, 1.0f / static_cast<float>(total));
  if (mutant("dense.softmax.estimated_reciprocal"))
    scale = hn::ApproximateReciprocal(hn::Set(floats, static_cast<float>(total)));
  std::int64_t column = 0;
  for (; column + lanes <= columns; column += lanes)
    store(hn::Mul(hn::LoadU(floats, exponentials + column), scale), y + column);
  if (column < columns && !mutant("dense.softmax.output_tail_lost")) {
    Element tail[16];
    store(hn::Mul(hn::LoadU(floats, exponentials + column), scale), tail);
    std::copy(tail, tail + (columns - column), y + column);
  }
}

template <typename Element>
void softmax_rows(const SoftmaxCall& call, std::int64_t begin, std::int64_t end, float* scratch) {
  const std::int64_t stride = mutant("dense.softmax.ignored_row_stride") ? call.columns : call.x_row_stride;
  const std::int64_t first_out = mutant("dense.softmax.rows_count_from_chunk") ? begin : 0;
  std::byte* y = call.y;
  if (mutant("dense.softmax.start_taken_as_aligned")) y -= reinterpret_cast<std::uintptr_t>(y) % 16;
  for (std::int64_t row = begin; row < end; ++row)
    softmax_row(reinterpret_cast<const Element*>(call.x) + row * stride, call.columns, scratch,
                reinterpret_cast<Element*>(y) + (row - first_out) * call.columns);
}

void run_rows(const SoftmaxCall& call, std::int64_t begin, std::int64_t end, float* scratch) {
  if (call.dtype == DType::f32) softmax_rows<float>(call, begin, end, scratch);
  if (call.dtype == DType::f16) softmax_rows<Half>(call, begin, end, scratch);
  if (call.dtype == DType::bf16) softmax_rows<BFloat16>(call, begin, end, scratch);
}

}  // namespace assay::kernels::dense::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::dense {

HWY_EXPORT(run_rows);

std::size_t softmax_scratch(const SoftmaxCall& call) {
  return static_cast<std::size_t>(call.columns + 16);
}

void softmax_cpu(ThreadPool& pool, const SoftmaxCall& call, std::span<float> scratch) {
  const std::size_t per_worker = softmax_scratch(call);
  constexpr std::int64_t elements_at_least = 32768;  // a chunk of less is not worth waking a worker for
  const std::int64_t grain = std::max<std::int64_t>(1, elements_at_least / call.columns);
  pool.parallel_for(call.rows, grain, [&](std::int64_t begin, std::int64_t end, unsigned worker) {
    HWY_DYNAMIC_DISPATCH(run_rows)(call, begin, end, scratch.data() + worker * per_worker);
  });
}

}  // namespace assay::kernels::dense
#endif
