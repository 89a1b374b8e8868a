#include "engine/logits/rows.hpp"

#include <type_traits>

#include "engine/runtime/error.hpp"
#include "engine/view_checks.hpp"

namespace assay::logits {

namespace {

[[noreturn]] void refuse(std::string_view operation, std::string_view argument, const std::string& expected) {
  throw ContractError(std::string(operation), std::string(argument), expected);
}

}  // namespace

TensorInfo describe_logits() {
  return {"logits", "rows may be strided", {DType::f32, DType::f16, DType::bf16}, "(rows, tokens)"};
}

TensorInfo describe_mask() {
  return {.name = "mask",
          .summary = "bit i % 32 of word i / 32: whether token i is allowed",
          .dtypes = {DType::u32},
          .shape = "(rows, ceil(tokens / 32))",
          .optional = true};
}

TensorInfo describe_per_row(std::string name, std::string summary, DType dtype, bool optional) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .dtypes = {dtype},
          .shape = "(rows)",
          .optional = optional};
}

std::int64_t words_of(std::int64_t tokens) {
  return (tokens + 31) / 32;
}

void check_logits(std::string_view operation, const Context& context, const ConstTensorView& logits) {
  if (logits.dtype != DType::f32 && logits.dtype != DType::f16 && logits.dtype != DType::bf16)
    refuse(operation, "logits",
           "holds " + std::string(name_of(logits.dtype)) + "; expected f32, f16 or bf16");
  if (logits.rank() != 2)
    refuse(operation, "logits", "has shape " + to_string(logits.shape) + "; expected (rows, tokens)");
  const std::int64_t tokens = logits.extent(1);
  if (tokens < 1 || tokens > most_tokens)
    refuse(operation, "logits",
           "has " + std::to_string(tokens) + " tokens; expected 1 to " + std::to_string(most_tokens));
  if (tokens > 1 && logits.strides[1] != 1)
    refuse(operation, "logits",
           "has token stride " + std::to_string(logits.strides[1]) + "; expected tokens side by side");
  if (logits.extent(0) > 1 && logits.strides[0] < tokens)
    refuse(operation, "logits",
           "has row stride " + std::to_string(logits.strides[0]) + "; expected at least its " +
               std::to_string(tokens) + " tokens");
  check_memory(operation, "logits", context, logits.space);
}

const std::uint32_t* check_mask(std::string_view operation, const Context& context,
                                const std::optional<ConstTensorView>& mask, std::int64_t rows,
                                std::int64_t tokens) {
  if (!mask) return nullptr;
  const Shape expected{rows, words_of(tokens)};
  if (mask->dtype != DType::u32)
    refuse(operation, "mask", "holds " + std::string(name_of(mask->dtype)) + "; expected u32");
  if (mask->shape != expected || !mask->contiguous())
    refuse(operation, "mask",
           "has shape " + to_string(mask->shape) + "; expected a contiguous " + to_string(expected));
  check_memory(operation, "mask", context, mask->space);
  return mask->as<std::uint32_t>().data();
}

LogitRows check_rows(std::string_view operation, const Context& context, const ConstTensorView& logits,
                     const std::optional<ConstTensorView>& mask) {
  check_logits(operation, context, logits);
  const std::int64_t rows = logits.extent(0), tokens = logits.extent(1);
  return {logits.dtype, logits.data, rows > 1 ? logits.strides[0] : tokens,
          rows,         tokens,      check_mask(operation, context, mask, rows, tokens)};
}

void check_output(std::string_view operation, std::string_view argument, const Context& context,
                  const TensorView& view, DType dtype, const Shape& shape) {
  check_view(operation, argument, view, dtype, shape);
  check_memory(operation, argument, context, view.space);
}

template <typename T>
const T* check_per_row(std::string_view operation, std::string_view argument, const Context& context,
                       const std::optional<ConstTensorView>& view, std::int64_t rows,
                       const std::function<bool(T)>& legal, std::string_view expected) {
  if (!view) return nullptr;
  if (view->dtype != dtype_of<T>())
    refuse(
        operation, argument,
        "holds " + std::string(name_of(view->dtype)) + "; expected " + std::string(name_of(dtype_of<T>())));
  if (view->shape != Shape{rows} || !view->contiguous())
    refuse(operation, argument,
           "has shape " + to_string(view->shape) + "; expected one value a row, " + to_string(Shape{rows}));
  check_memory(operation, argument, context, view->space);
  const auto values = view->template as<T>();
  if (context.backend() == Backend::cuda || !legal) return values.data();
  for (std::size_t row = 0; row < values.size(); ++row)
    if (!legal(values[row]))
      refuse(operation, argument,
             "row " + std::to_string(row) + " has " + std::to_string(values[row]) + "; expected " +
                 std::string(expected));
  return values.data();
}

template const float* check_per_row(std::string_view, std::string_view, const Context&,
                                    const std::optional<ConstTensorView>&, std::int64_t,
                                    const std::function<bool(float)>&, std::string_view);
template const double* check_per_row(std::string_view, std::string_view, const Context&,
                                     const std::optional<ConstTensorView>&, std::int64_t,
                                     const std::function<bool(double)>&, std::string_view);
template const std::int32_t* check_per_row(std::string_view, std::string_view, const Context&,
                                           const std::optional<ConstTensorView>&, std::int64_t,
                                           const std::function<bool(std::int32_t)>&, std::string_view);
template const std::int64_t* check_per_row(std::string_view, std::string_view, const Context&,
                                           const std::optional<ConstTensorView>&, std::int64_t,
                                           const std::function<bool(std::int64_t)>&, std::string_view);

Work work_of(const Arguments& arguments, double written) {
  const ConstTensorView& logits = arguments.input("logits");
  const auto elements = static_cast<double>(logits.elements());
  return {elements, elements * static_cast<double>(size_of(logits.dtype)) + written};
}

BatchClaim rows_apart(std::initializer_list<const char*> inputs, std::initializer_list<const char*> outputs) {
  BatchClaim claim{.name = "rows"};
  for (const char* const name : inputs) claim.inputs.emplace(name, 0);
  for (const char* const name : outputs) claim.outputs.emplace(name, 0);
  return claim;
}

std::optional<ConstTensorView> maybe(const Arguments& arguments, std::string_view name) {
  if (!arguments.has(name)) return std::nullopt;
  return arguments.input(name);
}

}  // namespace assay::logits
