#include "engine/tokenizer/pretokenize.hpp"

#include <algorithm>

#include "engine/tokenizers/arguments.hpp"
#include "engine/view_checks.hpp"
#include "kernels/tokenizer/pretokenize.hpp"

namespace assay::tokenizer {

namespace {

constexpr const char* name = "tokenizer.pretokenize";

}  // namespace

void pretokenize(Context& context, const ConstTensorView& text, std::span<const SplitStep> split,
                 const TensorView& ends) {
  require_cpu(name, context);
  Arguments arguments;
  arguments.inputs.emplace("text", text);
  const std::string_view checked = tokenizers::text_of(name, arguments);
  check_view(name, "ends", ends, DType::u8, text.shape);
  check_memory(name, "ends", context, ends.space);
  kernels::tokenizer::pretokenize(split, checked, ends.as<std::uint8_t>());
}

Operation describe_pretokenize() {
  Operation operation;
  operation.name = name;
  operation.summary = "Where a text is cut into pieces before its bytes are merged.";
  operation.paper =
      "Radford et al. 2019 (gpt-2, encoder.py); the patterns: engine/vocabulary/split_patterns.hpp";
  operation.error_model = "exact";
  operation.inputs = {{.name = "text", .summary = "UTF-8", .dtypes = {DType::u8}, .shape = "(n)"}};
  operation.outputs = {
      {.name = "ends", .summary = "1 at the last byte of each piece", .dtypes = {DType::u8}, .shape = "(n)"}};
  operation.parameters = {tokenizers::describe_split()};
  operation.deterministic = true;
  operation.output_shapes = [](const Arguments& arguments) {
    return std::vector<OutputShape>{{"ends", DType::u8, arguments.input("text").shape}};
  };
  operation.work = [](const Arguments& arguments) {
    const auto bytes = static_cast<double>(arguments.input("text").elements());
    return Work{bytes * static_cast<double>(std::max<std::size_t>(1, arguments.integers("split").size())),
                2 * bytes};
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    pretokenize(context, arguments.input("text"), tokenizers::split_of(arguments), outputs.at("ends"));
  };
  return operation;
}

}  // namespace assay::tokenizer
