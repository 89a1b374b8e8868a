// dense.gemv on CUDA. The weights are read once, so bytes in flight are what counts; the sums are left to the
// tensor cores, because multiprocessors have no four instructions to spare for each weight of four bits.
//
// A warp multiplies 16 rows at a time with stages of columns (fragments/units says how they reach the tensor
// cores). It brings them through a ring of its own in shared memory, up to three ahead of what it multiplies,
// and needs no other warp until results are joined. A row is cut into 16 slices of whole stages at most, the
// same for any number of rows: warps take slice after slice of the rows of their block, and whoever has a
// slice does not change a bit. Slices are added in their order, a group of tiles at a time, while the next
// group's stages are on their way.
//
// f16 activations are taken as they are, f32 ones as three columns of bfloat16 each (fragments/activations);
// they stay in shared memory while a block lives. Where they do not fit, runs of slices go one after the
// other, each from the results that the run before left; more vectors than eight (f16) or two (f32) read the
// weights once more. What does not fit even so goes by the products one after the other (fragments/literal),
// and so does a result that came out infinite or NaN.
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/dense/gemv.hpp"
#include "kernels/fragments/literal.cuh"
#include "kernels/fragments/plan.cuh"
#include "kernels/fragments/slices.cuh"

namespace assay::kernels::dense {

namespace {

using namespace fragments;

struct Product {
  Rows rows;
  Activations x;
  const float* bias;  ///< nullptr: none
  float* y;           ///< (batch, rows)
};

/// A result that is not finite is computed again as IEEE 754 has it, by all lanes of the warp, one after the
/// other; then the bias is added and all are written. `valid`: this lane has a result.
template <BlockFormat Format>
__device__ void finish(const Product& product, float result, std::int64_t row, int vector, bool valid,
                       const Faults& faults) {
  unsigned left = __ballot_sync(0xFFFFFFFFu, valid && !isfinite(result) && !faults.infinity_left);
  while (left != 0) {
    const int lane = __ffs(left) - 1;
    left &= left - 1;
    const auto of_row =
        static_cast<std::int64_t>(__shfl_sync(0xFFFFFFFFu, static_cast<long long>(row), lane));
    const int of_vector = __shfl_sync(0xFFFFFFFFu, vector, lane);
    const float again = literal_product<Format>(product.rows.at(of_row), product.x, of_vector);
    if (static_cast<int>(threadIdx.x % 32) == lane) result = again;
  }
  if (!valid) return;
  if (product.bias != nullptr && !faults.bias_missing) result += product.bias[row];
  product.y[vector * product.rows.count + row] = result;
}

/// Tile `tile` of those that a block has: one of every block in turn.
__device__ inline std::int64_t tile_of_block(int tile) {
  return blockIdx.x + std::int64_t{tile} * gridDim.x;
}

/// The results of tiles [first, end) of the block from those of the slices: (tile, slice, vector, row).
template <BlockFormat Format>
__device__ void join_slices(const Product& product, const Plan& plan, const float* of_slices, int first,
                            int end, const Faults& faults) {
  const int batch = product.x.batch, items = (end - first) * batch * tile_rows;
  for (int item = static_cast<int>(threadIdx.x); item < (items + 31) / 32 * 32;
       item += static_cast<int>(blockDim.x)) {
    const int tile = min(item / (batch * tile_rows), end - first - 1);
    const int vector = item / tile_rows % batch, row_of_tile = item % tile_rows;
    const std::int64_t row = tile_of_block(first + tile) * tile_rows + row_of_tile;
    const bool valid = item < items && row < product.rows.count;
    const std::int64_t place = vector * product.rows.count + row;
    float result = valid && !plan.first && !faults.run_begins_again ? product.y[place] : 0.0f;
    const float* from =
        of_slices + (tile * plan.slices * batch + (faults.first_vector_for_all ? 0 : vector)) * tile_rows +
        row_of_tile;
    for (int slice = 0; slice < plan.slices - (faults.lost_slice ? 1 : 0); ++slice)
      result += from[slice * batch * tile_rows];
    if (plan.last)
      finish<Format>(product, result, row, vector, valid, faults);
    else if (valid)
      product.y[place] = result;
  }
}

/// What a warp takes one after the other: stages of the slices of the tiles of its block, in which the warps
/// take turns.
struct Walk {
  int tile, slice, stage = 0;

  __device__ static Walk begin(const Plan& plan) {
    const int warp = static_cast<int>(threadIdx.x) / 32;
    return {warp / plan.slices, warp % plan.slices};
  }
  __device__ void next_slice(const Plan& plan) {
    stage = 0;
    for (slice += static_cast<int>(blockDim.x) / 32; slice >= plan.slices; slice -= plan.slices) ++tile;
  }
  __device__ int stages(const Plan& plan) const {
    return min(plan.slice_stages, plan.stages - slice * plan.slice_stages);
  }
  /// The first of the lane's two rows in the tile; the second is eight further on.
  __device__ std::int64_t row() const { return tile_of_block(tile) * tile_rows + threadIdx.x % 32 / 4; }
  /// Where the slice begins in a row.
  template <BlockFormat Format>
  __device__ std::int64_t begin_bytes(const Plan& plan) const {
    return std::int64_t{plan.first_stage + slice * plan.slice_stages} * Shape<Format>::stage_bytes;
  }
};

/// A warp's spans of stages on their way: brings one after the other into a ring of slots.
template <BlockFormat Format>
struct Bringer {
  Walk walk;
  const std::uint8_t *low, *high;  ///< where the span begins in the lane's rows
  int left;                        ///< bytes to the end of a row; a large number where it is far
  int slot = 0;

  __device__ void begin_slice(const Rows& rows, const Plan& plan) {
    const std::int64_t begin = walk.begin_bytes<Format>(plan);
    low = rows.at(walk.row()) + begin;
    high = rows.at(walk.row() + 8) + begin;
    left = static_cast<int>(min(rows.bytes - begin, std::int64_t{1} << 30));
  }
  __device__ void bring_next(const Rows& rows, const Plan& plan, int tiles, std::uint8_t* ring,
                             const Faults& faults) {
    using Kind = Shape<Format>;
    if (walk.tile < tiles) {
      std::uint8_t* const to = ring + slot * tile_rows * Kind::pitch;
      const int t = static_cast<int>(threadIdx.x) % 4;
      bring<Format>(low, left, to, t, faults);
      bring<Format>(high, left, to + 8 * Kind::pitch, t, faults);
      low += Kind::span_bytes;
      high += Kind::span_bytes;
      left -= Kind::span_bytes;
      slot = slot == plan.ahead ? 0 : slot + 1;
      walk.stage += Kind::span;
      if (walk.stage >= walk.stages(plan)) {
        walk.next_slice(plan);
        begin_slice(rows, plan);
      }
    }
    __pipeline_commit();
  }
};

template <BlockFormat Format, bool Halves, int Tiles>
__global__ void __launch_bounds__(most_warps(Tiles) * 32, 1)
    gemv_tiles(__grid_constant__ const Product product, __grid_constant__ const Plan plan,
               const Faults faults) {
  using Kind = Shape<Format>;
  extern __shared__ uint4 room[];
  auto* const memory = reinterpret_cast<std::uint8_t*>(room);
  auto* const sums = reinterpret_cast<float*>(memory + plan.sums_at);
  auto* const zeros = reinterpret_cast<uint4*>(memory + plan.zeros_at);
  auto* const of_slices = reinterpret_cast<float*>(memory + plan.joined_at);
  const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
  const int g = lane / 4, t = lane % 4;
  constexpr int slot_bytes = tile_rows * Kind::pitch;
  std::uint8_t* const ring = memory + plan.slots_at + warp * (plan.ahead + 1) * slot_bytes + g * Kind::pitch;
  const std::int64_t all_tiles = (product.rows.count + tile_rows - 1) / tile_rows;
  const int tiles = static_cast<int>((all_tiles - blockIdx.x + gridDim.x - 1) / gridDim.x);

  // The activations first, then weights in front of which no warp waits for another.
  const Preparation<Format, Halves> preparation{
      product.x, plan.in_fours, plan.first_stage, plan.stages,
      room,      sums,          2 * Tiles,        faults.activation_part_lost};
  Octets<Halves> read = {};
  if (plan.in_fours) read = preparation.read(0, static_cast<int>(threadIdx.x));
  Bringer<Format> bringer{Walk::begin(plan)};
  bringer.begin_slice(product.rows, plan);
#pragma unroll 1
  for (int i = 0; i < plan.ahead; ++i) {
    bringer.bring_next(product.rows, plan, tiles, ring, faults);
    if (i > 0) continue;
    preparation.finish(read);
    if (threadIdx.x == 0) *zeros = {0, 0, 0, 0};
    __syncthreads();
  }

  const int tensor_columns = product.x.batch * parts_of_x<Halves>;
  Columns<Tiles> columns;
#pragma unroll
  for (int tile = 0; tile < Tiles; ++tile) {
    const int column = 2 * tile + g % 2;
    const bool own = g / 2 == t && column < tensor_columns;
    columns.octets[tile] = own ? room + column * 4 + t : zeros;
    columns.step[tile] = own ? tensor_columns * 4 : 0;
  }
  columns.sums = sums;
  columns.sums_step = 2 * Tiles;
  columns.t = t;

  Walk at = Walk::begin(plan);
  int slot = 0;
  const int of_group = plan.group * plan.slices * product.x.batch * tile_rows;
  for (int group = 0, first = 0; first < tiles; ++group, first += plan.group) {
    const int end = min(tiles, first + plan.group);
    float* const results = of_slices + group % 2 * of_group;
    for (; at.tile < end; at.next_slice(plan)) {
      Totals<Tiles> totals = {};
      const int first_stage = at.slice * plan.slice_stages, stages = at.stages(plan);
      const auto begin = static_cast<unsigned>(at.begin_bytes<Format>(plan));
      unsigned low_at = product.rows.low_bits_at(at.row()) + begin;
      unsigned high_at = product.rows.low_bits_at(at.row() + 8) + begin;
#pragma unroll 1
      for (int span = 0; span < stages; span += Kind::span) {
        wait_for_span(plan.ahead);
        __syncwarp();
        bringer.bring_next(product.rows, plan, tiles, ring, faults);  // into the slot that was used last
        const int held = faults.stale_stage ? (slot == 0 ? plan.ahead : slot - 1) : slot;
        const std::uint8_t* low =
            ring + held * slot_bytes + (faults.skew_ignored ? 0 : low_at % sector_bytes);
        const std::uint8_t* high =
            ring + held * slot_bytes + 8 * Kind::pitch + (faults.skew_ignored ? 0 : high_at % sector_bytes);
        const int end = min(Kind::span, stages - span);
#pragma unroll 1
        for (int stage = 0; stage < end; ++stage) {
          add_stage<Format, Halves, Tiles>(totals, low, high, columns, first_stage + span + stage,
                                           plan.aligned, faults);
          low += Kind::stage_bytes;
          high += Kind::stage_bytes;
        }
        low_at += Kind::span_bytes;
        high_at += Kind::span_bytes;
        slot = slot == plan.ahead ? 0 : slot + 1;
      }
      float* const to =
          results + ((at.tile - first) * plan.slices + at.slice) * product.x.batch * tile_rows + g;
      for (int vector = 0; vector < product.x.batch; ++vector) {
        const float2 two = joined<Halves>(totals, vector, faults);
        if (t < 2) to[vector * tile_rows + 8 * t] = t == 0 ? two.x : two.y;
      }
    }
    if (!faults.missing_barrier) __syncthreads();
    join_slices<Format>(product, plan, results, first, end, faults);
  }
}

/// A warp for each row and vector.
template <BlockFormat Format>
__global__ void __launch_bounds__(256) gemv_literal(const Product product, const Faults faults) {
  const std::int64_t results = product.rows.count * product.x.batch;
  for (std::int64_t at = std::int64_t{blockIdx.x} * 8 + threadIdx.x / 32; at < results;
       at += std::int64_t{gridDim.x} * 8) {
    const std::int64_t row = at % product.rows.count;
    const int vector = static_cast<int>(at / product.rows.count);
    const float result = literal_product<Format>(product.rows.at(row), product.x, vector);
    if (threadIdx.x % 32 == 0) {
      const float bias = product.bias != nullptr && !faults.bias_missing ? product.bias[row] : 0.0f;
      product.y[vector * product.rows.count + row] = product.bias != nullptr ? result + bias : result;
    }
  }
}

/// What the current device allows.
struct Limits {
  int multiprocessors = 0;
  int shared_bytes = 0;  ///< of a block
};

Limits limits_of_device() {
  Limits made;
  int device = 0;
  detail::check(cudaGetDevice(&device), "cudaGetDevice");
  detail::check(cudaDeviceGetAttribute(&made.multiprocessors, cudaDevAttrMultiProcessorCount, device),
                "cudaDeviceGetAttribute");
  detail::check(cudaDeviceGetAttribute(&made.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
                "cudaDeviceGetAttribute");
  return made;
}

template <BlockFormat Format, bool Halves, int Tiles>
void launch(cudaStream_t stream, const Product& product, const Plan& plan, const Limits& limits) {
  const auto kernel = gemv_tiles<Format, Halves, Tiles>;
  detail::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, plan.bytes),
                "cudaFuncSetAttribute");
  const std::int64_t tiles = (product.rows.count + tile_rows - 1) / tile_rows;
  const auto blocks = static_cast<unsigned>(std::min<std::int64_t>(tiles, limits.multiprocessors));
  kernel<<<blocks, plan.warps * 32, static_cast<std::size_t>(plan.bytes), stream>>>(product, plan,
                                                                                    selected_faults());
  detail::check(cudaGetLastError(), "dense.gemv: launch");
}

template <BlockFormat Format>
void launch_literal(cudaStream_t stream, const Product& product) {
  const std::int64_t blocks = (product.rows.count * product.x.batch + 7) / 8;
  gemv_literal<Format><<<static_cast<unsigned>(std::min<std::int64_t>(blocks, 1 << 30)), 256, 0, stream>>>(
      product, selected_faults());
  detail::check(cudaGetLastError(), "dense.gemv: launch");
}

/// Vectors [first, first + batch) of a call.
Product product_of(const GemvCall& call, int first, int batch) {
  const bool halves = call.x_type == DType::f16;
  const std::int64_t size = halves ? 2 : 4;
  return {{call.weights, call.weights_stride, call.rows, call.bytes_of_row()},
          {call.x + first * call.x_stride * size, call.x_stride, call.columns, batch, halves},
          call.bias,
          call.y + first * call.rows};
}

/// Pairs of columns of activations: kernels are compiled for few vectors and for many.
template <bool Halves>
int tiles_for(int batch) {
  if (!Halves) return batch == 1 ? 2 : 4;
  return batch <= 2 ? 1 : 4;
}

template <BlockFormat Format, bool Halves>
void multiply(cudaStream_t stream, const GemvCall& call, const Limits& limits) {
  const Cut cut = cut_of<Format>(call.columns);
  const auto plan_of = [&](const Activations& x, int first, int count) {
    return plan_for<Format, Halves>(cut, x, tiles_for<Halves>(x.batch), first, count, limits.shared_bytes);
  };
  for (int first = 0; first < call.batch;) {
    Product product = product_of(call, first, std::min(call.batch - first, Halves ? 8 : 2));
    while (product.x.batch > 1 && plan_of(product.x, 0, 1).bytes == 0) --product.x.batch;
    first += product.x.batch;
    int fitting = cut.slices;
    while (fitting > 0 && plan_of(product.x, 0, fitting).bytes == 0) --fitting;
    if (fitting == 0) {
      launch_literal<Format>(stream, product);
      continue;
    }
    const int runs = (cut.slices + fitting - 1) / fitting, of_run = (cut.slices + runs - 1) / runs;
    for (int slice = 0; slice < cut.slices; slice += of_run) {
      Plan plan = plan_of(product.x, slice, std::min(of_run, cut.slices - slice));
      plan.aligned = product.rows.aligned<Format>();
      plan.in_fours = product.x.in_fours(Halves);
      const int tiles = tiles_for<Halves>(product.x.batch);
      if (tiles == 4)
        launch<Format, Halves, 4>(stream, product, plan, limits);
      else
        launch<Format, Halves, Halves ? 1 : 2>(stream, product, plan, limits);
    }
  }
}

template <BlockFormat Format>
void multiply(cudaStream_t stream, const GemvCall& call, const Limits& limits) {
  if (call.columns == 0 || call.columns > (std::int64_t{1} << 30))
    return launch_literal<Format>(stream, product_of(call, 0, call.batch));
  if constexpr (Shape<Format>::in_halves)
    if (call.x_type == DType::f16) return multiply<Format, true>(stream, call, limits);
  multiply<Format, false>(stream, call, limits);
}

}  // namespace

void gemv_cuda(CUstream_st* stream, const GemvCall& given) {
  GemvCall call = given;
  if (mutant("dense.gemv.cuda_ignored_row_stride")) call.weights_stride = call.bytes_of_row();
  const Limits limits = limits_of_device();
  kernels::blocks::with_format(call.format,
                               [&](auto tag) { multiply<decltype(tag)::value>(stream, call, limits); });
}

}  // namespace assay::kernels::dense
