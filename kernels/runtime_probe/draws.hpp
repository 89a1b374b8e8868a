#pragma once

#include "engine/runtime/host_device.hpp"
#include "engine/runtime/philox.hpp"
#include "engine/tensors/half.hpp"
#include "kernels/runtime_probe/philox.hpp"

namespace assay::kernels::runtime_probe {

ASSAY_HOST_DEVICE inline Draws draw_all(std::uint64_t seed, std::uint64_t stream) {
  Philox random(seed, stream);
  Draws draws{};
  draws.word = random.next_u32();
  draws.long_word = random.next_u64();
  draws.uniform = random.uniform();
  draws.uniform_float = random.uniform_float();
  draws.normal = random.normal();
  draws.below = random.below(1000003);
  random.permutation(draws.permutation, 8);
  draws.half = to_half(draws.uniform_float - 0.5f).bits;
  draws.bfloat16 = to_bfloat16(draws.uniform_float - 0.5f).bits;
  return draws;
}

}  // namespace assay::kernels::runtime_probe
