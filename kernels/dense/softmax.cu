// dense.softmax on CUDA. Every element is read once and written once; in between a row lives in registers, 32
// elements a thread at most. Who holds a row follows from its number of columns:
//
//   columns         held by
//   up to 1,024     8, 16 or 32 lanes of a warp
//   up to 16,384    one block of threads
//   up to 262,144   a cluster of 2, 4 or 8 blocks (sm_90 and later), which exchange maximum and sum
//                   through shared memory
//   more            nobody: one block walks the row twice, the first time with a running maximum and sum
//
// Where there are no clusters, one block holds up to 32,768 columns and the online walk takes the rest.
//
// Many rows for clusters are streamed: blocks stay for many rows, and while one row is worked on, the next is
// on its way into shared memory.
//
// Which thread holds which element follows from the columns alone as well, never from the alignment: a row
// gives the same bits wherever it lies. Columns that fill whole vectors of 16 bytes are read and written as
// such where the row is aligned; other numbers of columns go element by element, neighbours side by side.
#include <cooperative_groups.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_pipeline_primitives.h>

#include <algorithm>
#include <type_traits>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/clusters/available.cuh"
#include "kernels/dense/softmax.hpp"
#include "kernels/rows/elements.cuh"
#include "kernels/rows/joins.cuh"

namespace assay::kernels::dense {

namespace {

namespace cg = cooperative_groups;
using namespace rows;

// Planted faults, handed to the kernels by value; constants in the usual build, where an empty argument is
// left.
struct Faults {
#ifdef ASSAY_MUTANTS
  bool unhandled_tail, no_maximum, lost_vector, half_precision_sum, missing_barrier, lost_peer,
      masked_part_shifted, masked_tile_shifted, sum_not_rescaled, peers_not_rescaled, stale_row;
#else
  static constexpr bool unhandled_tail = false, no_maximum = false, lost_vector = false,
                        half_precision_sum = false, missing_barrier = false, lost_peer = false,
                        masked_part_shifted = false, masked_tile_shifted = false, sum_not_rescaled = false,
                        peers_not_rescaled = false, stale_row = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("dense.softmax.cuda_unhandled_tail"),
          mutant("dense.softmax.cuda_no_maximum"),
          mutant("dense.softmax.cuda_lost_vector"),
          mutant("dense.softmax.cuda_half_precision_sum"),
          mutant("dense.softmax.cuda_missing_barrier"),
          mutant("dense.softmax.cuda_lost_peer"),
          mutant("dense.softmax.cuda_masked_part_shifted"),
          mutant("dense.softmax.cuda_masked_tile_shifted"),
          mutant("dense.softmax.cuda_sum_not_rescaled"),
          mutant("dense.softmax.cuda_peers_not_rescaled"),
          mutant("dense.softmax.cuda_stale_row")};
#else
  return {};
#endif
}

constexpr int elements_per_thread = 32;

template <typename T>
struct Matrix {
  const T* x;                 ///< (rows, columns)
  std::int64_t x_row_stride;  ///< in elements
  T* y;                       ///< (rows, columns), contiguous
  std::int64_t rows;
  std::int64_t columns;
  bool x_aligned;  ///< every row of x begins on a multiple of 16 bytes
  bool y_aligned;
};

/// Replaces values by exp(value - shift) and returns their sum: four running sums of up to eight, then a
/// tree.
template <int Width, int Count>
__device__ float exponentiate(float (&values)[Width * Count], float shift, Faults faults) {
  float sums[4] = {0, 0, 0, 0};
#pragma unroll
  for (int i = 0; i < Width * Count; ++i) {
    values[i] = expf(values[i] - shift);
    if (faults.lost_vector && i / Width == Count - 1) continue;
    sums[i % 4] += values[i];
  }
  const float sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return faults.half_precision_sum ? __half2float(__float2half_rn(sum)) : sum;
}

/// What a block knows of its part of a row.
struct Part {
  float maximum;
  float sum;  ///< of exp(x - maximum)
};

/// Joins what the blocks of a cluster know: each puts its part into a slot of every other's shared memory.
/// Returns maximum and sum of the row.
///
/// A block's exponentials, taken relative to its own maximum, get the factor exp(own - maximum) later, as its
/// sum gets it here. One exchange a row instead of two. The two exponents add up to d_j, so the error grows
/// by one exp and one product, 3 u where exp is good to 1 ulp, in numerator and sum each; that exp (2 u) is
/// counted with 4 u in the contract.
__device__ Part join_cluster(Part own, Part* peers, Faults faults) {
#if __CUDA_ARCH__ >= 900
  const cg::cluster_group cluster = cg::this_cluster();
  const int blocks = static_cast<int>(cluster.num_blocks());
  if (static_cast<int>(threadIdx.x) < blocks)
    cluster.map_shared_rank(peers, threadIdx.x)[cluster.block_rank()] = own;
  cluster.sync();
  const int heard = blocks - (faults.lost_peer ? 1 : 0);
  float maximum = peers[0].maximum;
  for (int block = 1; block < heard; ++block) maximum = fmaxf(maximum, peers[block].maximum);
  float sum = 0;
  for (int block = 0; block < heard; ++block)
    sum += peers[block].sum * (faults.peers_not_rescaled
                                   ? 1.0f
                                   : expf(peers[block].maximum - (faults.no_maximum ? 0.0f : maximum)));
  return {maximum, sum};
#else
  return own;
#endif
}

/// Rows of up to Lanes * Width * Count columns: `Lanes` lanes of a warp hold one.
template <typename T, int Width, int Count, int Lanes>
__global__ void __launch_bounds__(128) softmax_by_lanes(Matrix<T> matrix, Faults faults) {
  constexpr int rows_per_warp = 32 / Lanes;
  const int lane = static_cast<int>(threadIdx.x % Lanes);
  const int columns = static_cast<int>(matrix.columns);
  const int readable = faults.unhandled_tail ? columns / 8 * 8 : columns;
  const std::int64_t warp = std::int64_t{blockIdx.x} * (blockDim.x / 32) + threadIdx.x / 32;
  const std::int64_t warps = std::int64_t{gridDim.x} * (blockDim.x / 32);
  for (std::int64_t first = warp * rows_per_warp; first < matrix.rows; first += warps * rows_per_warp) {
    const std::int64_t row = first + threadIdx.x % 32 / Lanes;
    const bool inside = row < matrix.rows;  // lanes without a row still take part in the shuffles
    const std::int64_t at = inside ? row : 0;
    float values[Width * Count];
    load_part<T, Width, Count>(values, matrix.x + at * matrix.x_row_stride + lane * Width, Lanes * Width,
                               (inside ? readable : 0) - lane * Width, matrix.x_aligned);
    const float maximum = join_lanes<Lanes>(maximum_of(values), Larger());
    const float sum = join_lanes<Lanes>(
        exponentiate<Width, Count>(values, faults.no_maximum ? 0.0f : maximum, faults), Plus());
    store_part<T, Width, Count>(values, 1.0f / sum, matrix.y + at * columns + lane * Width, Lanes * Width,
                                (inside ? columns : 0) - lane * Width, matrix.y_aligned);
  }
}

/// Rows of up to 32 columns a thread: one block holds one, or one cluster of blocks. Streamed: x and y are
/// aligned, the columns fill whole vectors, and dynamic shared memory has room for the vectors of all
/// threads, to which the next row is brought. Otherwise each block has part in one row alone.
template <typename T, int Width, bool Clustered, bool Streamed>
__global__ void __launch_bounds__(1024) softmax_by_blocks(Matrix<T> matrix, Faults faults) {
  constexpr int count = elements_per_thread / Width;
  extern __shared__ uint4 room[];
  __shared__ float slots[2][32];
  [[maybe_unused]] __shared__ Part peers[2][8];
  int thread = static_cast<int>(threadIdx.x);
  int threads = static_cast<int>(blockDim.x);
  std::int64_t row = blockIdx.x;
  std::int64_t rows_at_once = gridDim.x;
#if __CUDA_ARCH__ >= 900
  if constexpr (Clustered) {
    const cg::cluster_group cluster = cg::this_cluster();
    row /= cluster.num_blocks();
    rows_at_once /= cluster.num_blocks();
    thread += static_cast<int>(cluster.block_rank() * blockDim.x);
    threads *= static_cast<int>(cluster.num_blocks());
    cluster.sync();  // no block may write into another's shared memory before that one runs
  }
#endif
  const int columns = static_cast<int>(matrix.columns);
  const int offset = thread * Width;
  const int step = threads * Width;
  const int readable = (faults.unhandled_tail ? columns / 8 * 8 : columns) - offset;
  // Each thread brings and takes its own vectors: no barrier between.
  const auto fetch = [&](std::int64_t next) {
    const T* from = matrix.x + next * matrix.x_row_stride + offset;
#pragma unroll
    for (int k = 0; k < count; ++k)
      if (k * step < readable)
        __pipeline_memcpy_async(&room[k * blockDim.x + threadIdx.x], from + k * step, 16);
    __pipeline_commit();
  };
  if constexpr (Streamed) fetch(row);
  int parity = 0;
  do {
    float values[elements_per_thread];
    if constexpr (Streamed) {
      __pipeline_wait_prior(0);
      uint4 raw[count];
#pragma unroll
      for (int k = 0; k < count; ++k) {
        raw[k] = all_minus_infinity<T>();
        if (k * step < readable) raw[k] = room[k * blockDim.x + threadIdx.x];
      }
      if (row + rows_at_once < matrix.rows && !faults.stale_row) fetch(row + rows_at_once);
#pragma unroll
      for (int k = 0; k < count; ++k) {
        const auto vector = __builtin_bit_cast(Vector<T>, raw[k]);
#pragma unroll
        for (int i = 0; i < Width; ++i) values[k * Width + i] = widen(vector.elements[i]);
      }
    } else {
      const T* x = matrix.x + row * matrix.x_row_stride + offset;
      load_part<T, Width, count>(values, x, step, readable, matrix.x_aligned);
    }

    Part part;
    part.maximum = join_block(maximum_of(values), slots[0], Larger(), faults.missing_barrier);
    // A block's part of a row may be nothing but -Inf where the row is not.
    const bool masked = Clustered && part.maximum == minus_infinity() && !faults.masked_part_shifted;
    const float shift = faults.no_maximum || masked ? 0.0f : part.maximum;
    part.sum = join_block(exponentiate<Width, count>(values, shift, faults), slots[1], Plus(),
                          faults.missing_barrier);
    float scale = 1.0f / part.sum;
    if constexpr (Clustered) {
      if (faults.no_maximum) part.maximum = 0;
      const Part whole = join_cluster(part, peers[parity], faults);
      scale = 1.0f / whole.sum * expf(part.maximum - (faults.no_maximum ? 0.0f : whole.maximum));
    }
    T* y = matrix.y + row * columns;
    store_part<T, Width, count>(values, scale, y + offset, step, columns - offset,
                                Streamed || matrix.y_aligned);
    row += rows_at_once;
    parity ^= 1;
  } while (Streamed && row < matrix.rows);
}

/// Rows of any length, by one block of 512 threads each, read twice (Milakov, Gimelshein 2018).
template <typename T, int Width>
__global__ void __launch_bounds__(512, 1) softmax_online(Matrix<T> matrix, Faults faults) {
  constexpr int count = elements_per_thread / Width;
  constexpr int threads = 512;
  constexpr std::int64_t tile = threads * elements_per_thread;
  __shared__ float slots[2][32];
  const std::int64_t columns = matrix.columns;
  const int offset = static_cast<int>(threadIdx.x) * Width;
  const T* x = matrix.x + std::int64_t{blockIdx.x} * matrix.x_row_stride + offset;
  T* y = matrix.y + std::int64_t{blockIdx.x} * columns + offset;
  const auto left = [=](std::int64_t first, std::int64_t end) {
    return static_cast<int>(end - first < tile ? end - first : tile) - offset;
  };
  const std::int64_t readable = faults.unhandled_tail ? columns / 8 * 8 : columns;
  // Nothing but -Inf so far: any finite shift serves, and -Inf - (-Inf) would make a NaN of it.
  const auto shift_for = [=](float maximum) {
    return maximum == minus_infinity() && !faults.masked_tile_shifted ? 0.0f : maximum;
  };

  float running_maximum = minus_infinity();
  float running_sum = 0;
  float values[elements_per_thread];
  for (std::int64_t first = 0; first < columns; first += tile) {
    load_part<T, Width, count>(values, x + first, threads * Width, left(first, readable), matrix.x_aligned);
    const float maximum = fmaxf(running_maximum, maximum_of(values));
    const float shift = shift_for(maximum);
    const float rescale = faults.sum_not_rescaled ? 1.0f : expf(running_maximum - shift);
    running_sum = running_sum * rescale + exponentiate<Width, count>(values, shift, faults);
    running_maximum = maximum;
  }
  const float maximum = join_block(running_maximum, slots[0], Larger(), faults.missing_barrier);
  const float sum = join_block(running_sum * expf(running_maximum - shift_for(maximum)), slots[1], Plus(),
                               faults.missing_barrier);
  const float shift = faults.no_maximum ? 0.0f : maximum;
  for (std::int64_t first = 0; first < columns; first += tile) {
    load_part<T, Width, count>(values, x + first, threads * Width, left(first, readable), matrix.x_aligned);
    exponentiate<Width, count>(values, shift, faults);
    store_part<T, Width, count>(values, 1.0f / sum, y + first, threads * Width, left(first, columns),
                                matrix.y_aligned);
  }
}

template <typename T, int Width, int Count, int Lanes>
void launch_by_lanes(cudaStream_t stream, const Matrix<T>& matrix) {
  constexpr int rows_per_block = 128 / Lanes;
  const std::int64_t blocks = (matrix.rows + rows_per_block - 1) / rows_per_block;
  softmax_by_lanes<T, Width, Count, Lanes>
      <<<static_cast<unsigned>(std::min<std::int64_t>(blocks, 1 << 30)), 128, 0, stream>>>(matrix,
                                                                                           selected_faults());
}

// Threads that hold `columns` in whole warps.
int threads_for(std::int64_t columns) {
  return static_cast<int>((columns + 32 * elements_per_thread - 1) / (32 * elements_per_thread)) * 32;
}

// Blocks hold the rows, `blocks` of them each.
template <typename T, int Width, bool Clustered, bool Streamed>
void launch_by_blocks(cudaStream_t stream, const Matrix<T>& matrix, unsigned blocks) {
  const auto kernel = softmax_by_blocks<T, Width, Clustered, Streamed>;
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {blocks, 1, 1};
  cudaLaunchConfig_t launch{};
  launch.gridDim = dim3(static_cast<unsigned>(matrix.rows) * blocks);
  launch.blockDim = dim3(static_cast<unsigned>(threads_for((matrix.columns + blocks - 1) / blocks)));
  launch.stream = stream;
  launch.attrs = &cluster;
  launch.numAttrs = Clustered ? 1 : 0;
  if constexpr (Streamed) {
    launch.dynamicSmemBytes = launch.blockDim.x * elements_per_thread * sizeof(T);
    detail::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                       static_cast<int>(launch.dynamicSmemBytes)),
                  "cudaFuncSetAttribute");
    int at_once = 0;  // clusters, hence rows
    detail::check(cudaOccupancyMaxActiveClusters(&at_once, kernel, &launch),
                  "cudaOccupancyMaxActiveClusters");
    const std::int64_t rows = std::min<std::int64_t>(matrix.rows, std::max(at_once, 1));
    launch.gridDim = dim3(static_cast<unsigned>(rows) * blocks);
  }
  detail::check(cudaLaunchKernelEx(&launch, kernel, matrix, selected_faults()), "dense.softmax: launch");
}

// Rows of up to 1,024 columns. With whole vectors 8 lanes are enough to fill transactions, and the fewer hold
// a row, the more bytes each has on its way; with single elements it takes a warp.
template <typename T, int Width>
void launch_short(cudaStream_t stream, const Matrix<T>& matrix) {
  constexpr int vector = Vector<T>::width;
  const std::int64_t columns = matrix.columns;
  if (columns <= 8 * vector) return launch_by_lanes<T, Width, vector / Width, 8>(stream, matrix);
  if constexpr (Width > 1) {
    if (columns <= 16 * vector) return launch_by_lanes<T, Width, 2, 8>(stream, matrix);
    if (columns <= 128) return launch_by_lanes<T, Width, 16 / Width, 8>(stream, matrix);
    if (columns <= 256) return launch_by_lanes<T, Width, 16 / Width, 16>(stream, matrix);
  } else {
    if (columns <= 128) return launch_by_lanes<T, 1, 4, 32>(stream, matrix);
    if (columns <= 256) return launch_by_lanes<T, 1, 8, 32>(stream, matrix);
  }
  if (columns <= 512) return launch_by_lanes<T, Width, 16 / Width, 32>(stream, matrix);
  launch_by_lanes<T, Width, 32 / Width, 32>(stream, matrix);
}

template <typename T, int Width>
void launch(cudaStream_t stream, const Matrix<T>& matrix) {
  const std::int64_t columns = matrix.columns;
  if (columns <= 1024) return launch_short<T, Width>(stream, matrix);
  const bool clustered = columns > 16384 && clusters::available();
  if (columns <= 16384 || (columns <= 32768 && !clustered)) {
    launch_by_blocks<T, Width, false, false>(stream, matrix, 1);
  } else if (columns <= 262144 && clustered) {
    unsigned blocks = 2;
    while (blocks < 8 && columns > blocks * std::int64_t{16384}) blocks *= 2;
    if constexpr (Width > 1) {
      // With fewer blocks all are under way at once, and there is no next row to bring.
      if (matrix.x_aligned && matrix.y_aligned && matrix.rows * blocks >= 1024)
        return launch_by_blocks<T, Width, true, true>(stream, matrix, blocks);
    }
    launch_by_blocks<T, Width, true, false>(stream, matrix, blocks);
  } else {
    softmax_online<T, Width>
        <<<static_cast<unsigned>(matrix.rows), 512, 0, stream>>>(matrix, selected_faults());
  }
}

template <typename T>
void softmax_of(cudaStream_t stream, const SoftmaxCall& call) {
  const auto aligned = [](const void* memory, std::int64_t stride) {
    return reinterpret_cast<std::uintptr_t>(memory) % 16 == 0 && stride * std::int64_t{sizeof(T)} % 16 == 0;
  };
  const std::int64_t x_row_stride =
      mutant("dense.softmax.cuda_ignored_row_stride") ? call.columns : call.x_row_stride;
  const Matrix<T> matrix{
      reinterpret_cast<const T*>(call.x),
      x_row_stride,
      reinterpret_cast<T*>(call.y),
      call.rows,
      call.columns,
      aligned(call.x, mutant("dense.softmax.cuda_aligned_by_columns") ? call.columns : x_row_stride),
      aligned(call.y, call.columns)};
  if (call.columns % Vector<T>::width == 0)
    launch<T, Vector<T>::width>(stream, matrix);
  else
    launch<T, 1>(stream, matrix);
  detail::check(cudaGetLastError(), "dense.softmax: launch");
}

}  // namespace

void softmax_cuda(CUstream_st* stream, const SoftmaxCall& call) {
  if (call.dtype == DType::f32) softmax_of<float>(stream, call);
  if (call.dtype == DType::f16) softmax_of<__half>(stream, call);
  if (call.dtype == DType::bf16) softmax_of<__nv_bfloat16>(stream, call);
}

}  // namespace assay::kernels::dense
