// quant.quantize on CUDA. A block of 32 elements belongs to eight threads, four elements each: they find its
// extent by shuffles, and each makes the codes of its own. Of a block of 256 every thread has one part (32 or
// 16 elements) in registers and searches for its scale alone, in the order that the sums are defined in. The
// bytes of a tile of blocks are gathered in shared memory and leave in 16-byte stores, wherever the output
// begins: bytes keep their place within 16. Compiled without fused multiply-add (CMakeLists.txt).
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/blocks/encode_long.hpp"
#include "kernels/blocks/encode_short.hpp"
#include "kernels/quant/quantize.hpp"

namespace assay::kernels::quant {

namespace {

// Planted faults, handed to the kernel by value; constants in the usual build, where an empty argument is
// left.
struct Faults : blocks::EncodeFaults {
#ifdef ASSAY_MUTANTS
  bool missing_barrier = mutant("quant.quantize.cuda_missing_barrier");
  bool head_lost = mutant("quant.quantize.cuda_head_lost");
  bool tail_lost = mutant("quant.quantize.cuda_tail_lost");
  bool rows_begin_again = mutant("quant.quantize.cuda_rows_begin_again");
  bool last_block_lost = mutant("quant.quantize.cuda_last_block_lost");
  bool half_of_the_extent = mutant("quant.quantize.cuda_half_of_the_extent");
  bool later_first = mutant("quant.quantize.cuda_later_first");
  bool fifth_bits_of_half = mutant("quant.quantize.cuda_fifth_bits_of_half");
  bool scale_of_half_the_parts = mutant("quant.quantize.cuda_scale_of_half_the_parts");
  bool high_bits_of_half = mutant("quant.quantize.cuda_high_bits_of_half");
  bool taken_as_aligned = mutant("quant.quantize.cuda_taken_as_aligned");
#else
  static constexpr bool missing_barrier = false, head_lost = false, tail_lost = false,
                        rows_begin_again = false, last_block_lost = false, half_of_the_extent = false,
                        later_first = false, fifth_bits_of_half = false, scale_of_half_the_parts = false,
                        high_bits_of_half = false, taken_as_aligned = false;
#endif
};

constexpr unsigned whole_warp = 0xFFFFFFFFu;
constexpr int tile_elements = 4096;  ///< a multiple of every block's length

template <BlockFormat Format>
struct Tile {
  static constexpr int length = layout_of(Format).length;
  static constexpr int block_bytes = layout_of(Format).bytes;
  static constexpr int blocks = tile_elements / length;
  static constexpr int bytes = blocks * block_bytes;
  /// Elements that a thread has at a time.
  static constexpr int part = Format == BlockFormat::q4_k ? 32 : Format == BlockFormat::q6_k ? 16 : 4;
  static constexpr int threads = part == 32 ? 128 : 256;
  /// Blocks of threads a multiprocessor has registers for, so that none are kept in memory.
  static constexpr int blocks_at_once = part == 32 ? 4 : part == 16 ? 2 : 4;
};

__device__ void put_word(std::uint32_t word, std::uint8_t* to) {
#pragma unroll
  for (int i = 0; i < 4; ++i) to[i] = static_cast<std::uint8_t>(word >> 8 * i);
}

/// `Count` elements, zeros where a thread has none; 16 bytes at a time where rows lie so. All of them are on
/// their way before the first is waited for.
template <int Count>
__device__ void load(const float* from, bool active, bool aligned, float (&x)[Count]) {
  if (active && aligned) {
#pragma unroll
    for (int i = 0; i < Count; i += 4) {
      const float4 four = __ldcs(reinterpret_cast<const float4*>(from + i));
      x[i] = four.x;
      x[i + 1] = four.y;
      x[i + 2] = four.z;
      x[i + 3] = four.w;
    }
  } else {
#pragma unroll
    for (int i = 0; i < Count; ++i) x[i] = active ? from[i] : 0.0f;
  }
}

__device__ blocks::Peak shuffled(blocks::Peak peak, int distance) {
  return {__shfl_xor_sync(whole_warp, peak.magnitude, distance),
          __shfl_xor_sync(whole_warp, peak.value, distance)};
}
__device__ blocks::Range shuffled(blocks::Range range, int distance) {
  return {__shfl_xor_sync(whole_warp, range.least, distance),
          __shfl_xor_sync(whole_warp, range.most, distance)};
}

/// Joins what `width` neighbouring threads have, in the order of their elements.
template <typename Extent>
__device__ Extent joined_over(Extent extent, int width, Faults faults) {
  for (int distance = 1; distance < width; distance *= 2) {
    const Extent other = shuffled(extent, distance);
    const bool is_later = ((threadIdx.x & distance) != 0) != faults.later_first;
    extent = is_later ? joined(other, extent, faults) : joined(extent, other, faults);
  }
  return extent;
}

/// Codes of four elements, a byte each.
template <BlockFormat Format>
__device__ std::uint32_t four_codes(const float (&x)[4], const blocks::Scale& scale, Faults faults) {
  std::uint32_t word = 0;
#pragma unroll
  for (int i = 0; i < 4; ++i)
    word |= (static_cast<std::uint32_t>(blocks::code_of<Format>(x[i], scale, faults)) & 255u) << 8 * i;
  return word;
}

/// The four elements of this thread, `at` of the tile, and with seven others the block that they are in.
template <BlockFormat Format>
__device__ void encode(const float (&x)[4], int at, bool active, std::uint8_t* tile, Faults faults) {
  using Tile = Tile<Format>;
  auto extent = blocks::extent_of<Format>(x[0]);
#pragma unroll
  for (int i = 1; i < 4; ++i) extent = joined(extent, blocks::extent_of<Format>(x[i]), faults);
  extent = joined_over(extent, faults.half_of_the_extent ? 4 : 8, faults);
  const blocks::Scale scale = blocks::scale_of<Format>(extent, faults);
  const std::uint32_t codes = four_codes<Format>(x, scale, faults);
  std::uint8_t* const to = tile + at / 32 * Tile::block_bytes;
  const int place = at % 32;
  if (active && place == 0) blocks::put_scale<Format>(scale, to);
  std::uint8_t* const code_bytes = to + blocks::Encoding<Format>::codes_at;
  if constexpr (Format == BlockFormat::q8_0) {
    if (active) put_word(codes, code_bytes + place);
  } else {
    // Elements i and 16 + i share a byte: four threads away.
    const std::uint32_t others = __shfl_xor_sync(whole_warp, codes, 4);
    if (active && place < 16)
      put_word((codes & 0x0F0F0F0Fu) | (others & 0x0F0F0F0Fu) << 4, code_bytes + place);
    if constexpr (blocks::Encoding<Format>::fifths_at >= 0) {
      std::uint32_t fifths = ((codes >> 4 & 1) | (codes >> 11 & 2) | (codes >> 18 & 4) | (codes >> 25 & 8))
                             << place;
      for (int distance = 1; distance < (faults.fifth_bits_of_half ? 4 : 8); distance *= 2)
        fifths |= __shfl_xor_sync(whole_warp, fifths, distance);
      if (active && place == 0) put_word(fifths, to + blocks::Encoding<Format>::fifths_at);
    }
  }
}

/// A part of a Q4_K block, with seven other threads the block.
template <BlockFormat Format>
__device__ void encode(const float (&x)[32], int at, bool active, std::uint8_t* tile, Faults faults) {
  const int part = at % 256 / 32;
  std::uint8_t* const to = tile + at / 256 * Tile<Format>::block_bytes;
  const blocks::Line line = blocks::line_through(x, faults);
  float largest_scale = line.scale > 0 ? line.scale : 0.0f;
  float largest_minimum = -line.minimum > 0 ? -line.minimum : 0.0f;
  for (int distance = 1; distance < (faults.scale_of_half_the_parts ? 4 : 8); distance *= 2) {
    largest_scale = fmaxf(largest_scale, __shfl_xor_sync(whole_warp, largest_scale, distance));
    largest_minimum = fmaxf(largest_minimum, __shfl_xor_sync(whole_warp, largest_minimum, distance));
  }
  const blocks::Q4KScales shared = blocks::q4_k_scales(largest_scale, largest_minimum);
  const int scale = blocks::six_bits_of(line.scale, shared.to_scale);
  const int minimum = blocks::six_bits_of(-line.minimum, shared.to_minimum);
  int scales[8], minima[8];
#pragma unroll
  for (int j = 0; j < 8; ++j) {
    scales[j] = __shfl_sync(whole_warp, scale, j, 8);
    minima[j] = __shfl_sync(whole_warp, minimum, j, 8);
  }
  if (active && part == 0) {
    blocks::put_two_bytes(shared.d, to);
    blocks::put_two_bytes(shared.m, to + 2);
    blocks::put_six_bits(scales, minima, to + 4, faults);
  }
  const blocks::StoredLine stored = blocks::stored_line(shared, scale, minimum);
#pragma unroll
  for (int w = 0; w < 8; ++w) {
    std::uint32_t codes = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i)
      codes |= static_cast<std::uint32_t>(blocks::q4_k_code(x[4 * w + i], line, stored, faults)) << 8 * i;
    // Parts 2 p and 2 p + 1 share bytes: the first of the two has the low halves.
    const std::uint32_t others = __shfl_xor_sync(whole_warp, codes, 1);
    if (active && part % 2 == 0) put_word(codes | others << 4, to + 16 + part / 2 * 32 + 4 * w);
  }
}

/// A part of a Q6_K block, with fifteen other threads the block.
template <BlockFormat Format>
__device__ void encode(const float (&x)[16], int at, bool active, std::uint8_t* tile, Faults faults) {
  const int part = at % 256 / 16;
  std::uint8_t* const to = tile + at / 256 * Tile<Format>::block_bytes;
  const blocks::Slope slope = blocks::slope_through(x, faults);
  const blocks::Peak peak =
      joined_over(blocks::peak_of(slope.scale), faults.scale_of_half_the_parts ? 8 : 16, faults);
  const blocks::Q6KScales shared = blocks::q6_k_scales(peak, faults);
  const int scale = shared.empty ? 0 : blocks::q6_k_scale(slope.scale, shared);
  const float stored = blocks::q6_k_stored_scale(slope, shared, scale, faults);
  if (active) to[192 + part] = static_cast<std::uint8_t>(scale);
  if (active && part == 0) blocks::put_two_bytes(shared.d, to + 208);
  // Of the 128 elements of a half, each thread has 16 of one of four quarters of 32.
  const int half = part / 8, quarter = part % 8 / 2, within = part % 2 * 16;
#pragma unroll
  for (int w = 0; w < 4; ++w) {
    std::uint32_t codes = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i)
      codes |= static_cast<std::uint32_t>(
                   shared.empty ? 0 : blocks::q6_k_code(x[4 * w + i], slope, stored, faults))
               << 8 * i;
    const std::uint32_t others = __shfl_xor_sync(whole_warp, codes, 4);
    std::uint32_t high = (codes >> 4 & 0x03030303u) << 2 * quarter;
    high |= __shfl_xor_sync(whole_warp, high, 2);
    const std::uint32_t far = __shfl_xor_sync(whole_warp, high, 4);
    if (!faults.high_bits_of_half) high |= far;
    if (active && quarter < 2)
      put_word((codes & 0x0F0F0F0Fu) | (others & 0x0F0F0F0Fu) << 4,
               to + 64 * half + 32 * quarter + within + 4 * w);
    if (active && quarter == 0) put_word(high, to + 128 + 32 * half + within + 4 * w);
  }
}

/// Takes `count` bytes from `shared` + (address of `to` modulo 16) to `to`.
__device__ void take(const std::uint8_t* shared, int count, std::uint8_t* to, Faults faults) {
  const int skew = static_cast<int>(reinterpret_cast<std::uintptr_t>(to) % 16);
  const std::uint8_t* const from = shared + skew;
  const int head = min((16 - skew) % 16, count);
  const int whole = (count - head) / 16;
  const int tail = head + whole * 16;  // where it begins
  const int thread = static_cast<int>(threadIdx.x);
  const auto* const source = reinterpret_cast<const uint4*>(from + head);
  auto* const target = reinterpret_cast<uint4*>(to + head);
  for (int i = thread; i < whole; i += static_cast<int>(blockDim.x)) __stcs(target + i, source[i]);
  if (thread < head && !faults.head_lost) to[thread] = from[thread];
  if (thread < count - tail && !faults.tail_lost) to[tail + thread] = from[tail + thread];
}

/// Tiles of a row lie along x, rows along y; blocks of threads go on to others where there are more than a
/// grid has.
template <BlockFormat Format>
__global__ void __launch_bounds__(Tile<Format>::threads, Tile<Format>::blocks_at_once)
    quantize_tiles(QuantizeCall call, Faults faults) {
  using Tile = Tile<Format>;
  __shared__ __align__(16) std::uint8_t shared[(Tile::bytes + 15 + 15) / 16 * 16];  // up to 15 bytes late
  for (std::int64_t row = blockIdx.y; row < call.rows; row += gridDim.y) {
    for (std::int64_t tile = blockIdx.x; tile * Tile::blocks < call.blocks_per_row; tile += gridDim.x) {
      const std::int64_t first = tile * Tile::blocks;
      const int blocks = static_cast<int>(min(call.blocks_per_row - first, std::int64_t{Tile::blocks}));
      const int count = (blocks - (faults.last_block_lost ? 1 : 0)) * Tile::length;
      const float* const from =
          call.values + (faults.rows_begin_again ? 0 : row) * call.row_stride + first * Tile::length;
      std::uint8_t* const to = call.blocks + (row * call.blocks_per_row + first) * Tile::block_bytes;
      const bool aligned = reinterpret_cast<std::uintptr_t>(from) % 16 == 0 || faults.taken_as_aligned;
      std::uint8_t* const held = shared + reinterpret_cast<std::uintptr_t>(to) % 16;
      // All of a tile is on its way before the first is waited for. Every thread comes along to the end: they
      // shuffle.
      constexpr int step = Tile::threads * Tile::part;
      const int own = static_cast<int>(threadIdx.x) * Tile::part;
      float x[tile_elements / step][Tile::part];
#pragma unroll
      for (int turn = 0; turn < tile_elements / step; ++turn)
        load(from + turn * step + own, turn * step + own < count, aligned, x[turn]);
#pragma unroll
      for (int turn = 0; turn < tile_elements / step; ++turn)
        encode<Format>(x[turn], turn * step + own, turn * step + own < count, held, faults);
      if (!faults.missing_barrier) __syncthreads();
      take(shared, blocks * Tile::block_bytes, to, faults);
      __syncthreads();  // the next tile's bytes take the place of these
    }
  }
}

}  // namespace

void quantize_cuda(CUstream_st* stream, const QuantizeCall& given) {
  QuantizeCall call = given;
  if (mutant("quant.quantize.cuda_ignored_row_stride"))
    call.row_stride = call.blocks_per_row * layout_of(call.format).length;
  call = joined(call);
  kernels::blocks::with_format(call.format, [&](auto tag) {
    constexpr BlockFormat format = decltype(tag)::value;
    if constexpr (is_encoded(format)) {
      const std::int64_t tiles = (call.blocks_per_row + Tile<format>::blocks - 1) / Tile<format>::blocks;
      const dim3 grid(static_cast<unsigned>(std::min<std::int64_t>(tiles, 1 << 30)),
                      static_cast<unsigned>(std::min<std::int64_t>(call.rows, 65535)));
      quantize_tiles<format><<<grid, Tile<format>::threads, 0, stream>>>(call, Faults{});
    }
  });
  detail::check(cudaGetLastError(), "quant.quantize: launch");
}

}  // namespace assay::kernels::quant
