#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "validation/logits/rows.hpp"

/// Rows that are not drawn, and distributions whose probabilities are known.
namespace assay::validation::logits {

/// So many draws find a total variation of 0.5 % over 16 tokens, or over pairs of 4; and over 64 or 32 tokens
/// (sampler_power_test.cpp).
inline constexpr std::int64_t draws_of_few = 1'000'000, draws_of_many = 1'600'000;

inline Rows rows_of(RowKind filling, std::int64_t rows, std::int64_t tokens, double scale,
                    std::uint64_t seed) {
  Rows made;
  made.filling = filling;
  made.rows = rows;
  made.tokens = tokens;
  made.scale = scale;
  made.seed = seed;
  return made;
}

/// Token i has a share of 1 / (i + 1).
inline std::vector<float> zipf(std::int64_t tokens) {
  std::vector<float> logits;
  for (std::int64_t id = 0; id < tokens; ++id) logits.push_back(-std::log(static_cast<float>(id + 1)));
  return logits;
}

inline std::vector<double> softmax_of(const std::vector<float>& logits) {
  std::vector<double> p;
  for (const float logit : logits) p.push_back(std::exp(static_cast<double>(logit)));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& each : p) each /= sum;
  return p;
}

/// What temperature 2 and a top_k of half the tokens leave of zipf(tokens): token i of the first half has a
/// share of (i + 1)^(-1/2), the others have none.
inline std::vector<double> half_of_zipf_at_two(std::int64_t tokens) {
  std::vector<float> logits = zipf(tokens);
  for (std::size_t id = 0; id < logits.size(); ++id)
    logits[id] = id < logits.size() / 2 ? logits[id] / 2 : -std::numeric_limits<float>::infinity();
  return softmax_of(logits);
}

/// (rows, tokens), the same in each row.
inline Tensor repeated(const std::vector<float>& logits, std::int64_t rows) {
  std::vector<float> all;
  for (std::int64_t row = 0; row < rows; ++row) all.insert(all.end(), logits.begin(), logits.end());
  return Tensor::from<float>(all, {rows, static_cast<std::int64_t>(logits.size())});
}

/// Whether a call's mask allows a token; all are where there is none.
inline bool allows(const HostArguments& arguments, std::int64_t row, std::int64_t id) {
  const auto mask = arguments.inputs.find("mask");
  if (mask == arguments.inputs.end()) return true;
  const std::int64_t words = mask->second.shape()[1];
  const std::uint32_t word =
      mask->second.as<std::uint32_t>()[static_cast<std::size_t>(row * words + id / 32)];
  return (word >> (id % 32) & 1u) != 0;
}

/// Sizes around those where a CUDA body takes another number of blocks, and the longest rows.
inline std::vector<Rows> rows_across_blocks(std::uint64_t seed) {
  struct Size {
    std::int64_t rows, tokens;
    DType type;
    RowKind filling;
    bool masked;
  };
  std::vector<Rows> made;
  for (const Size& size :
       {Size{2, 1'025, DType::f16, RowKind::ties, true}, Size{1, 5'003, DType::f32, RowKind::normal, false},
        Size{70, 2'050, DType::bf16, RowKind::infinite, true},
        Size{140, 1'300, DType::f32, RowKind::zeros, true}, Size{2, 16'385, DType::f32, RowKind::equal, true},
        Size{1, 32'769, DType::f16, RowKind::normal, false},
        Size{1, 65'536, DType::bf16, RowKind::peaked, false},
        Size{1, 131'073, DType::f32, RowKind::tiny, false},
        Size{1, 300'000, DType::f32, RowKind::normal, true},
        Size{1, 300'000, DType::bf16, RowKind::normal, false}}) {
    made.push_back(rows_of(size.filling, size.rows, size.tokens, 3, seed + made.size()));
    made.back().type = size.type;
    made.back().masked = size.masked;
  }
  return made;
}

}  // namespace assay::validation::logits
