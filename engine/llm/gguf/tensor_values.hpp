#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "engine/llm/gguf/file.hpp"
#include "engine/operation.hpp"

namespace assay::gguf {

/// Elements of a tensor that are held in memory at a time: a multiple of every block's length.
inline constexpr std::uint64_t piece_elements = std::uint64_t{1} << 20;

/// Runs an operation on host arrays: run_on_host on some context, or the reference.
using RunOperation = std::function<std::map<std::string, Tensor>(const Operation&, const Arguments&)>;

/// Takes the values of a tensor piece by piece, in order.
using ReceiveValues = std::function<void(std::span<const float> values)>;

/// Hands a tensor's elements on as floats, `piece_elements` at a time: stored ones one by one as
/// convert_plain has them, blocks and 16-bit ones by quant.dequantize. Without `run`, plain types alone. The
/// type is one of those (precondition).
void read_values(const TensorEntry& tensor, const RunOperation& run, const ReceiveValues& receive);

}  // namespace assay::gguf
