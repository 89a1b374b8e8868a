#pragma once

#include <string>
#include <string_view>

#include "engine/runtime/error.hpp"
#include "validation/suite.hpp"

namespace assay::validation {

/// Holds that the operation refuses the arguments with a ContractError that names the argument.
inline void expect_refused(Probe& probe, std::string_view operation, const HostArguments& arguments,
                           std::string_view argument, std::string_view why) {
  try {
    probe.run(operation, arguments);
  } catch (const ContractError& error) {
    probe.expect(error.argument() == argument, std::string(why) + ": refused, but by '" + error.argument() +
                                                   "' where '" + std::string(argument) + "' was expected");
    return;
  }
  probe.expect(false, std::string(why) + ": was not refused");
}

}  // namespace assay::validation
