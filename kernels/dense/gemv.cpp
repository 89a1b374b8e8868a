// dense.gemv on the CPU. Of four rows at a time 256 columns are decoded into the first cache
// (kernels/blocks) and multiplied with each vector, of which a load then serves four rows; groups of rows go
// to the workers. The columns of a row are added in the same order whatever the rows beside it are.
#include "kernels/dense/gemv.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/gemv.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
// Highway's own headers come after it.
#include "hwy/highway.h"

#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/tensors/half.hpp"
#include "kernels/blocks/decode_inl.hpp"
#include "kernels/blocks/dispatch.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::dense::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Floats>;

constexpr int group_rows = gemv_group_rows;
constexpr std::int64_t piece_columns = 256;
constexpr int most_vectors = 8;

/// Weights of `group_rows` rows, 0 from the last column up to a whole vector.
struct Piece {
  alignas(64) float rows[group_rows][piece_columns];
  alignas(64) float x[piece_columns];  ///< activations of a piece that is no whole vectors
};

/// What is added up of a group of rows: a vector of lanes each.
struct Totals {
  alignas(64) float lanes[most_vectors][group_rows][16];
};

/// totals += weights * x, each of the rows in two running sums. `count` fills whole vectors.
void add_products(const Piece& piece, const float* x, std::int64_t count, float (&totals)[group_rows][16]) {
  const Floats floats;
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
  for (int row = 0; row < group_rows; ++row) {
    Vector sum = mutant("dense.gemv.second_sum_lost") ? sums[row][0] : hn::Add(sums[row][0], sums[row][1]);
    if (mutant("dense.gemv.sixteen_bit_sums")) {
      alignas(64) float narrowed[16];
      hn::Store(sum, floats, narrowed);
      for (std::int64_t lane = 0; lane < lanes; ++lane)
        narrowed[lane] = to_float(to_bfloat16(narrowed[lane]));
      sum = hn::Load(floats, narrowed);
    }
    hn::Store(hn::Add(hn::Load(floats, totals[row]), sum), floats, totals[row]);
  }
}

/// Rows [first, first + count) of a call, at most group_rows. `x`: (batch, columns), x_stride apart.
template <BlockFormat Format>
void multiply_group(const GemvCall& call, const float* x, std::int64_t x_stride, std::int64_t first,
                    int count) {
  constexpr BlockLayout layout = layout_of(Format);
  const Floats floats;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(floats));
  Piece piece = {};
  Totals totals = {};
  for (std::int64_t column = 0; column < call.columns; column += piece_columns) {
    if (mutant("dense.gemv.second_piece_lost") && column == piece_columns) continue;
    const std::int64_t here = std::min(piece_columns, call.columns - column);
    const std::int64_t whole = here / lanes * lanes;
    const std::int64_t filled = whole == here || mutant("dense.gemv.unhandled_tail") ? whole : whole + lanes;
    for (int row = 0; row < count; ++row) {
      const std::uint8_t* const from =
          call.weights + (first + row) * call.weights_stride + column / layout.length * layout.bytes;
      blocks::HWY_NAMESPACE::decode<Format, false>(from, here / layout.length, piece.rows[row]);
      std::fill(piece.rows[row] + here, piece.rows[row] + std::max(here, filled), 0.0f);
    }
    for (int vector = 0; vector < call.batch; ++vector) {
      const float* of_vector =
          x + (mutant("dense.gemv.first_vector_for_all") ? 0 : vector) * x_stride + column;
      if (filled > here) {
        std::copy(of_vector, of_vector + here, piece.x);
        std::fill(piece.x + here, piece.x + filled, 0.0f);
        of_vector = piece.x;
      }
      add_products(piece, of_vector, filled, totals.lanes[vector]);
    }
  }
  for (int vector = 0; vector < call.batch; ++vector)
    for (int row = 0; row < count; ++row) {
      float* const to = call.y + vector * call.rows + first + row;
      *to = hn::GetLane(hn::SumOfLanes(floats, hn::Load(floats, totals.lanes[vector][row])));
      if (mutant("dense.gemv.lane_lost")) *to -= totals.lanes[vector][row][lanes - 1];
      if (call.bias != nullptr && !mutant("dense.gemv.bias_missing"))
        *to += call.bias[mutant("dense.gemv.bias_of_first_row") ? 0 : first + row];
    }
}

void multiply_groups(const GemvCall& call, const float* x, std::int64_t x_stride, std::int64_t begin,
                     std::int64_t end) {
  blocks::with_format(call.format, [&](auto tag) {
    for (std::int64_t group = begin; group < end; ++group) {
      const std::int64_t first = group * group_rows;
      const auto count = static_cast<int>(std::min<std::int64_t>(group_rows, call.rows - first));
      multiply_group<decltype(tag)::value>(call, x, x_stride, first, count);
    }
  });
}

}  // namespace assay::kernels::dense::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::dense {

HWY_EXPORT(multiply_groups);

void gemv_cpu(ThreadPool& pool, const GemvCall& given, float* widened) {
  GemvCall call = given;
  if (mutant("dense.gemv.ignored_row_stride")) call.weights_stride = call.bytes_of_row();
  const float* x = reinterpret_cast<const float*>(call.x);
  std::int64_t x_stride = mutant("dense.gemv.ignored_vector_stride") ? call.columns : call.x_stride;
  if (call.x_type == DType::f16) {
    const auto* halves = reinterpret_cast<const Half*>(call.x);
    for (int vector = 0; vector < call.batch; ++vector)
      for (std::int64_t column = 0; column < call.columns; ++column)
        widened[vector * call.columns + column] = to_float(halves[vector * x_stride + column]);
    x = widened;
    x_stride = call.columns;
  }
  constexpr std::int64_t elements_of_chunk = 65536;  // less is not worth waking a worker for
  constexpr std::int64_t group_rows = gemv_group_rows;
  const std::int64_t groups = (call.rows + group_rows - 1) / group_rows;
  const std::int64_t grain =
      std::max<std::int64_t>(1, elements_of_chunk / (group_rows * std::max<std::int64_t>(1, call.columns)));
  pool.parallel_for(groups, grain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    if (mutant("dense.gemv.rows_begin_again")) {
      begin = 0;
      end = std::min(groups, grain);
    }
    HWY_DYNAMIC_DISPATCH(multiply_groups)(call, x, x_stride, begin, end);
  });
}

}  // namespace assay::kernels::dense
#endif
