#include "engine/tokenizer/encode.hpp"

#include "engine/tokenizers/arguments.hpp"
#include "engine/view_checks.hpp"
#include "kernels/tokenizer/encode.hpp"

namespace assay::tokenizer {

namespace {

constexpr const char* name = "tokenizer.encode";

}  // namespace

void encode(Context& context, const ConstTensorView& text, const TokenizerDescription& tokenizer,
            const TensorView& ids, const TensorView& ends) {
  require_cpu(name, context);
  Arguments arguments;
  arguments.inputs.emplace("text", text);
  const std::string_view checked = tokenizers::text_of(name, arguments);
  check_view(name, "ids", ids, DType::i32, text.shape);
  check_view(name, "ends", ends, DType::i32, text.shape);
  check_memory(name, "ids", context, ids.space);
  check_memory(name, "ends", context, ends.space);
  kernels::tokenizer::encode(tokenizer, checked, ids.as<std::int32_t>(), ends.as<std::int32_t>());
}

Operation describe_encode() {
  Operation operation;
  operation.name = name;
  operation.summary = "Text to the ids of its tokens by byte-pair encoding.";
  operation.paper =
      "Sennrich, Haddow, Birch 2016, algorithm 1; Kudo, Richardson 2018 (scores, byte fallback)";
  operation.error_model = "exact";
  operation.inputs = tokenizers::describe_tokenizer_inputs();
  operation.inputs.insert(operation.inputs.begin(),
                          {.name = "text", .summary = "UTF-8", .dtypes = {DType::u8}, .shape = "(n)"});
  operation.outputs = {
      {.name = "ids", .summary = "in order, then -1", .dtypes = {DType::i32}, .shape = "(n)"},
      {.name = "ends",
       .summary = "where each token's text ends, then -1",
       .dtypes = {DType::i32},
       .shape = "(n)"}};
  operation.parameters = tokenizers::describe_tokenizer_parameters();
  operation.deterministic = true;
  operation.output_shapes = [](const Arguments& arguments) {
    const Shape& shape = arguments.input("text").shape;
    return std::vector<OutputShape>{{"ids", DType::i32, shape}, {"ends", DType::i32, shape}};
  };
  operation.work = [](const Arguments& arguments) {
    const auto bytes = static_cast<double>(arguments.input("text").elements());
    return Work{bytes, 9 * bytes};
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    encode(context, arguments.input("text"), tokenizers::tokenizer_of(name, arguments), outputs.at("ids"),
           outputs.at("ends"));
  };
  return operation;
}

}  // namespace assay::tokenizer
