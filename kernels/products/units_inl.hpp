// Products of codes that stay in registers with activations, in units of 32 columns: what is left of a row of
// blocks when nothing of it goes through memory. Compiled once for every instruction set that
// hwy/foreach_target.h goes through, and empty for those whose vectors have fewer than 32 bytes.
//
// A code becomes a float without a conversion: its byte is put below a 16-bit number that makes the word 2^23
// and the code (the second byte of a pair: 2^23 and 256 times the code), and 2^23 is subtracted with the
// format's offset, which is exact. What the second bytes have too much, their activations have too little
// (activations_inl.hpp). The scale is applied once to the sums of a unit.
#if defined(ASSAY_KERNELS_PRODUCTS_UNITS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_PRODUCTS_UNITS_INL
#undef ASSAY_KERNELS_PRODUCTS_UNITS_INL
#else
#define ASSAY_KERNELS_PRODUCTS_UNITS_INL
#endif

#include <cstdint>
#include <utility>

#include "engine/runtime/mutant.hpp"
#include "kernels/blocks/coded_inl.hpp"

#if HWY_CAP_GE256
HWY_BEFORE_NAMESPACE();
namespace assay::kernels::products::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using blocks::HWY_NAMESPACE::Coded;
using blocks::HWY_NAMESPACE::Codes;
using blocks::HWY_NAMESPACE::Eight;
using blocks::HWY_NAMESPACE::Floats8;
using blocks::HWY_NAMESPACE::Pairs16;

/// Arranged activations of some vectors (activations_inl.hpp), from the column on that a piece begins with.
struct Arranged {
  const float* x;
  std::int64_t stride;  ///< between vectors
  const float* sums;    ///< of so many activations as share a minimum; nullptr for formats without minima
  std::int64_t sums_stride;
};

/// codes[i] - Offset and, from the second byte of a pair, 256 times that, of eight pairs.
template <int Bits, int Offset, int Byte>
HWY_INLINE Eight values_of(hn::Vec<hn::FixedTag<std::uint32_t, 8>> pairs) {
  const hn::FixedTag<std::uint32_t, 8> words;
  const auto alone =
      hn::And(pairs, hn::Set(words, 0xFFFF0000u | static_cast<std::uint32_t>(Bits) << 8 * Byte));
  return hn::Sub(hn::BitCast(Floats8(), alone),
                 hn::Set(Floats8(), 0x1p23f + static_cast<float>(Offset << 8 * Byte)));
}

/// Sums of some rows for each of some vectors, eight lanes each.
template <int Rows, int Vectors>
using Sums = Eight[Rows][Vectors];

/// Sums over a unit of code times activation: four products a lane. Rows take turns, so that the steps of one
/// fill what the other's wait for their operands.
template <int Bits, int Offset, int Rows, int Vectors>
HWY_INLINE void multiply_codes(const Codes (&codes)[Rows], const float* x, std::int64_t stride,
                               Sums<Rows, Vectors>& sums) {
  const hn::FixedTag<std::uint32_t, 8> words;
  const auto exponents = hn::Set(Pairs16(), 0x4B00);
  const bool repeated = mutant("dense.gemv.second_half_repeated");
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
    hn::Vec<decltype(words)> pairs[Rows];
    for (int row = 0; row < Rows; ++row) {
      const auto two_codes = hn::BitCast(Pairs16(), codes[row]);
      pairs[row] =
          hn::BitCast(words, half == 0 || repeated ? hn::InterleaveLower(Pairs16(), two_codes, exponents)
                                                   : hn::InterleaveUpper(Pairs16(), two_codes, exponents));
    }
    Eight values[2][Rows];
    for (int row = 0; row < Rows; ++row) values[0][row] = values_of<Bits, Offset, 0>(pairs[row]);
    for (int row = 0; row < Rows; ++row) values[1][row] = values_of<Bits, Offset, 1>(pairs[row]);
#pragma GCC unroll 2
    for (int which = 0; which < 2; ++which)
      for (int vector = 0; vector < Vectors; ++vector) {
        const Eight of_x = hn::Load(Floats8(), x + vector * stride + 16 * half + 8 * which);
        for (int row = 0; row < Rows; ++row)
          sums[row][vector] = half + which == 0 ? hn::Mul(values[which][row], of_x)
                                                : hn::MulAdd(values[which][row], of_x, sums[row][vector]);
      }
  }
}

template <BlockFormat Format, int Part, int Rows, int Vectors>
HWY_INLINE void add_unit(const Coded<Format> (&coded)[Rows], const float* x, std::int64_t stride,
                         Sums<Rows, Vectors>& totals) {
  using Of = Coded<Format>;
  Codes codes[Rows];
  for (int row = 0; row < Rows; ++row) codes[row] = coded[row].template codes<Part>();
  Sums<Rows, Vectors> sums;
  multiply_codes<Of::bits, Of::offset, Rows, Vectors>(codes, x, stride, sums);
  for (int row = 0; row < Rows; ++row) {
    const Eight scale = coded[row].template scale<Part>();
    for (int vector = 0; vector < Vectors; ++vector)
      totals[row][vector] = hn::MulAdd(sums[row][vector], scale, totals[row][vector]);
  }
}

/// One block of each row, in its parts of 32.
template <BlockFormat Format, int Rows, int Vectors, int... Row, int... Part>
HWY_INLINE void add_block(const std::uint8_t* const (&from)[Rows], std::int64_t block,
                          const Arranged& arranged, Sums<Rows, Vectors>& totals,
                          std::integer_sequence<int, Row...>, std::integer_sequence<int, Part...>) {
  constexpr BlockLayout layout = layout_of(Format);
  constexpr int width = Coded<Format>::minimum_width;
  const Coded<Format> coded[Rows] = {Coded<Format>{from[Row] + block * layout.bytes}...};
  const float* const x = arranged.x + block * layout.length;
  (add_unit<Format, Part, Rows, Vectors>(coded, x + 32 * Part, arranged.stride, totals), ...);
  if constexpr (width > 0)
    for (int vector = 0; vector < Vectors; ++vector)
      for (int row = 0; row < Rows; ++row)
        totals[row][vector] =
            coded[row].with_minima(totals[row][vector], arranged.sums + vector * arranged.sums_stride +
                                                            block * (layout.length / width));
}

/// totals += products of blocks that lie side by side, of some rows, with the activations of each vector.
template <BlockFormat Format, int Rows, int Vectors>
HWY_INLINE void add_blocks(const std::uint8_t* const (&from)[Rows], std::int64_t count,
                           const Arranged& arranged, Sums<Rows, Vectors>& totals) {
  for (std::int64_t block = 0; block < count; ++block) {
    add_block<Format, Rows, Vectors>(from, block, arranged, totals, std::make_integer_sequence<int, Rows>(),
                                     std::make_integer_sequence<int, layout_of(Format).length / 32>());
  }
}

}  // namespace assay::kernels::products::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif  // per target
