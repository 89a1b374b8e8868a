#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/suite.hpp"

namespace assay::benchmarks::filters {

/// The input `logits`: (rows, tokens) f32 as a language model's last layer gives them, close to normal with a
/// standard deviation of 3.
HostArguments logits_of(std::int64_t rows, std::int64_t tokens, std::uint64_t seed);

/// The same value for each row.
template <typename T>
void add_per_row(HostArguments& arguments, const char* name, T value) {
  const std::int64_t rows = arguments.inputs.at("logits").shape()[0];
  arguments.inputs.emplace(name, Tensor::from(std::vector<T>(static_cast<std::size_t>(rows), value), {rows}));
}

/// Cases of 1, 32 and 256 rows of the vocabularies of today's models. `prefix`: what the label begins with.
/// `complete` adds the parameters to the logits.
void add_cases(Suite& suite, const std::string& prefix, const std::function<void(HostArguments&)>& complete);

}  // namespace assay::benchmarks::filters
