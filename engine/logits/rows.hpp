#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/operation.hpp"
#include "engine/tensors/logit_rows.hpp"

/// Arguments of operations on rows of logits.
///
/// logits: (rows, tokens) f32, f16 or bf16, 1 to 300,000 tokens; rows may be strided, tokens lie side by
///         side. A NaN is taken as -Inf, and -0 as +0. A token at -Inf is left like any other and has no
///         probability; tokens at +Inf share all of it.
/// mask:   (rows, ceil(tokens / 32)) u32: bit i % 32 of word i / 32 says whether token i is allowed, as a
///         grammar's bitmask has it. Tokens that are not allowed do not exist for the operation; bits beyond
///         the last token are ignored. Where it is absent all are allowed.
///
/// Tokens are in order by falling logit, those of equal logits by rising id.
namespace assay::logits {

inline constexpr std::int64_t most_tokens = 300'000;

TensorInfo describe_logits();
TensorInfo describe_mask();
/// One value a row.
TensorInfo describe_per_row(std::string name, std::string summary, DType dtype, bool optional = false);

std::int64_t words_of(std::int64_t tokens);

/// Checks shape, type, layout and place. Throws ContractError.
void check_logits(std::string_view operation, const Context& context, const ConstTensorView& logits);
/// The mask's words, or nullptr where it is absent.
const std::uint32_t* check_mask(std::string_view operation, const Context& context,
                                const std::optional<ConstTensorView>& mask, std::int64_t rows,
                                std::int64_t tokens);
/// Both; the rows as bodies take them.
LogitRows check_rows(std::string_view operation, const Context& context, const ConstTensorView& logits,
                     const std::optional<ConstTensorView>& mask);
/// An output of that type and shape, contiguous.
void check_output(std::string_view operation, std::string_view argument, const Context& context,
                  const TensorView& view, DType dtype, const Shape& shape);

/// One value a row: its elements, or nullptr where it is absent. On the CPU each is held to `legal`; on CUDA
/// the kernel looks, and the next synchronisation throws DeviceError. `expected` ends the message: "a number
/// up to 1".
template <typename T>
const T* check_per_row(std::string_view operation, std::string_view argument, const Context& context,
                       const std::optional<ConstTensorView>& view, std::int64_t rows,
                       const std::function<bool(T)>& legal, std::string_view expected);

/// Logits are looked at once each; bytes: those of the logits, and `written`.
Work work_of(const Arguments& arguments, double written);
/// A claim that rows do not depend on each other, over these inputs and outputs.
BatchClaim rows_apart(std::initializer_list<const char*> inputs, std::initializer_list<const char*> outputs);

/// The input of that name where it is given.
std::optional<ConstTensorView> maybe(const Arguments& arguments, std::string_view name);

}  // namespace assay::logits
