#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "engine/tensors/tensor.hpp"
#include "validation/kept.hpp"

namespace assay::validation {

/// What numbers a cloud is filled with.
enum class Filling : std::uint8_t {
  grid,        ///< small integers 0 .. 7: sums and differences are exact, ties everywhere
  gaussian,    ///< close to standard normal
  cauchy,      ///< heavy-tailed
  quantised,   ///< normal, rounded to multiples of 1/4: ties
  constant,    ///< one value
  duplicates,  ///< each row three times
  ladder,      ///< row i holds i: equidistant, ties at every distance
  mixed        ///< columns whose scales differ by powers of two up to 2^20
};
inline constexpr int filling_count = 8;
std::string_view name_of(Filling filling);

/// A recipe for an array of doubles. It is drawn and shrunk in place of the values: RapidCheck shrinks floats
/// only to 0, -x and trunc, one at a time, and knows nothing of shapes.
struct Cloud {
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  Filling filling = Filling::grid;
  std::uint64_t seed = 0;
  int exponent = 0;      ///< all values times 2^exponent
  Kept kept = {};        ///< the elements that are not set to 0
  bool rounded = false;  ///< values rounded to integers (before the scale)

  /// (rows * columns), row-major. Finite.
  std::vector<double> values() const;
  /// (rows, columns) f64
  Tensor tensor() const;
};
std::ostream& operator<<(std::ostream& out, const Cloud& cloud);

struct CloudLimits {
  std::int64_t min_rows = 1, max_rows = 130;
  /// Shrinks have this many rows or more; -1: min_rows. Less where fewer rows than are drawn are legal too.
  std::int64_t least_rows = -1;
  std::int64_t min_columns = 1, max_columns = 4;
  /// Largest magnitude of the scale's exponent; most clouds have 0.
  int max_exponent = 300;
  std::vector<Filling> fillings = {};  ///< empty: all
};

/// Clouds within the limits; rows prefer the edges of the usual tiles (powers of two, one less, one more) and
/// tiny counts. Shrinks in this order: fewer rows, fewer columns, scale 2^0, fewer elements that are not 0
/// (kept.hpp), rounded values, simpler filling, seed 0.
rc::Gen<Cloud> clouds(CloudLimits limits = {});

/// The shrinks of one cloud, most drastic first.
std::vector<Cloud> simpler(const Cloud& cloud, const CloudLimits& limits);

/// The shrinks of a case by the cloud that it holds.
template <typename Case>
std::vector<Case> simpler_by(const Case& whole, Cloud Case::*cloud, const CloudLimits& limits) {
  std::vector<Case> made;
  for (Cloud& candidate : simpler(whole.*cloud, limits)) {
    made.push_back(whole);
    made.back().*cloud = std::move(candidate);
  }
  return made;
}

/// Integers in [low, high], uniform whatever RapidCheck's size is; shrink towards `low`.
rc::Gen<std::int64_t> integers(std::int64_t low, std::int64_t high, const char* name);

/// n rows cut into at most `count` trials of unequal length (at least one row each), by the seed.
std::vector<std::int64_t> split_trials(std::int64_t rows, std::int64_t count, std::uint64_t seed);

/// A permutation of 0 .. n - 1 by the seed.
std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t seed);

}  // namespace assay::validation
