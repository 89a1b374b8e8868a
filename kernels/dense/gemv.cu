// dense.gemv on CUDA. The weights are read once, so bytes in flight are what counts; the sums are left to the
// tensor cores, because multiprocessors have no four instructions to spare for each weight of four bits.
//
// A block takes 16 rows at a time, a tile, and their stages of columns in turn (fragments/units says how
// these reach the tensor cores). Four of its warps bring chunks of eight stages through a ring of slots in
// shared memory, as far ahead as there are slots; sixteen (or eight) multiply, each every sixteenth (eighth)
// stage, from tile to tile without a halt; one joins the partial sums of a tile in their order. They wait for
// each other by barriers that count arrivals, never for all. A row is cut into segments, and each of these
// into 16 partial sums, the same for any number of rows, vectors and warps: whoever adds up does not change a
// bit.
//
// f16 activations are taken as they are, f32 ones as three columns of bfloat16 each (fragments/activations);
// they stay in shared memory while a block lives. Where they do not fit, runs of segments go one after the
// other, each from the results that the run before left; more vectors than eight (f16) or two (f32) read the
// weights once more. What does not fit even so goes by the products one after the other (fragments/literal),
// and so does a result that came out infinite or NaN.
//
// While the kernel before still ends, a block asks the L2 cache for its first chunks (copies/chained).
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/copies/registers.cuh"
#include "kernels/dense/gemv.hpp"
#include "kernels/fragments/bring.cuh"
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

template <BlockFormat Format, bool Halves, int Tiles>
__device__ void multiply_all(const Product& product, const Plan& plan, const Barriers& barriers,
                             const std::uint8_t* slots, float* partials, const Columns<Tiles>& columns,
                             int tiles, const Faults& faults) {
  using Kind = Shape<Format>;
  constexpr int warps = multiplying_warps(Tiles), sets = most_partials / warps;
  const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
  const int g = lane / 4, t = lane % 4, batch = product.x.batch;
  const auto run_bytes = static_cast<int>(
      min(product.rows.bytes - begin_bytes<Format>(plan), std::int64_t{plan.stages} * Kind::stage_bytes));
  Place place;
  for (int tile = 0, first = warp; tile < tiles; ++tile) {
    // Of the first tile a warp multiplies the stages whose activations it has prepared; from there on any.
    if (tile == 1) copies::meet<1, warps * 32>();
    const std::int64_t row = tile_of_block(tile) * tile_rows + g;
    const unsigned low_skew = faults.skew_ignored ? 0 : product.rows.skew_at(row);
    const unsigned high_skew = faults.skew_ignored ? 0 : product.rows.skew_at(row + 8);
    for (int segment = 0; segment < plan.segments; ++segment) {
      const int before = segment * plan.segment_stages, stages = stages_of(segment, plan);
      Totals<Tiles> totals[sets] = {};
      // A stage's place is free for others once it has been read.
      const auto read = [&](int of_segment) {
        const int stage = before + of_segment;
        place.go_to(tile * plan.chunks() + stage / chunk_stages, plan.slots);
        if (!faults.stale_stage) copies::wait(barriers.come[place.slot], place.parity);
        const std::uint8_t* const low =
            slots + (place.slot * tile_rows + g) * Kind::pitch + stage % chunk_stages * Kind::stage_bytes;
        const int left = run_bytes - stage * Kind::stage_bytes - (faults.lost_block ? Kind::block_bytes : 0);
        const auto made = Stage<Format>::read(low + low_skew, low + 8 * Kind::pitch + high_skew, t, left,
                                              plan.aligned, faults);
        // A last chunk may have fewer stages than arrivals are counted.
        const int missing = stage + 1 == plan.stages ? chunk_stages - 1 - stage % chunk_stages : 0;
        copies::arrive(barriers.used[place.slot], 1 + missing);
        return made;
      };
#pragma unroll 1
      for (int of_segment = first; of_segment < stages; of_segment += most_partials) {
#pragma unroll
        for (int set = 0; set < sets; ++set) {
          const int now = of_segment + set * warps;
          if (set > 0 && now >= stages) break;
          add_stage<Format, Halves, Tiles>(totals[set], read(now), columns, before + now, faults);
        }
      }
      // All warps go through all segments, so that none is two uses of a buffer ahead of another.
      const Buffer buffer = Buffer::of(tile, segment, plan);
      copies::wait(barriers.joined[buffer.at], buffer.parity ^ 1);
#pragma unroll
      for (int set = 0; set < sets; ++set) {
        const int partial = first + set * warps;
        if (partial >= stages) break;
        float* const to = buffer.of_partial(partials, partial, batch) + g;
        for (int vector = 0; vector < batch; ++vector) {
          const float2 two = joined<Halves>(totals[set], vector, faults);
          if (t < 2) to[vector * tile_rows + 8 * t] = t == 0 ? two.x : two.y;
        }
      }
      copies::arrive(barriers.summed[buffer.at]);
    }
    // The next tile's stages go on with the warps behind those of the last ones, so that all have as many.
    first = (first + warps - plan.stages % warps) % warps;
  }
}

/// The results of the block's tiles from the partial sums of their segments; one warp.
template <BlockFormat Format>
__device__ void join_all(const Product& product, const Plan& plan, const Barriers& barriers, float* partials,
                         int tiles, const Faults& faults) {
  constexpr int most_results = 8 * tile_rows / 32;  // of a lane
  const int lane = static_cast<int>(threadIdx.x % 32), batch = product.x.batch;
  for (int tile = 0; tile < tiles; ++tile) {
    float results[most_results];
    const auto for_results = [&](auto do_this) {  // result, whether it is the lane's, vector, row
#pragma unroll
      for (int i = 0; i < most_results; ++i) {
        const int item = 32 * i + lane, vector = item / tile_rows;
        if (32 * i < batch * tile_rows)
          do_this(results[i], vector < batch, vector, tile_of_block(tile) * tile_rows + item % tile_rows);
      }
    };
    for_results([&](float& result, bool own, int vector, std::int64_t row) {
      const bool goes_on = !plan.first && !faults.run_begins_again && own && row < product.rows.count;
      result = goes_on ? product.y[vector * product.rows.count + row] : 0.0f;
    });
    for (int segment = 0; segment < plan.segments; ++segment) {
      const Buffer buffer = Buffer::of(tile, segment, plan);
      if (!faults.missing_barrier) copies::wait(barriers.summed[buffer.at], buffer.parity);
      const int count = min(most_partials, stages_of(segment, plan)) - (faults.lost_slice ? 1 : 0);
      for_results([&](float& result, bool own, int vector, std::int64_t row) {
        const int of_vector = faults.first_vector_for_all || !own ? 0 : vector;
        const float* const from =
            buffer.of_partial(partials, 0, batch) + of_vector * tile_rows + row % tile_rows;
        for (int partial = 0; partial < count; ++partial) result += from[partial * batch * tile_rows];
      });
      copies::arrive(barriers.joined[buffer.at]);
    }
    for_results([&](float& result, bool own, int vector, std::int64_t row) {
      const bool valid = own && row < product.rows.count;
      if (plan.last)
        finish<Format>(product, result, row, vector, valid, faults);
      else if (valid)
        product.y[vector * product.rows.count + row] = result;
    });
  }
}

template <BlockFormat Format, bool Halves, int Tiles>
__global__ void __launch_bounds__(block_threads(Tiles), 1)
    gemv_tiles(__grid_constant__ const Product product, __grid_constant__ const Plan plan,
               const Faults faults) {
  constexpr int multiplying = multiplying_warps(Tiles) * 32;
  extern __shared__ uint4 room[];
  auto* const memory = reinterpret_cast<std::uint8_t*>(room);
  auto* const sums = reinterpret_cast<float*>(memory + plan.sums_at);
  auto* const zeros = reinterpret_cast<uint4*>(memory + plan.zeros_at);
  auto* const partials = reinterpret_cast<float*>(memory + plan.partials_at);
  std::uint8_t* const slots = memory + plan.slots_at;
  auto* const all_barriers = reinterpret_cast<copies::Barrier*>(memory + plan.barriers_at);
  const Barriers barriers{all_barriers, all_barriers + most_slots, all_barriers + 2 * most_slots,
                          all_barriers + 2 * most_slots + plan.buffers};
  const auto block = static_cast<int>(blockIdx.x), blocks = static_cast<int>(gridDim.x);
  const int tiles = plan.tiles / blocks + (block < plan.tiles % blocks ? 1 : 0);

  const int thread = static_cast<int>(threadIdx.x);
  if (thread >= multiplying) {
    copies::give_registers<other_registers>();
    const int warp = (thread - multiplying) / 32;
    if (warp < bringing_warps) {
      bring_all<Format>(product.rows, plan, barriers, slots, tiles, warp,
                        [] { copies::meet<2, block_threads(Tiles)>(); });
      return;
    }
    copies::meet<2, block_threads(Tiles)>();
    if (warp > bringing_warps) return;
    copies::wait_for_kernel_before();
    join_all<Format>(product, plan, barriers, partials, tiles, faults);
    return;
  }

  copies::take_registers<multiplying_registers(Tiles)>();
  for (int vector = thread / 128; vector < product.x.batch; vector += multiplying / 128)
    product.x.ask_for(vector, thread % 128);
  if (thread == 0) *zeros = {0, 0, 0, 0};
  if (thread < plan.slots) {
    copies::begin(barriers.come[thread], bringing_warps * 32);
    copies::begin(barriers.used[thread], chunk_stages * 32);
  }
  if (thread < plan.buffers) {
    copies::begin(barriers.summed[thread], multiplying);
    copies::begin(barriers.joined[thread], 32);
  }
  copies::meet<2, block_threads(Tiles)>();
  copies::wait_for_kernel_before();
  const Preparation<Format, Halves> preparation{
      product.x, plan.in_fours,    plan.first_stage,           plan.stages, room, sums,
      2 * Tiles, multiplying / 32, faults.activation_part_lost};
  Octets<Halves> read = {};
  if (plan.in_fours) read = preparation.read(0, 0);
  preparation.finish(read);
  __syncwarp();

  const int g = thread % 32 / 4, t = thread % 4;
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
  multiply_all<Format, Halves, Tiles>(product, plan, barriers, slots, partials, columns, tiles, faults);
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
  const auto blocks = static_cast<unsigned>(std::min(plan.tiles, limits.multiprocessors));
  copies::launch_chained(stream, blocks, block_threads(Tiles), static_cast<std::size_t>(plan.bytes), kernel,
                         "dense.gemv: launch", product, plan, selected_faults());
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
  const auto plan_of = [&](const Activations& x, int segment, int of_run) {
    return plan_for<Format, Halves>(cut, x, tiles_for<Halves>(x.batch), segment,
                                    std::min(of_run, cut.segments - segment), limits.shared_bytes);
  };
  const auto fits = [&](const Activations& x, int of_run) {
    for (int segment = 0; segment < cut.segments; segment += of_run)
      if (plan_of(x, segment, of_run).bytes == 0) return false;
    return true;
  };
  // One vector decides for all, whose results must not depend on how many there are.
  if (!fits(product_of(call, 0, 1).x, 1))
    return launch_literal<Format>(stream, product_of(call, 0, call.batch));
  for (int first = 0; first < call.batch;) {
    Product product = product_of(call, first, std::min(call.batch - first, Halves ? 8 : 2));
    while (product.x.batch > 1 && !fits(product.x, 1)) --product.x.batch;
    first += product.x.batch;
    int of_run = cut.segments;
    while (of_run > 1 && !fits(product.x, of_run)) --of_run;
    const int runs = (cut.segments + of_run - 1) / of_run;
    of_run = (cut.segments + runs - 1) / runs;
    for (int segment = 0; segment < cut.segments; segment += of_run) {
      Plan plan = plan_of(product.x, segment, of_run);
      plan.tiles = static_cast<int>((product.rows.count + tile_rows - 1) / tile_rows);
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
