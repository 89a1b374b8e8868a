#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/suite.hpp"

namespace assay::benchmarks::peers {

/// What torch_sampling.py answered. Lists with one number a row are empty where the work gives none.
struct TorchAnswer {
  std::int64_t rows = 0, tokens = 0;
  std::vector<std::int64_t> token;  ///< drawn, or of the maximum
  std::vector<std::int64_t> kept;   ///< tokens left
  std::vector<double> value;        ///< the largest probability, or its logarithm
  PeerTimes times;  ///< notes: torch, device, and where given graph, draw, no_graph, no_multinomial
};

/// Throws std::runtime_error: with the reason where the script gives one, and where the line is no answer.
TorchAnswer parse_torch_answer(std::string_view line);

/// The roundings of a float32 sum of so many probabilities in any order, each of them from a float32
/// exponential: gamma_m = m u / (1 - m u), u = 2^-24, m = terms + 64. The terms' own: x - max and a division
/// by the temperature are rounded, which moves exp by 2 u |x - max|, with |x - max| up to 24 where the term
/// is not below u itself; 2 ulp for the exponential, 1 for a quotient. That is below 64 u.
double float32_sum_error(std::int64_t terms);

/// Throws std::runtime_error where the answer is not ours within what float32 allows (torch.hpp). Adds what
/// there is to say of rows that differ to `answer`'s notes.
void compare_with_ours(const Operation& operation, const HostArguments& arguments, TorchAnswer& answer);

}  // namespace assay::benchmarks::peers
