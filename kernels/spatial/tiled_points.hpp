#pragma once

// CUDA only: included by .cu files.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/spatial/rows.hpp"

namespace assay::kernels::spatial {

/// (n, d) doubles in device memory, row-major; n < 2^31.
struct DevicePoints {
  const double* data;
  std::int64_t n;
  std::int64_t d;
};

/// Coordinates are compared in registers up to this many dimensions, out of shared memory up to the second
/// number, and out of global memory beyond it.
inline constexpr int most_fixed_dimensions = 4;
inline constexpr int most_staged_dimensions = 64;

/// Points of a tile. A multiple of 128, so that groups of up to 32 lanes walk it in whole steps of four
/// points a lane.
template <int D>
__host__ __device__ constexpr int tile_points(int d) {
  return D == 0 && d > 16 ? 128 : 256;
}

/// Doubles from one column of a tile to the next: even, for vectors of two, and off the multiples of 16, so
/// that the threads that bring the d coordinates of neighbouring points meet in few banks.
template <int D>
__host__ __device__ constexpr int tile_stride(int d) {
  return tile_points<D>(d) + (D == 2 ? 8 : D == 3 ? 6 : D == 4 ? 4 : 2);
}

/// Bytes of dynamic shared memory: a tile, and where dimensions are not fixed the coordinates of the block's
/// own points.
template <int D>
constexpr std::size_t tile_bytes(int d, int queries) {
  if (D < 0) return 0;
  return sizeof(double) * static_cast<std::size_t>(d) *
         static_cast<std::size_t>(tile_stride<D>(d) + (D == 0 ? queries : 0));
}

/// All points, tile by tile, held against one point of this thread. D: dimensions; 0: as many as there are,
/// out of shared memory; -1: as many as there are, out of global memory. A difference is |a - b|, rounded
/// once.
template <int D, int Threads>
class TiledPoints {
 public:
  /// `room` has tile_bytes; the block holds `queries` points from row `first_query` on, this thread row `row`
  /// at place `slot` of them. The last `ignored` coordinates are left out: a planted fault.
  __device__ TiledPoints(DevicePoints points, double2* room, std::int64_t first_query, int queries,
                         std::int64_t row, int slot, int ignored)
      : points_(points),
        room_(room),
        queries_(queries),
        used_(static_cast<Index>(D > 0 ? D : points.d) - ignored) {
    if constexpr (D > 0) {
#pragma unroll
      for (int c = 0; c < D; ++c) own_[c] = points.data[row * D + c];
    } else if constexpr (D == 0) {
      const int d = static_cast<int>(points.d);
      double* own = reinterpret_cast<double*>(room) + d * tile_stride<D>(d);
      for (int e = static_cast<int>(threadIdx.x); e < queries * d; e += Threads) {
        const std::int64_t held = first_query + e / d;
        own[e % d * queries + e / d] = points.data[(held < points.n ? held : points.n - 1) * d + e % d];
      }
      query_ = own + slot;
    } else {
      query_ = points.data + row * points.d;
    }
  }

  __device__ int size() const {
    return tile_points<D>(static_cast<int>(points_.d));
  }

  /// Brings the tile that begins with row `first`; `padding` in place of rows beyond the last. By all threads
  /// of the block, between two barriers of the caller: the one before, for those who still read, and the one
  /// after.
  __device__ void bring(std::int64_t first, double padding) {
    first_ = first;
    if constexpr (D >= 0) {
      const int d = dimensions();
      const std::int64_t left = points_.n - first;
      const int held = static_cast<int>(left < size() ? left : size()) * d;
      const double* from = points_.data + first * d;
      double* tile = reinterpret_cast<double*>(room_);
      int column = static_cast<int>(threadIdx.x) % d;
      int point = static_cast<int>(threadIdx.x) / d;
      for (int e = static_cast<int>(threadIdx.x); e < size() * d; e += Threads) {
        tile[column * tile_stride<D>(d) + point] = e < held ? from[e] : padding;
        column += Threads % d;
        point += Threads / d;
        if (column >= d) {
          column -= d;
          ++point;
        }
      }
    }
  }

  /// Place within the tile of each of the four points that `test_four` looks at, rising with `which`.
  __device__ static int place(int pair, int lanes, int which) {
    return 2 * (pair + which / 2 * lanes) + which % 2;
  }

  /// Whether the differences in all coordinates pass, for each of four points of the tile.
  template <typename Test>
  __device__ void test_four(bool (&passes)[4], int pair, int lanes, Test test) const {
    if constexpr (D >= 0) {
      passes[0] = passes[1] = passes[2] = passes[3] = true;
      const int stride = tile_stride<D>(dimensions()) / 2;
      const auto coordinate = [&](int c) {
        const double q = own(c);
        const double2 near = room_[c * stride + pair];
        const double2 far = room_[c * stride + pair + lanes];
        passes[0] &= test(fabs(near.x - q));
        passes[1] &= test(fabs(near.y - q));
        passes[2] &= test(fabs(far.x - q));
        passes[3] &= test(fabs(far.y - q));
      };
      if constexpr (D > 0) {
#pragma unroll
        for (int c = 0; c < D; ++c)
          if (c < used_) coordinate(c);
      } else {
        // With many dimensions most points are out after a few of them.
        bool some = true;
        for (int c = 0; some && c < used_;) {
          const int end = c + 8 < used_ ? c + 8 : used_;
          for (; c < end; ++c) coordinate(c);
          some = passes[0] || passes[1] || passes[2] || passes[3];
        }
      }
    } else {
      for (int which = 0; which < 4; ++which) {
        const std::int64_t row = first_ + place(pair, lanes, which);
        passes[which] = row < points_.n && test_row(row, test);
      }
    }
  }

  /// The same for one row, out of global memory.
  template <typename Test>
  __device__ bool test_row(std::int64_t row, Test test) const {
    const double* other = points_.data + row * points_.d;
    if constexpr (D > 0) {
      bool passes = true;
#pragma unroll
      for (int c = 0; c < D; ++c)
        if (c < used_) passes &= test(fabs(other[c] - own(c)));
      return passes;
    } else {
      for (Index c = 0; c < used_; ++c)
        if (!test(fabs(other[c] - own(c)))) return false;
      return true;
    }
  }

  /// Largest difference from a point of the tile; the point exists.
  __device__ double distance(int place) const {
    double largest = 0;
    const auto coordinate = [&](Index c) {
      const double other =
          D >= 0 ? reinterpret_cast<const double*>(room_)[c * tile_stride<D>(dimensions()) + place]
                 : points_.data[(first_ + place) * points_.d + c];
      const double difference = fabs(other - own(c));
      largest = difference > largest ? difference : largest;
    };
    if constexpr (D > 0) {
#pragma unroll
      for (int c = 0; c < D; ++c)
        if (c < used_) coordinate(c);
    } else {
      for (Index c = 0; c < used_; ++c) coordinate(c);
    }
    return largest;
  }

 private:
  // A tile of more dimensions than are staged may have more than an int counts.
  using Index = std::conditional_t<(D < 0), std::int64_t, int>;

  __device__ int dimensions() const {
    return D > 0 ? D : static_cast<int>(points_.d);
  }

  __device__ double own(Index c) const {
    if constexpr (D > 0)
      return own_[c];
    else
      return query_[D == 0 ? c * queries_ : c];
  }

  DevicePoints points_;
  double2* room_;
  int queries_;
  Index used_;
  std::int64_t first_ = 0;
  double own_[D > 0 ? D : 1];
  const double* query_ = nullptr;
};

/// How many lanes of a warp share one point's search, a power of two. `automatic`: as many as it takes to
/// have 65,536 threads, which occupy each multiprocessor of a large device with 15 warps; the other values
/// set it, so that a check can hold every way to the reference at any size.
inline int lanes_for(std::int64_t n, std::int64_t d, Search search) {
  constexpr std::int64_t wanted = 65536;
  std::int64_t lanes = search == Search::tree ? 8 : 1;
  while (search == Search::automatic && lanes < 32 && n * lanes < wanted) lanes *= 2;
  // The coordinates of more than 32 points of a block would take too much of its shared memory.
  const bool staged = d > most_fixed_dimensions && d <= most_staged_dimensions;
  return static_cast<int>(staged && lanes < 4 ? 4 : lanes);
}

template <int D>
using Dimensions = std::integral_constant<int, D>;

/// Calls `body` with the Dimensions<D> of TiledPoints that d >= 1 dimensions take.
template <typename Body>
void for_dimensions(std::int64_t d, Body body) {
  static_assert(most_fixed_dimensions == 4);
  if (d == 1) return body(Dimensions<1>());
  if (d == 2) return body(Dimensions<2>());
  if (d == 3) return body(Dimensions<3>());
  if (d == 4) return body(Dimensions<4>());
  if (d <= most_staged_dimensions) return body(Dimensions<0>());
  body(Dimensions<-1>());
}

}  // namespace assay::kernels::spatial
