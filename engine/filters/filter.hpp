#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/filters/parameters.hpp"

namespace assay {
class ThreadPool;
}
namespace assay::kernels::filters {
struct FilterCall;
}

/// A step of a sampling chain, or a few, as an operation on rows of logits (engine/logits/rows.hpp).
namespace assay::filters {

struct RowInputs {
  ConstTensorView logits;
  std::optional<ConstTensorView> mask;
};

/// What an operation that drops tokens gives: kept (rows) i32, how many are left; left
/// (rows, ceil(tokens / 32)) u32, their bits; left_logits (rows, tokens) f32, their logits, -Inf for the
/// others.
struct Survivors {
  TensorView kept, left, left_logits;
};

/// All that such operations give; what is absent is not asked for. `adjusted`: left_logits under another
/// name.
struct FilterOutputs {
  std::optional<TensorView> kept, left, left_logits, adjusted, probabilities;
};
FilterOutputs outputs_of(const Survivors& survivors);

/// The CPU body of an operation.
using CpuBody = void (*)(ThreadPool&, const kernels::filters::FilterCall&, std::span<std::byte> scratch);

/// Checks the arguments and runs on the context's backend: `body` on the CPU, the steps on CUDA. Throws
/// ContractError; on CUDA a parameter out of its range is a DeviceError at the next synchronisation.
void run(Context& context, std::string_view operation, const kernels::filters::Steps& steps, CpuBody body,
         const RowInputs& rows, const StepInputs& parameters, std::int64_t min_keep,
         const FilterOutputs& outputs);

/// One parameter of an operation, by the name that describe_parameter knows.
struct Takes {
  const char* name;
  bool optional = false;
};

/// Whether an operation has the parameter min_keep.
enum class MinKeep : bool { no, yes };

/// Descriptions with inputs, outputs, shapes, work and claims: one that drops tokens (outputs of Survivors),
/// and one that changes logits (output `adjusted`). Summary, paper, error model and body are the
/// operation's.
Operation describe_filter(std::string name, std::initializer_list<Takes> parameters, MinKeep min_keep);
Operation describe_adjustment(std::string name, std::initializer_list<Takes> parameters);
/// One that gives probabilities (output `probabilities`) and `kept`.
Operation describe_distribution(std::string name, std::initializer_list<Takes> parameters, MinKeep min_keep);

/// The arguments of a resolved call.
RowInputs rows_in(const Arguments& arguments);
Survivors survivors_in(const Outputs& outputs);

}  // namespace assay::filters
