// dense.gemv on CUDA. The weights are read once, so bytes in flight are what counts; the sums are left to the
// tensor cores, which take eight columns of activations as readily as one, and 16 x 16 weights by one
// instruction where multiprocessors have no four instructions to spare for each weight of four bits.
//
// A row is cut into 16 slices of whole blocks, the same for any number of rows. A warp has a slice of 16
// rows: it brings parts of them through its own stages of shared memory (fragments/stages), a few ahead of
// what it decodes (fragments/codes), and needs no other warp until the slices of a row are joined. Blocks of
// 16 warps, one a multiprocessor, go from rows to rows, and stages are filled across that border.
//
// Activations are cut into columns of bfloat16 (fragments/activations) and stay in shared memory while a
// block lives. Where they do not fit, 2, 4 or 8 blocks in a cluster share out the slices and take as many
// times the rows: a block then needs that part of the activations that its slices meet. Who has a slice does
// not change a bit. What does not fit even so (columns beyond 100,000) goes by the products one after the
// other (fragments/literal), and so does a result that came out infinite or NaN.
#include <cooperative_groups.h>

#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/clusters/available.cuh"
#include "kernels/dense/gemv.hpp"
#include "kernels/fragments/activations.cuh"
#include "kernels/fragments/literal.cuh"
#include "kernels/fragments/plan.cuh"

namespace assay::kernels::dense {

namespace {

namespace cg = cooperative_groups;
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

/// The results of 16 rows from those of the slices: (slice, tensor column, sums_pitch).
template <BlockFormat Format>
__device__ void join_slices(const Product& product, const float* joined, std::int64_t tile,
                            const Faults& faults) {
  const int parts = product.x.parts(), columns = product.x.tensor_columns();
  const int items = product.x.batch * tile_rows;
  for (int item = static_cast<int>(threadIdx.x); item < (items + 31) / 32 * 32; item += warps * 32) {
    const int row_of_tile = item % tile_rows, vector = min(item / tile_rows, product.x.batch - 1);
    const std::int64_t row = tile * tile_rows + row_of_tile;
    const bool valid = item < items && row < product.rows.count;
    float result = 0;
    for (int part = 0; part < parts; ++part) {
      const int column = (faults.first_vector_for_all ? 0 : vector) * parts + part;
      float sum = 0;
#pragma unroll
      for (int slice = 0; slice < slices; ++slice) {
        if (faults.lost_slice && slice == slices - 1) continue;
        sum += joined[(slice * columns + column) * sums_pitch + row_of_tile];
      }
      result += sum;
    }
    finish<Format>(product, result, row, vector, valid, faults);
  }
}

template <BlockFormat Format, int Tiles>
__global__ void __launch_bounds__(warps * 32, 1)
    gemv_tiles(__grid_constant__ const Product product, const Plan plan, const Faults faults) {
  using Kind = Shape<Format>;
  constexpr int ahead = stage_count<Format> - 1;
  extern __shared__ uint4 room[];
  auto* const memory = reinterpret_cast<std::uint8_t*>(room);
  auto* const sums = reinterpret_cast<float*>(memory + plan.sums_at);
  auto* const joined = reinterpret_cast<float*>(memory + plan.joined_at);
  const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
  const int rank = static_cast<int>(blockIdx.x) % plan.blocks;
  const int clusters = static_cast<int>(gridDim.x) / plan.blocks;
  const int block_slices = slices / plan.blocks;
  const int slice_of_block = warp / plan.blocks, tile_of_round = warp % plan.blocks;
  const int slice_number = rank * block_slices + slice_of_block;
  const int first_of_block = rank * block_slices * plan.slice_units;
  const int first_unit = slice_number * plan.slice_units;

  Slice<Format> slice;
  slice.rows = product.rows;
  slice.first_unit = first_unit;
  slice.units = max(0, min(plan.slice_units, plan.units - first_unit));
  slice.stages = memory + plan.stages_at + warp * stage_count<Format> * tile_rows * Kind::pitch;
  slice.g = lane / 4;
  slice.t = lane % 4;
  const int t = slice.t;
  const int stage_total = slice.stage_total();
  const std::int64_t tiles = (product.rows.count + tile_rows - 1) / tile_rows;

  // Rounds of `blocks` tiles; a warp without a slice or without rows brings nothing and joins in with zeros.
  Walk next{std::int64_t{static_cast<int>(blockIdx.x) / plan.blocks} * plan.blocks + tile_of_round};
  int next_slot = 0;
  const std::int64_t step = std::int64_t{clusters} * plan.blocks;
  const auto fetch = [&] {
    if (stage_total > 0 && next.tile < tiles) {
      slice.bring_stage(next, next_slot, faults);
      next_slot = next_slot + 1 == stage_count<Format> ? 0 : next_slot + 1;
      if (++next.stage == stage_total) next = {next.tile + step, 0};
    }
    __pipeline_commit();
  };
#pragma unroll
  for (int i = 0; i < ahead; ++i) fetch();

  const int units_here = max(0, min(plan.block_units, plan.units - first_of_block));
  if (units_here > 0)
    prepare<Format>(product.x, first_of_block, units_here, room, sums, Tiles * 8,
                    faults.activation_part_lost);
  __syncthreads();

  const int tensor_columns = product.x.tensor_columns();
  Columns<Tiles> columns;
#pragma unroll
  for (int tile = 0; tile < Tiles; ++tile)  // results of columns that are not there are left alone
    columns.pairs[tile] = room + min(tile * 8 + slice.g, tensor_columns - 1) * 4 + t;
  columns.sums = sums + 2 * t;
  columns.pairs_step = tensor_columns * 4;
  columns.sums_step = Tiles * 8 * (Kind::sixteenths ? 2 : 1);
  columns.t = t;

  int slot = 0;
  for (std::int64_t round = static_cast<int>(blockIdx.x) / plan.blocks; round * plan.blocks < tiles;
       round += clusters) {
    const std::int64_t tile = round * plan.blocks + tile_of_round;
    Totals<Tiles> totals = {};
    for (int stage = 0; stage < (tile < tiles ? stage_total : 0); ++stage) {
      __pipeline_wait_prior(ahead - 1);
      __syncwarp();
      const Walk walk{tile, stage};
      const int held = faults.stale_stage ? (slot + 1) % stage_count<Format> : slot;
      std::uint8_t* const bytes[2] = {slice.bytes_at(walk, held, slice.g),
                                      slice.bytes_at(walk, held, slice.g + 8)};
      const int left = slice.units - stage * Kind::stage_units;
      const int units = min(left, Kind::stage_units) - (faults.lost_unit && left < Kind::stage_units ? 1 : 0);
      if constexpr (Kind::plain) {
        // What stands behind the end of a row is whatever: 0 times it may be NaN.
        const int end = slice.bytes_of(stage), whole = units * (Kind::stage_bytes / Kind::stage_units);
        if (end < whole && !faults.tail_not_cleared) {
          for (int at = end + t; at < whole; at += 4) bytes[0][at] = bytes[1][at] = 0;
          __syncwarp();
        }
      }
      fetch();  // into the stage that was used last
      add_units<Format>(totals, bytes, columns, first_unit - first_of_block + stage * Kind::stage_units,
                        units, faults);
      slot = slot + 1 == stage_count<Format> ? 0 : slot + 1;
    }

    // The block that has the rows of this tile to finish gets the slices' totals.
    float* to = joined;
#if __CUDA_ARCH__ >= 900
    if (plan.blocks > 1) {
      const cg::cluster_group cluster = cg::this_cluster();
      cluster.sync();  // what the last round left there has been read
      to = cluster.map_shared_rank(joined, static_cast<unsigned>(tile_of_round));
    } else
#endif
      __syncthreads();
#pragma unroll
    for (int n = 0; n < Tiles; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int column = n * 8 + 2 * t + i % 2;
        if (column < tensor_columns)
          to[(slice_number * tensor_columns + column) * sums_pitch + slice.g + i / 2 * 8] = totals.of[n][i];
      }
    if (!faults.missing_barrier) {
#if __CUDA_ARCH__ >= 900
      if (plan.blocks > 1)
        cg::this_cluster().sync();
      else
#endif
        __syncthreads();
    }
    join_slices<Format>(product, joined, round * plan.blocks + rank, faults);
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
  int cluster = 1;       ///< blocks
};

Limits limits_of_device() {
  Limits made;
  int device = 0;
  detail::check(cudaGetDevice(&device), "cudaGetDevice");
  detail::check(cudaDeviceGetAttribute(&made.multiprocessors, cudaDevAttrMultiProcessorCount, device),
                "cudaDeviceGetAttribute");
  detail::check(cudaDeviceGetAttribute(&made.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
                "cudaDeviceGetAttribute");
  made.cluster = clusters::available() ? 8 : 1;
  return made;
}

template <BlockFormat Format, int Tiles>
void launch(cudaStream_t stream, const Product& product, const Plan& plan, const Limits& limits) {
  const auto kernel = gemv_tiles<Format, Tiles>;
  detail::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, plan.bytes),
                "cudaFuncSetAttribute");
  const std::int64_t rounds =
      (product.rows.count + std::int64_t{plan.blocks} * tile_rows - 1) / (plan.blocks * tile_rows);
  // Clusters of 4 and 8 leave over what a group of multiprocessors has beyond 16.
  const int usable = plan.blocks > 2 ? limits.multiprocessors / 16 * 16 : limits.multiprocessors;
  const int at_once = std::max(1, usable / plan.blocks);
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {static_cast<unsigned>(plan.blocks), 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(std::min<std::int64_t>(rounds, at_once) * plan.blocks));
  config.blockDim = dim3(warps * 32);
  config.dynamicSmemBytes = static_cast<std::size_t>(plan.bytes);
  config.stream = stream;
  config.attrs = &cluster;
  config.numAttrs = plan.blocks > 1 ? 1 : 0;
  detail::check(cudaLaunchKernelEx(&config, kernel, product, plan, selected_faults()), "dense.gemv: launch");
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

template <BlockFormat Format>
void multiply(cudaStream_t stream, const GemvCall& call, const Limits& limits) {
  const auto fits = [&](int batch) {
    const int columns = product_of(call, 0, batch).x.tensor_columns();
    Plan plan{};
    for (int blocks = 1; blocks <= limits.cluster && plan.bytes == 0; blocks *= 2)
      plan = plan_for<Format>(call.columns, columns, blocks);
    if (plan.bytes > limits.shared_bytes) plan = {};
    return plan;
  };
  if (call.columns == 0 || call.columns > (1 << 24) || fits(1).bytes == 0) {
    const Product product = product_of(call, 0, call.batch);
    const std::int64_t blocks = (call.rows * call.batch + 7) / 8;
    gemv_literal<Format><<<static_cast<unsigned>(std::min<std::int64_t>(blocks, 1 << 30)), 256, 0, stream>>>(
        product, selected_faults());
    detail::check(cudaGetLastError(), "dense.gemv: launch");
    return;
  }
  // As many vectors at once as find room; more of them read the weights once more.
  for (int first = 0; first < call.batch;) {
    int batch = call.batch - first;
    while (fits(batch).bytes == 0) --batch;
    const Plan plan = fits(batch);
    const Product product = product_of(call, first, batch);
    const int tiles = (product.x.tensor_columns() + 7) / 8;
    if (tiles == 1) launch<Format, 1>(stream, product, plan, limits);
    if (tiles == 2) launch<Format, 2>(stream, product, plan, limits);
    if (tiles == 3) launch<Format, 3>(stream, product, plan, limits);
    first += batch;
  }
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
