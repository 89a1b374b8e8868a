#pragma once

#include <string>
#include <string_view>

#include "validation/suite.hpp"

namespace assay::validation {

/// Holds that an operation gives the same bits on the CPU with 1, 2, 3 and 5 threads as in the probe's
/// context.
inline void expect_same_on_any_threads(Probe& probe, std::string_view operation,
                                       const HostArguments& arguments) {
  const auto expected = probe.run(operation, arguments);
  const auto compare = [&](Context& context, const std::string& where) {
    const auto outputs = run_on_host(context, *find_operation(operation), arguments.view());
    for (const auto& [name, tensor] : expected) probe.expect_equal(name + where, tensor, outputs.at(name));
  };
  for (const unsigned threads : {1u, 2u, 3u, 5u}) {
    Context context = Context::cpu(threads);
    compare(context, " on " + std::to_string(threads) + " threads");
  }
}

}  // namespace assay::validation
