#include "kernels/filters/left.hpp"

#include "kernels/filters/cut.hpp"

namespace assay::kernels::filters {

std::size_t RowScratch::bytes(std::int64_t tokens) {
  const auto room = static_cast<std::size_t>(padded(tokens));
  return room * (sizeof(float) + sizeof(std::int32_t) + sizeof(std::uint64_t) + sizeof(double) +
                 2 * sizeof(Item<double>));
}

RowScratch::RowScratch(std::byte* memory, std::int64_t tokens) {
  const auto room = static_cast<std::size_t>(padded(tokens));
  items = memory;
  memory += 2 * room * sizeof(Item<double>);
  weights = reinterpret_cast<std::uint64_t*>(memory);
  memory += room * sizeof(std::uint64_t);
  keys = reinterpret_cast<double*>(memory);
  memory += room * sizeof(double);
  logits = reinterpret_cast<float*>(memory);
  memory += room * sizeof(float);
  ids = reinterpret_cast<std::int32_t*>(memory);
}

}  // namespace assay::kernels::filters
