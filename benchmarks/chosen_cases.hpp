#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/suite.hpp"

namespace assay::benchmarks {

struct ChosenCase {
  const Operation* operation;
  const Case* item;
  std::string name;  ///< name_of
};

/// The cases that run on a backend: of the operations that are wanted (empty: all), and where there are names
/// those alone, in their order.
std::vector<ChosenCase> choose_cases(const std::vector<Suite>& suites,
                                     const std::function<bool(const std::string& operation)>& wanted,
                                     const std::vector<std::string>& names, Backend backend);

/// FNV-1a over the outputs' names and bits: equal answers have equal digests.
std::string digest_of(const std::map<std::string, Tensor>& outputs);

}  // namespace assay::benchmarks
