#include "engine/tokenizer/decode.hpp"

#include "engine/runtime/error.hpp"
#include "engine/tokenizers/arguments.hpp"
#include "engine/view_checks.hpp"
#include "kernels/tokenizer/decode.hpp"

namespace assay::tokenizer {

namespace {

constexpr const char* name = "tokenizer.decode";
constexpr std::int64_t most_bytes = std::int64_t{1} << 29;

/// Room for the text of checked ids: no byte becomes more than the three of U+FFFD.
std::int64_t text_room(std::span<const std::int32_t> ids, const Vocabulary& vocabulary) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || static_cast<std::size_t>(ids[i]) >= vocabulary.size())
      throw ContractError(name, "ids",
                          "holds " + std::to_string(ids[i]) + " at " + std::to_string(i) +
                              "; expected the id of a token, below " + std::to_string(vocabulary.size()));
    bytes += std::ssize(vocabulary.bytes_of(static_cast<TokenId>(ids[i])));
    if (bytes >= most_bytes) throw ContractError(name, "ids", "come to 2^29 bytes or more; expected less");
  }
  return 3 * bytes;
}

std::span<const std::int32_t> ids_of(const ConstTensorView& ids) {
  check_view(name, "ids", ids, DType::i32, 1);
  check_on_host(name, "ids", ids.space);
  return ids.as<std::int32_t>();
}

}  // namespace

void decode(Context& context, const ConstTensorView& ids, const Vocabulary& vocabulary,
            bool strip_first_space, bool skip_special, const TensorView& text, const TensorView& emitted) {
  require_cpu(name, context);
  const std::span<const std::int32_t> checked = ids_of(ids);
  const std::int64_t room = text_room(checked, vocabulary);
  check_view(name, "text", text, DType::u8, {room});
  check_view(name, "emitted", emitted, DType::i32, {std::ssize(checked) + 1});
  check_memory(name, "text", context, text.space);
  check_memory(name, "emitted", context, emitted.space);
  kernels::tokenizer::decode(vocabulary, {strip_first_space, skip_special}, checked, text.as<std::uint8_t>(),
                             emitted.as<std::int32_t>());
}

Operation describe_decode() {
  Operation operation;
  operation.name = name;
  operation.summary = "Ids to text, whole characters after each token.";
  operation.paper = "Unicode 15, section 3.9: substitution of maximal subparts";
  operation.error_model = "exact";
  operation.inputs = tokenizers::describe_vocabulary_inputs();
  operation.inputs.insert(
      operation.inputs.begin(),
      {.name = "ids", .summary = "of tokens", .dtypes = {DType::i32}, .shape = "(n)", .on_host = true});
  operation.outputs = {{.name = "text",
                        .summary = "UTF-8, then 0",
                        .dtypes = {DType::u8},
                        .shape = "(3 x bytes of the tokens)"},
                       {.name = "emitted",
                        .summary = "bytes of text after each token, and in all",
                        .dtypes = {DType::i32},
                        .shape = "(n + 1)"}};
  const auto flag = [](const char* flag_name, const char* summary) {
    return ParameterInfo{
        .name = flag_name, .summary = summary, .type = ParameterType::flag, .fallback = Value(false)};
  };
  operation.parameters = {
      flag("strip_first_space", "leave out one leading space of the first token that is shown"),
      flag("skip_special", "leave out control and unknown tokens")};
  operation.deterministic = true;
  operation.output_shapes = [](const Arguments& arguments) {
    const std::span<const std::int32_t> ids = ids_of(arguments.input("ids"));
    const Vocabulary vocabulary = tokenizers::vocabulary_of(name, arguments);
    const std::int64_t room = text_room(ids, vocabulary);
    return std::vector<OutputShape>{{"text", DType::u8, {room}},
                                    {"emitted", DType::i32, {std::ssize(ids) + 1}}};
  };
  operation.work = [](const Arguments& arguments) {
    const auto ids = static_cast<double>(arguments.input("ids").elements());
    return Work{ids, 8 * ids};
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    decode(context, arguments.input("ids"), tokenizers::vocabulary_of(name, arguments),
           arguments.flag("strip_first_space"), arguments.flag("skip_special"), outputs.at("text"),
           outputs.at("emitted"));
  };
  return operation;
}

}  // namespace assay::tokenizer
