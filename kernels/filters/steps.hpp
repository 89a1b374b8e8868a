#pragma once

#include <cstdint>
#include <initializer_list>

namespace assay::kernels::filters {

/// One step of a sampling chain.
enum class Step : std::uint8_t { penalties, bias, temperature, top_k, top_p, min_p, typical };

inline constexpr int most_steps = 16;

/// The steps in the order that they are applied.
struct Steps {
  Step list[most_steps]{};
  int count = 0;
};

/// Precondition: at most `most_steps`.
constexpr Steps steps_of(std::initializer_list<Step> order) {
  Steps steps;
  for (const Step step : order) steps.list[steps.count++] = step;
  return steps;
}

/// One value a row for each step, nullptr where the step does not occur.
struct StepParameters {
  const float* temperature = nullptr;
  const std::int32_t* top_k = nullptr;
  const double* top_p = nullptr;
  const double* min_p = nullptr;
  const double* typical = nullptr;
  const float* repetition = nullptr;  ///< absent: 1; presence and frequency: 0; last_n: all
  const float* presence = nullptr;
  const float* frequency = nullptr;
  const std::int32_t* last_n = nullptr;
  const std::int32_t* previous = nullptr;  ///< (rows, previous_length), ids below 0 are padding
  std::int64_t previous_length = 0;
  const std::int32_t* bias_ids = nullptr;  ///< (rows, biases), ids below 0 are padding
  const float* biases = nullptr;
  std::int64_t bias_count = 0;
  std::int64_t min_keep = 1;
};

}  // namespace assay::kernels::filters
