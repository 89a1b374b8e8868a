// dense.gemv on the CPU. Weights stay in registers from their bytes to the sum: codes become floats and are
// multiplied with activations that were put into their order once a call (kernels/products), minima are
// multiplied with sums of activations. Pieces of 1024 columns of four rows in turn, so that the piece of the
// activations stays in the first cache, and what comes next of each row is asked for meanwhile. Groups of
// rows go to the workers. The columns of a row are added in the same order whatever rows and vectors are
// beside it.
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

/// Sums of a group of rows, eight lanes each.
struct Totals {
  alignas(32) float lanes[gemv_most_vectors][gemv_group_rows][8];
};

/// Columns [column, column + count) of a row of blocks and of the row below: how a piece is told.
struct Piece {
  const std::uint8_t* rows[2];
  std::int64_t column, count;
  std::int64_t ahead;  ///< of its bytes to those that are read next in its place
};

/// totals += products of a piece with `Vectors` vectors from `first_vector` on, of rows `first_row` and the
/// next.
template <BlockFormat Format, int Vectors>
void add_piece(const Piece& piece, const Activations& x, int first_vector, int first_row, Totals& totals) {
  using simd::Floats8;
  constexpr int length = layout_of(Format).length;
  simd::Eight sums[2][Vectors];
  for (auto& of_row : sums)
    for (simd::Eight& sum : of_row) sum = hn::Zero(Floats8());
  if constexpr (length == 1) {
    simd::add_elements<Format, Vectors>(piece.rows[0], piece.rows[1], piece.count, piece.ahead,
                                        x.widened_of(first_vector) + piece.column, x.stride, sums);
  } else {
    constexpr int width = simd::Coded<Format>::minimum_width;
    simd::Arranged arranged{x.arranged_of(first_vector) + piece.column, x.columns, nullptr, 0};
    if constexpr (width > 0) {
      arranged.sums = x.sums_of(first_vector, width) + piece.column / width;
      arranged.sums_stride = x.columns / width;
    }
    simd::add_blocks<Format, 2, Vectors>(piece.rows, piece.count / length, piece.ahead, arranged, sums);
  }
  for (int row = 0; row < 2; ++row)
    for (int vector = 0; vector < Vectors; ++vector) {
      float* const to = totals.lanes[first_vector + vector][first_row + row];
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

/// Rows [first, first + count) of a call, at most gemv_group_rows.
template <BlockFormat Format>
void multiply_group(const GemvCall& call, const Activations& x, std::int64_t first, int count) {
  constexpr BlockLayout layout = layout_of(Format);
  Totals totals = {};
  for (std::int64_t column = 0; column < call.columns; column += piece_columns) {
    if (mutant("dense.gemv.second_piece_lost") && column == piece_columns) continue;
    const std::int64_t offset = column / layout.length * layout.bytes;
    const bool is_last = column + piece_columns >= call.columns;
    for (int row = 0; row < count; row += 2) {
      const std::uint8_t* const from = call.weights + (first + row) * call.weights_stride + offset;
      // A last row without another is its own neighbour, whose sums nobody asks for. Behind a row's end the
      // row is asked for that takes its place.
      const Piece piece{{from, row + 1 < count ? from + call.weights_stride : from},
                        column,
                        std::min(piece_columns, call.columns - column),
                        is_last ? gemv_group_rows * call.weights_stride - offset
                                : piece_columns / layout.length * layout.bytes};
      int vector = 0;
      for (; vector + 2 <= call.batch; vector += 2) add_piece<Format, 2>(piece, x, vector, row, totals);
      if (vector < call.batch) add_piece<Format, 1>(piece, x, vector, row, totals);
    }
  }
  for (int vector = 0; vector < call.batch; ++vector)
    for (int row = 0; row < count; ++row) {
      const float* const lanes = totals.lanes[vector][row];
      float sum = hn::GetLane(hn::SumOfLanes(simd::Floats8(), hn::Load(simd::Floats8(), lanes)));
      if (mutant("dense.gemv.lane_lost")) sum -= lanes[7];
      if (std::isfinite(sum) || layout.length == 1 || mutant("dense.gemv.infinity_left"))
        products::put_result(call, vector, first + row, sum);
      else
        simd::multiply_decoded<Format>(call, x.widened, x.stride, first + row, 1, vector, 1);
    }
}

#else

template <BlockFormat Format>
void multiply_group(const GemvCall& call, const Activations& x, std::int64_t first, int count) {
  simd::multiply_decoded<Format>(call, x.widened, x.stride, first, count, 0, call.batch);
}
#endif

void multiply_groups(const GemvCall& call, const Activations& x, std::int64_t begin, std::int64_t end) {
  blocks::with_format(call.format, [&](auto tag) {
    for (std::int64_t group = begin; group < end; ++group) {
      const std::int64_t first = group * gemv_group_rows;
      const auto count = static_cast<int>(std::min<std::int64_t>(gemv_group_rows, call.rows - first));
      multiply_group<decltype(tag)::value>(call, x, first, count);
    }
  });
}

Activations prepare(const GemvCall& call, float* scratch) {
  return simd::prepare(call, scratch);
}

}  // namespace assay::kernels::dense::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::dense {

HWY_EXPORT(prepare);
HWY_EXPORT(multiply_groups);

void gemv_cpu(ThreadPool& pool, const GemvCall& given, float* scratch) {
  GemvCall call = given;
  if (mutant("dense.gemv.ignored_row_stride")) call.weights_stride = call.bytes_of_row();
  if (mutant("dense.gemv.ignored_vector_stride")) call.x_stride = call.columns;
  const products::Activations x = HWY_DYNAMIC_DISPATCH(prepare)(call, scratch);
  constexpr std::int64_t elements_of_chunk = 65536;  // less is not worth waking a worker for
  const std::int64_t groups = (call.rows + gemv_group_rows - 1) / gemv_group_rows;
  const std::int64_t grain = std::max<std::int64_t>(
      1, elements_of_chunk / (gemv_group_rows * std::max<std::int64_t>(1, call.columns)));
  pool.parallel_for(groups, grain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    if (mutant("dense.gemv.rows_begin_again")) {
      begin = 0;
      end = std::min(groups, grain);
    }
    HWY_DYNAMIC_DISPATCH(multiply_groups)(call, x, begin, end);
  });
}

}  // namespace assay::kernels::dense
#endif
