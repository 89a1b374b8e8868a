// Products by way of memory: of four rows at a time 256 columns are decoded into the first cache
// (kernels/blocks) and multiplied with each vector, of which a load then serves four rows. For the
// instruction sets whose vectors have fewer than 32 bytes, and for results that came out infinite or NaN
// elsewhere: every weight is multiplied as quant.dequantize gives it. Compiled once for every instruction set
// that hwy/foreach_target.h goes through.
#if defined(ASSAY_KERNELS_PRODUCTS_DECODED_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_PRODUCTS_DECODED_INL
#undef ASSAY_KERNELS_PRODUCTS_DECODED_INL
#else
#define ASSAY_KERNELS_PRODUCTS_DECODED_INL
#endif

#include <algorithm>
#include <cstdint>

#include "kernels/blocks/decode_inl.hpp"
#include "kernels/dense/gemv.hpp"
#include "kernels/products/result.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::products::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Weights of some rows, 0 from the last column up to a whole vector.
struct DecodedPiece {
  static constexpr std::int64_t columns = 256;
  alignas(64) float rows[dense::gemv_group_rows][columns];
  alignas(64) float x[columns];  ///< activations of a piece that is no whole vectors
};

/// totals += weights * x, each of the rows in two running sums. `count` fills whole vectors.
inline void add_decoded(const DecodedPiece& piece, const float* x, std::int64_t count,
                        float (&totals)[dense::gemv_group_rows][16]) {
  constexpr int group_rows = dense::gemv_group_rows;
  const hn::CappedTag<float, 16> floats;
  using Vector = hn::Vec<decltype(floats)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  Vector sums[group_rows][2];
  for (auto& of_row : sums) of_row[0] = of_row[1] = hn::Zero(floats);
  std::int64_t at = 0;
  for (; at + 2 * lanes <= count; at += 2 * lanes) {
    const Vector first = hn::LoadU(floats, x + at);
    const Vector second = hn::LoadU(floats, x + at + lanes);
    for (int row = 0; row < group_rows; ++row) {
      sums[row][0] = hn::MulAdd(hn::Load(floats, piece.rows[row] + at), first, sums[row][0]);
      sums[row][1] = hn::MulAdd(hn::Load(floats, piece.rows[row] + at + lanes), second, sums[row][1]);
    }
  }
  if (at < count) {
    const Vector last = hn::LoadU(floats, x + at);
    for (int row = 0; row < group_rows; ++row)
      sums[row][0] = hn::MulAdd(hn::Load(floats, piece.rows[row] + at), last, sums[row][0]);
  }
  for (int row = 0; row < group_rows; ++row)
    hn::Store(hn::Add(hn::Load(floats, totals[row]), hn::Add(sums[row][0], sums[row][1])), floats,
              totals[row]);
}

/// Results of rows [first, first + count), at most a group, for `vectors` vectors from `first_vector` on.
/// x: (batch, columns), x_stride apart
template <BlockFormat Format>
void multiply_decoded(const dense::GemvCall& call, const float* x, std::int64_t x_stride, std::int64_t first,
                      int count, int first_vector, int vectors) {
  constexpr BlockLayout layout = layout_of(Format);
  const hn::CappedTag<float, 16> floats;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  DecodedPiece piece = {};
  alignas(64) float totals[dense::gemv_most_vectors][dense::gemv_group_rows][16] = {};
  for (std::int64_t column = 0; column < call.columns; column += DecodedPiece::columns) {
    const std::int64_t here = std::min(DecodedPiece::columns, call.columns - column);
    const std::int64_t filled = (here + lanes - 1) / lanes * lanes;
    for (int row = 0; row < count; ++row) {
      const std::uint8_t* const from =
          call.weights + (first + row) * call.weights_stride + column / layout.length * layout.bytes;
      blocks::HWY_NAMESPACE::decode<Format, false>(from, here / layout.length, piece.rows[row]);
      std::fill(piece.rows[row] + here, piece.rows[row] + filled, 0.0f);
    }
    for (int vector = 0; vector < vectors; ++vector) {
      const float* of_vector = x + (first_vector + vector) * x_stride + column;
      if (filled > here) {
        std::copy(of_vector, of_vector + here, piece.x);
        std::fill(piece.x + here, piece.x + filled, 0.0f);
        of_vector = piece.x;
      }
      add_decoded(piece, of_vector, filled, totals[vector]);
    }
  }
  for (int vector = 0; vector < vectors; ++vector)
    for (int row = 0; row < count; ++row)
      put_result(call, first_vector + vector, first + row,
                 hn::GetLane(hn::SumOfLanes(floats, hn::Load(floats, totals[vector][row]))));
}

}  // namespace assay::kernels::products::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
