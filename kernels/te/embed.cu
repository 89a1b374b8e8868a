// te.embed on CUDA: a copy. A block takes a tile of the embedded matrix, whole rows of it where they are
// short, and writes it element by element in the order of memory, neighbouring threads side by side. What it
// reads are rows of the series that lie together, most of them several times: from the first-level cache.
//
// Where trials cut the series, the time of an observation is looked up once a row, by bisection, and kept in
// shared memory for the columns.
#include <algorithm>
#include <cstdint>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/te/embed.hpp"
#include "kernels/upload/bytes.hpp"

namespace assay::kernels::te {

namespace {

constexpr int threads = 256;
constexpr int most_rows = 256;       // of a tile
constexpr int most_elements = 2048;  // of a tile

struct Embedding {
  const double* series;  ///< (rows, width)
  std::int64_t width;
  const std::int64_t* offsets;  ///< (d)
  std::int64_t d;
  const std::int64_t* firsts;  ///< (segments)
  const std::int64_t* shifts;  ///< (segments)
  std::int64_t segments;
  std::int64_t n;
  double* embedded;     ///< (n, d)
  std::int64_t* times;  ///< (n)
#ifdef ASSAY_MUTANTS
  // planted faults
  bool off_by_one = mutant("te.embed.cuda_segment_off_by_one");
  bool first_shift = mutant("te.embed.cuda_shift_of_first_trial");
  bool columns_reversed = mutant("te.embed.cuda_columns_reversed");
#else
  static constexpr bool off_by_one = false, first_shift = false, columns_reversed = false;
#endif
};

/// Row of the series that an observation belongs to.
__device__ std::int64_t time_of(const Embedding& call, std::int64_t observation) {
  std::int64_t low = 0, high = call.segments;  // firsts[low] <= observation < firsts[high]
  while (high - low > 1) {
    const std::int64_t middle = (low + high) / 2;
    const bool reached =
        call.off_by_one ? call.firsts[middle] < observation : call.firsts[middle] <= observation;
    if (reached)
      low = middle;
    else
      high = middle;
  }
  return observation + call.shifts[call.first_shift ? 0 : low];
}

/// Tiles of `rows` rows by `columns` columns: as many blocks one above the other as it takes, and beside each
/// other while the grid has room.
__global__ void __launch_bounds__(threads) embed_tiles(Embedding call, int rows, int columns) {
  __shared__ std::int64_t row_times[most_rows];
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t first_row = std::int64_t{blockIdx.x} * rows;
  const int held_rows = static_cast<int>(call.n - first_row < rows ? call.n - first_row : rows);
  if (thread < held_rows) {
    row_times[thread] = time_of(call, first_row + thread);
    if (blockIdx.y == 0) call.times[first_row + thread] = row_times[thread];
  }
  __syncthreads();
  for (std::int64_t first_column = std::int64_t{blockIdx.y} * columns; first_column < call.d;
       first_column += std::int64_t{gridDim.y} * columns) {
    const int held_columns =
        static_cast<int>(call.d - first_column < columns ? call.d - first_column : columns);
    for (int e = thread; e < held_rows * held_columns; e += threads) {
      const int row = e / held_columns;
      const std::int64_t column = first_column + e % held_columns;
      call.embedded[(first_row + row) * call.d + column] =
          call.series[row_times[row] * call.width +
                      call.offsets[call.columns_reversed ? call.d - 1 - column : column]];
    }
  }
}

}  // namespace

void embed_cuda(CUstream_st* stream, spatial::Rows series, const EmbeddingTables& tables,
                std::span<std::int64_t> room, std::int64_t n, double* embedded, std::int64_t* times) {
  const std::size_t d = tables.offsets.size();
  const std::size_t segments = tables.firsts.size();
  const std::span<std::int64_t> offsets = room.first(d);
  const std::span<std::int64_t> firsts = room.subspan(d, segments);
  const std::span<std::int64_t> shifts = room.subspan(d + segments, segments);
  upload::upload_cuda<std::int64_t>(stream, offsets, tables.offsets);
  upload::upload_cuda<std::int64_t>(stream, firsts, tables.firsts);
  upload::upload_cuda<std::int64_t>(stream, shifts, tables.shifts);
  const Embedding call{series.data,
                       series.d,
                       offsets.data(),
                       static_cast<std::int64_t>(d),
                       firsts.data(),
                       shifts.data(),
                       static_cast<std::int64_t>(segments),
                       n,
                       embedded,
                       times};
  const int columns = static_cast<int>(std::min<std::size_t>(d, most_elements));
  const int rows = std::clamp(most_elements / columns, 1, most_rows);
  std::int64_t row_tiles = (n + rows - 1) / rows;
  if (mutant("te.embed.cuda_lost_tile") && row_tiles > 1) --row_tiles;
  const std::int64_t column_tiles = (call.d + columns - 1) / columns;
  const dim3 grid(static_cast<unsigned>(row_tiles),
                  static_cast<unsigned>(std::min<std::int64_t>(column_tiles, 32768)));
  embed_tiles<<<grid, threads, 0, stream>>>(call, rows, columns);
  detail::check(cudaGetLastError(), "te.embed: launch");
}

}  // namespace assay::kernels::te
