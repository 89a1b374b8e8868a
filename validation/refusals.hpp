#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/runtime/error.hpp"
#include "engine/runtime/status_word.hpp"
#include "validation/suite.hpp"

namespace assay::validation {

/// What a refusal is about: how the arguments fit together, or a value inside a tensor. On CUDA the values
/// lie in device memory, and a kernel that meets a bad one is heard of at the next synchronisation.
enum class RefusalOf : std::uint8_t { argument, value };

/// Holds that the operation refuses the arguments with a ContractError that names the argument. A refusal of
/// a value may be the DeviceError of DeviceStatus::value_out_of_range on the cuda backend, which names none.
inline void expect_refused(Probe& probe, std::string_view operation, const HostArguments& arguments,
                           std::string_view argument, std::string_view why,
                           RefusalOf what = RefusalOf::argument) {
  try {
    probe.run(operation, arguments);
  } catch (const ContractError& error) {
    probe.expect(error.argument() == argument, std::string(why) + ": refused, but by '" + error.argument() +
                                                   "' where '" + std::string(argument) + "' was expected");
    return;
  } catch (const DeviceError& error) {
    if (what != RefusalOf::value || probe.backend() != Backend::cuda || error.sticky()) throw;
    probe.expect(error.what() == std::string_view(message_of(DeviceStatus::value_out_of_range)),
                 std::string(why) + ": refused, but by '" + error.what() + "'");
    return;
  }
  probe.expect(false, std::string(why) + ": was not refused");
}

}  // namespace assay::validation
