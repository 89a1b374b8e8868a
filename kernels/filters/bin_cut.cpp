#include "kernels/filters/bin_cut.hpp"

#include "kernels/filters/passes.hpp"

namespace assay::kernels::filters {

Cut<float> find_cut_by_bins(std::span<const float> keys, const std::uint64_t* weights, std::uint64_t needed,
                            float least, float most, Item<float>* room, std::int32_t* bin_of) {
  constexpr int bins = 1024;
  const auto all = static_cast<std::int64_t>(keys.size());
  const float scale = (bins - 1) / (most - least);
  if (!(most - least > 0) || !(scale < 0x1p100F)) return find_cut<float>(keys, weights, needed, room);
  bins_below(keys.data(), all, most, scale, bins, bin_of);
  std::uint64_t masses[bins + 1] = {};
  for (std::int64_t i = 0; i < all; ++i) masses[bin_of[i]] += weights[i];
  std::int32_t bin = 0;
  while (masses[bin] < needed) needed -= masses[bin++];
  std::int32_t* const inside = bin_of + all;
  const std::int64_t count = list_equal(bin_of, all, bin, inside);
  const auto at = [&](std::int64_t i) {
    return Item<float>{keys[static_cast<std::size_t>(inside[i])], weights[inside[i]]};
  };
  return find_cut_among<float>(count, at, needed, masses[bin], room);
}

}  // namespace assay::kernels::filters
