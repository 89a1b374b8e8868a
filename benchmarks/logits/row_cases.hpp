#pragma once

#include <cstdint>
#include <functional>

#include "benchmarks/suite.hpp"

namespace assay::benchmarks::logits {

/// What an operation on rows is given beside the logits.
using AddInputs = std::function<void(HostArguments& arguments, std::int64_t rows)>;

/// 1, 32 and 256 rows of 128,256 logits, f32 and bf16. The f32 cases stand beside PyTorch; the CPU has those
/// of up to 32 rows.
void add_row_cases(Suite& suite, const AddInputs& add = {});

}  // namespace assay::benchmarks::logits
