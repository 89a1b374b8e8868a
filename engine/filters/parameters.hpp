#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/operation.hpp"

namespace assay::kernels::filters {
struct StepParameters;
struct Steps;
}  // namespace assay::kernels::filters

namespace assay::filters {

/// What the steps of a sampling chain take: one value a row, (rows), or one row of ids. Which of them a call
/// needs follows from its steps; the others are ignored.
///
/// penalties    previous (rows, length) i32, ids seen, the oldest first, below 0: padding; repetition f32 > 0
///              (1 where absent), presence and frequency f32 finite (0 where absent), last_n i32 (the last so
///              many of `previous` count; all where absent; 0 or less switches the step off)
/// bias         bias_ids (rows, count) i32, below 0: padding; biases (rows, count) f32, no NaN
/// temperature  f32, finite
/// top_k        i32
/// top_p, min_p, typical_p  f64, no NaN; min_p at most 1
struct StepInputs {
  std::optional<ConstTensorView> temperature, top_k, top_p, min_p, typical_p, repetition, presence, frequency,
      last_n, previous, bias_ids, biases;
};

/// How an operation describes the input of that name.
TensorInfo describe_parameter(std::string_view name, bool optional);

/// Checks what the steps need and finds its elements; min_keep is left as it is. Throws ContractError by
/// argument and row. Values in device memory are not looked at: the kernel does that.
kernels::filters::StepParameters check_parameters(std::string_view operation, const Context& context,
                                                  const kernels::filters::Steps& steps,
                                                  const StepInputs& inputs, std::int64_t rows,
                                                  std::int64_t tokens);

}  // namespace assay::filters
