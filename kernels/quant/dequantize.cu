// quant.dequantize on CUDA. A tile of blocks comes into shared memory in 16-byte loads, whatever the format
// and wherever the row begins: bytes keep their place within 16, so that only the edges of a tile are copied
// byte by byte. Then every thread decodes four elements and writes them as 16 bytes, neighbours side by side.
// What is written outweighs what is read (by 2 to 7 times for the quantised formats), so the writes are what
// has to be seamless.
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/blocks/decode.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/quant/dequantize.hpp"

namespace assay::kernels::quant {

namespace {

// Planted faults, handed to the kernel by value; constants in the usual build, where an empty argument is
// left.
struct Faults {
#ifdef ASSAY_MUTANTS
  bool missing_barrier, head_lost, tail_lost, skew_ignored, first_scale_for_all, rows_begin_again,
      values_out_of_order, last_block_lost;
#else
  static constexpr bool missing_barrier = false, head_lost = false, tail_lost = false, skew_ignored = false,
                        first_scale_for_all = false, rows_begin_again = false, values_out_of_order = false,
                        last_block_lost = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {
      mutant("quant.dequantize.cuda_missing_barrier"),     mutant("quant.dequantize.cuda_head_lost"),
      mutant("quant.dequantize.cuda_tail_lost"),           mutant("quant.dequantize.cuda_skew_ignored"),
      mutant("quant.dequantize.cuda_first_scale_for_all"), mutant("quant.dequantize.cuda_rows_begin_again"),
      mutant("quant.dequantize.cuda_values_out_of_order"), mutant("quant.dequantize.cuda_last_block_lost")};
#else
  return {};
#endif
}

constexpr int threads = 256;
constexpr int tile_elements = 4096;  ///< a multiple of every block's length

template <BlockFormat Format>
struct Tile {
  static constexpr int length = layout_of(Format).length;
  static constexpr int block_bytes = layout_of(Format).bytes;
  static constexpr int blocks = tile_elements / length;
  static constexpr int bytes = blocks * block_bytes;
  /// What the places that four_of is given are multiples of, in a tile that begins on a multiple of four.
  static constexpr int alignment = length == 1 ? 4 : kernels::blocks::alignment_behind(4, block_bytes);
};

/// Brings `count` bytes to `shared` + (address of `from` modulo 16).
__device__ void bring(const std::uint8_t* from, int count, std::uint8_t* shared, Faults faults) {
  const int skew = static_cast<int>(reinterpret_cast<std::uintptr_t>(from) % 16);
  std::uint8_t* const to = shared + skew;
  const int head = min((16 - skew) % 16, count);
  const int whole = (count - head) / 16;
  const int tail = head + whole * 16;  // where it begins
  const int thread = static_cast<int>(threadIdx.x);
  const auto* const source = reinterpret_cast<const uint4*>(from + head);
  auto* const target = reinterpret_cast<uint4*>(to + head);
  for (int i = thread; i < whole; i += threads) target[i] = __ldcs(source + i);
  if (thread < head && !faults.head_lost) to[thread] = from[thread];
  if (thread < count - tail && !faults.tail_lost) to[tail + thread] = from[tail + thread];
}

/// Decodes `count` elements whose blocks lie in shared memory, on a multiple of 4 bytes where `Alignment` is
/// not 1.
template <BlockFormat Format, int Alignment>
__device__ void decode_tile(const std::uint8_t* blocks, int count, float* to, Faults faults) {
  using Tile = Tile<Format>;
  const bool aligned = reinterpret_cast<std::uintptr_t>(to) % 16 == 0;
#pragma unroll 2
  for (int part = 0; part < tile_elements; part += threads * 4) {
    const int at = part + static_cast<int>(threadIdx.x) * 4;
    if (at >= count) return;
    // Four blocks of one element reach beyond the last one by three at most; shared memory has room for them.
    const int block = at / Tile::length;
    kernels::blocks::Four four = kernels::blocks::four_of<Format, Alignment>(
        blocks + (faults.first_scale_for_all ? 0 : block) * Tile::block_bytes, at % Tile::length);
    if (faults.values_out_of_order) {
      const float kept = four.values[1];
      four.values[1] = four.values[2];
      four.values[2] = kept;
    }
    if (aligned && at + 4 <= count) {
      __stcs(reinterpret_cast<float4*>(to + at),
             float4{four.values[0], four.values[1], four.values[2], four.values[3]});
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (at + i < count) to[at + i] = four.values[i];
    }
  }
}

/// Tiles of a row lie along x, rows along y; blocks of threads go on to others where there are more than a
/// grid has.
template <BlockFormat Format>
__global__ void __launch_bounds__(threads, 5) dequantize_tiles(DequantizeCall call, Faults faults) {
  using Tile = Tile<Format>;
  // 15 bytes before the first block, and after the last what four_of may read of blocks that are not there.
  __shared__ __align__(16) std::uint8_t shared[(Tile::bytes + 16 + 16 + 15) / 16 * 16];
  for (std::int64_t row = blockIdx.y; row < call.rows; row += gridDim.y) {
    for (std::int64_t tile = blockIdx.x; tile * Tile::blocks < call.blocks_per_row; tile += gridDim.x) {
      const std::int64_t first = tile * Tile::blocks;
      const int blocks = static_cast<int>(min(call.blocks_per_row - first, std::int64_t{Tile::blocks}));
      const std::uint8_t* const from =
          call.blocks + (faults.rows_begin_again ? 0 : row) * call.row_stride + first * Tile::block_bytes;
      bring(from, blocks * Tile::block_bytes, shared, faults);
      if (!faults.missing_barrier) __syncthreads();
      const int skew =
          faults.skew_ignored ? 0 : static_cast<int>(reinterpret_cast<std::uintptr_t>(from) % 16);
      const int count = (blocks - (faults.last_block_lost ? 1 : 0)) * Tile::length;
      float* const to = call.values + (row * call.blocks_per_row + first) * Tile::length;
      if (Tile::alignment == 1 || skew % 4 != 0)
        decode_tile<Format, 1>(shared + skew, count, to, faults);
      else
        decode_tile<Format, Tile::alignment>(shared + skew, count, to, faults);
      __syncthreads();  // the next tile's bytes take the place of these
    }
  }
}

}  // namespace

void dequantize_cuda(CUstream_st* stream, const DequantizeCall& given) {
  DequantizeCall call = given;
  if (mutant("quant.dequantize.cuda_ignored_row_stride"))
    call.row_stride = call.blocks_per_row * layout_of(call.format).bytes;
  call = joined(call);
  kernels::blocks::with_format(call.format, [&](auto tag) {
    constexpr BlockFormat format = decltype(tag)::value;
    const std::int64_t tiles = (call.blocks_per_row + Tile<format>::blocks - 1) / Tile<format>::blocks;
    const dim3 grid(static_cast<unsigned>(std::min<std::int64_t>(tiles, 1 << 30)),
                    static_cast<unsigned>(std::min<std::int64_t>(call.rows, 65535)));
    dequantize_tiles<format><<<grid, threads, 0, stream>>>(call, selected_faults());
  });
  detail::check(cudaGetLastError(), "quant.dequantize: launch");
}

}  // namespace assay::kernels::quant
