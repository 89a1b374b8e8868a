#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/llm/gguf/model_files.hpp"

namespace assay::gguf {

/// Why a tensor is written with the type it has in the plan.
enum class PlanReason : std::uint8_t {
  kept,       ///< not a matrix of weights: norms, biases, positions, routers, and whatever is small
  same_type,  ///< it has the type already
  quantized,  ///< as asked
  fallback    ///< its rows fill no whole blocks of what was asked
};

struct PlannedTensor {
  const File* file = nullptr;  ///< the part that holds it
  const TensorEntry* tensor = nullptr;
  TensorType type = TensorType::f32;  ///< that is written
  PlanReason reason = PlanReason::kept;

  bool converted() const { return type != tensor->type; }
  std::uint64_t bytes() const;  ///< that are written
};

/// What a quantised file holds. The views in it are those of the files that it was made for.
struct QuantizePlan {
  TensorType type = TensorType::q4_0;
  std::uint32_t file_type = 0;  ///< general.file_type, llama.cpp's numbers
  std::vector<PlannedTensor> tensors;

  std::uint64_t count(PlanReason reason) const;
  std::uint64_t bytes() const;  ///< of all tensors, without what aligns them
  /// Tensors whose stored blocks are decoded to be encoded again: they lose accuracy twice.
  std::uint64_t requantized() const;
};

/// Types that a file can be written with: those of quant.quantize, and F16.
std::vector<std::string> quantize_type_names();

/// The type that a name stands for, in letters of either case. Errors: a type that needs an importance
/// matrix, one that is not written, an unknown name, each with what was expected.
Result<TensorType> quantize_type_named(std::string_view name);

/// Decides each tensor's type, as llama.cpp's quantizer does (llama-quant.cpp, tensor_allows_quantization and
/// tensor_type_fallback, with --pure): tensors of two dimensions and more whose names end in "weight" take
/// the type, norms, expert routers, positions, convolutions and other small ones stay as they are. Rows that
/// fill no whole blocks of Q4_K take Q5_0, of Q6_K Q8_0, and those that fill no blocks of 32 either take F16
/// (where llama.cpp refuses other types). `output_type` is for output.weight or, where there is none, the
/// embedding that stands in for it; llama.cpp without --pure takes Q6_K there. Tensors of integers stay as
/// they are. Errors: a tensor to be converted whose type is not decoded.
Result<QuantizePlan> plan_quantization(const ModelFiles& files, TensorType type,
                                       std::optional<TensorType> output_type = std::nullopt);

}  // namespace assay::gguf
