// dense.gemv on the CPU. Weights stay in registers from their bytes to the sum: codes become floats and are
// multiplied with activations that were put into their order once a call (kernels/products), minima are
// multiplied with sums of activations. Two rows at a time, whose steps take turns: each fills what the
// other's wait for their operands. Runs of rows go to the workers. The columns of a row are added in the same
// order whatever rows and vectors are beside it, in sums of 1024, for whose activations the first cache has
// room.
//
// A result that comes out infinite or NaN is computed again from decoded weights: of minima apart from their
// codes no sum is right then. Instruction sets with vectors of less than 32 bytes compute all results that
// way.
#include "kernels/dense/gemv.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/gemv.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
// Highway's own headers come after it.
#include "hwy/highway.h"

#include <algorithm>
#include <cmath>

#include "engine/runtime/mutant.hpp"
#include "engine/tensors/half.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/products/activations.hpp"
#include "kernels/products/activations_inl.hpp"
#include "kernels/products/decoded_inl.hpp"
#include "kernels/products/elements_inl.hpp"
#include "kernels/products/result.hpp"
#include "kernels/products/units_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::dense::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace simd = products::HWY_NAMESPACE;
using products::Activations;

#if HWY_CAP_GE256
constexpr std::int64_t piece_columns = 1024;

/// Sums of two rows, eight lanes each.
struct Totals {
  alignas(32) float lanes[gemv_most_vectors][2][8];
};

/// Columns [column, column + count) of two rows.
struct Piece {
  const std::uint8_t* rows[2];
  std::int64_t column, count;
};

/// totals += products of a piece with `Vectors` vectors from `first_vector` on.
template <BlockFormat Format, int Vectors>
void add_piece(const Piece& piece, const Activations& x, int first_vector, Totals& totals) {
  using simd::Floats8;
  constexpr int length = layout_of(Format).length;
  simd::Eight sums[2][Vectors];
  for (auto& of_row : sums)
    for (simd::Eight& sum : of_row) sum = hn::Zero(Floats8());
  if constexpr (length == 1) {
    simd::add_elements<Format, Vectors>(piece.rows[0], piece.rows[1], piece.count,
                                        x.widened_of(first_vector) + piece.column, x.stride, sums);
  } else {
    constexpr int width = simd::Coded<Format>::minimum_width;
    simd::Arranged arranged{x.arranged_of(first_vector) + piece.column, x.columns, nullptr, 0};
    if constexpr (width > 0) {
      arranged.sums = x.sums_of(first_vector, width) + piece.column / width;
      arranged.sums_stride = x.columns / width;
    }
    simd::add_blocks<Format, 2, Vectors>(piece.rows, piece.count / length, arranged, sums);
  }
  for (int row = 0; row < 2; ++row)
    for (int vector = 0; vector < Vectors; ++vector) {
      float* const to = totals.lanes[first_vector + vector][row];
      simd::Eight sum = sums[row][vector];
      if (mutant("dense.gemv.sixteen_bit_sums")) {
        alignas(32) float narrowed[8];
        hn::Store(sum, Floats8(), narrowed);
        for (float& lane : narrowed) lane = to_float(to_bfloat16(lane));
        sum = hn::Load(Floats8(), narrowed);
      }
      hn::Store(hn::Add(hn::Load(Floats8(), to), sum), Floats8(), to);
    }
}

/// Two rows of a call, or one twice.
template <BlockFormat Format>
void multiply_pair(const GemvCall& call, const Activations& x, std::int64_t first, std::int64_t second) {
  constexpr BlockLayout layout = layout_of(Format);
  const std::uint8_t* const from[2] = {call.weights + first * call.weights_stride,
                                       call.weights + second * call.weights_stride};
  Totals totals = {};
  for (std::int64_t column = 0; column < call.columns; column += piece_columns) {
    if (mutant("dense.gemv.second_piece_lost") && column == piece_columns) continue;
    const std::int64_t offset = column / layout.length * layout.bytes;
    const Piece piece{
        {from[0] + offset, from[1] + offset}, column, std::min(piece_columns, call.columns - column)};
    int vector = 0;
    for (; vector + 2 <= call.batch; vector += 2) add_piece<Format, 2>(piece, x, vector, totals);
    if (vector < call.batch) add_piece<Format, 1>(piece, x, vector, totals);
  }
  for (int vector = 0; vector < call.batch; ++vector)
    for (int which = 0; which < (first == second ? 1 : 2); ++which) {
      const std::int64_t row = which == 0 ? first : second;
      const float* const lanes = totals.lanes[vector][which];
      float sum = hn::GetLane(hn::SumOfLanes(simd::Floats8(), hn::Load(simd::Floats8(), lanes)));
      if (mutant("dense.gemv.lane_lost")) sum -= lanes[7];
      if (std::isfinite(sum) || layout.length == 1 || mutant("dense.gemv.infinity_left"))
        products::put_result(call, vector, row, sum);
      else
        simd::multiply_decoded<Format>(call, x.widened, x.stride, row, 1, vector, 1);
    }
}

/// Rows [begin, end) of a call. Each of the two that are taken at once goes on where the last one of its kind
/// ended: two long runs of memory are fetched ahead of their use, rows that take turns are not.
template <BlockFormat Format>
void multiply_rows(const GemvCall& call, const Activations& x, std::int64_t begin, std::int64_t end) {
  const std::int64_t half = (end - begin + 1) / 2;
  for (std::int64_t row = begin; row < begin + half; ++row)
    multiply_pair<Format>(call, x, row, row + half < end ? row + half : row);
}

#else

template <BlockFormat Format>
void multiply_rows(const GemvCall& call, const Activations& x, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; row += gemv_group_rows)
    simd::multiply_decoded<Format>(call, x.widened, x.stride, row,
                                   static_cast<int>(std::min<std::int64_t>(gemv_group_rows, end - row)), 0,
                                   call.batch);
}
#endif

void multiply(const GemvCall& call, const Activations& x, std::int64_t begin, std::int64_t end) {
  blocks::with_format(call.format, [&](auto tag) { multiply_rows<tag()>(call, x, begin, end); });
}

Activations prepare(const GemvCall& call, float* scratch) {
  return simd::prepare(call, scratch);
}

}  // namespace assay::kernels::dense::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::dense {

HWY_EXPORT(prepare);
HWY_EXPORT(multiply);

void gemv_cpu(ThreadPool& pool, const GemvCall& given, float* scratch) {
  GemvCall call = given;
  if (mutant("dense.gemv.ignored_row_stride")) call.weights_stride = call.bytes_of_row();
  if (mutant("dense.gemv.ignored_vector_stride")) call.x_stride = call.columns;
  const products::Activations x = HWY_DYNAMIC_DISPATCH(prepare)(call, scratch);
  constexpr std::int64_t elements_of_chunk = 524288;  // two runs that are long enough to be fetched ahead
  const std::int64_t groups = elements_of_chunk / (gemv_group_rows * std::max<std::int64_t>(1, call.columns));
  const std::int64_t grain = gemv_group_rows * std::max<std::int64_t>(1, groups);
  pool.parallel_for(call.rows, grain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    if (mutant("dense.gemv.rows_begin_again")) {
      begin = 0;
      end = std::min(call.rows, grain);
    }
    HWY_DYNAMIC_DISPATCH(multiply)(call, x, begin, end);
  });
}

}  // namespace assay::kernels::dense
#endif
