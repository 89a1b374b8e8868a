#pragma once

#include <cstdint>
#include <string_view>

namespace assay {

/// Where an operation's body runs. `reference` is the literal Eigen formula in double: the truth, never fast.
enum class Backend : std::uint8_t { cpu, cuda, reference };

constexpr std::string_view name_of(Backend backend) {
  switch (backend) {
    case Backend::cpu:
      return "cpu";
    case Backend::cuda:
      return "cuda";
    case Backend::reference:
      return "reference";
  }
  return "?";
}

}  // namespace assay
