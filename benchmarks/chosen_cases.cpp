#include "benchmarks/chosen_cases.hpp"

#include <algorithm>

#include "benchmarks/runner.hpp"

namespace assay::benchmarks {

std::vector<ChosenCase> choose_cases(const std::vector<Suite>& suites,
                                     const std::function<bool(const std::string& operation)>& wanted,
                                     const std::vector<std::string>& names, Backend backend) {
  std::vector<ChosenCase> all;
  for (const Suite& suite : suites) {
    const Operation* operation = find_operation(suite.operation());
    if (operation == nullptr || (wanted && !wanted(suite.operation()))) continue;
    for (const Case& item : suite.cases())
      if (runs_on(*operation, item, backend))
        all.push_back({operation, &item, name_of(operation->name, item, backend)});
  }
  if (names.empty()) return all;
  std::vector<ChosenCase> chosen;
  for (const std::string& name : names) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const ChosenCase& one) { return one.name == name; });
    if (found != all.end()) chosen.push_back(*found);
  }
  return chosen;
}

std::string digest_of(const std::map<std::string, Tensor>& outputs) {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto take = [&](const void* data, std::size_t bytes) {
    const auto* at = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) hash = (hash ^ at[i]) * 1099511628211ULL;
  };
  for (const auto& [name, tensor] : outputs) {
    take(name.data(), name.size());
    take(tensor.view().data, tensor.bytes());
  }
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[hash >> shift & 15];
  return text;
}

}  // namespace assay::benchmarks
