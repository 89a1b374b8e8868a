#include "benchmarks/logits/model_logits.hpp"

#include <algorithm>

#include "engine/runtime/philox.hpp"
#include "engine/tensors/half.hpp"

namespace assay::benchmarks::logits {

namespace {

template <typename Element>
Tensor filled(const Shape& shape, std::uint64_t seed) {
  Tensor made(dtype_of<Element>(), shape);
  const auto values = made.as<Element>();
  constexpr std::size_t drawn = (std::size_t{1} << 22) - 3;
  Philox random(seed);
  for (std::size_t at = 0; at < std::min(drawn, values.size()); ++at) {
    float sum = -2;  // four uniforms: cheaper than a normal
    for (int term = 0; term < 4; ++term) sum += random.uniform_float();
    values[at] = from_float<Element>(3 * 1.7320508F * sum);
  }
  for (std::size_t at = drawn; at < values.size(); ++at) values[at] = values[at - drawn];
  return made;
}

}  // namespace

Tensor model_logits(DType type, const Shape& shape, std::uint64_t seed) {
  if (type == DType::f16) return filled<Half>(shape, seed);
  if (type == DType::bf16) return filled<BFloat16>(shape, seed);
  return filled<float>(shape, seed);
}

}  // namespace assay::benchmarks::logits
