#pragma once

#include <cstdint>
#include <span>

#include "kernels/filters/cut.hpp"

namespace assay::kernels::filters {

/// Keys from so many on are worth their bins.
inline constexpr std::int64_t worth_bins = 1'024;

/// find_cut for many keys of up to `most` (finite): masses of bins between it and `least`, and of one for
/// what is below, say which bin holds the cut, and only that is searched. The bins are in the order of the
/// keys, for every operation that makes a bin of a key is monotone. `room` takes 2 x keys.size() items, and
/// `bin_of` as many numbers.
Cut<float> find_cut_by_bins(std::span<const float> keys, const std::uint64_t* weights, std::uint64_t needed,
                            float least, float most, Item<float>* room, std::int32_t* bin_of);

}  // namespace assay::kernels::filters
