#include "engine/tokenizers/arguments.hpp"

#include <algorithm>
#include <cmath>

#include "engine/llm/tokenizer/description_checks.hpp"
#include "engine/runtime/error.hpp"
#include "engine/view_checks.hpp"
#include "engine/vocabulary/utf8.hpp"

namespace assay::tokenizers {
namespace {

constexpr auto last_step = static_cast<std::int64_t>(SplitStep::deepseek_llm_trailing_space);

template <typename T>
std::span<const T> vector_of(std::string_view operation, const Arguments& arguments, const char* name) {
  const ConstTensorView& view = arguments.input(name);
  check_view(operation, name, view, dtype_of<T>(), 1);
  check_on_host(operation, name, view.space);
  return view.as<T>();
}

[[noreturn]] void refuse(std::string_view operation, const char* argument, const std::string& what) {
  throw ContractError(std::string(operation), argument, what);
}

VocabularyBuilder builder_of(std::string_view operation, const Arguments& arguments) {
  const auto bytes = vector_of<std::uint8_t>(operation, arguments, "token_bytes");
  const auto ends = vector_of<std::int32_t>(operation, arguments, "token_ends");
  const auto kinds = vector_of<std::uint8_t>(operation, arguments, "token_kinds");
  if (ends.empty() || ends.size() > max_tokens)
    refuse(operation, "token_ends",
           "has " + std::to_string(ends.size()) + " tokens; expected 1 to " + std::to_string(max_tokens));
  if (kinds.size() != ends.size())
    refuse(operation, "token_kinds",
           "has " + std::to_string(kinds.size()) + " elements; expected " + std::to_string(ends.size()) +
               ", one a token");
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  VocabularyBuilder builder;
  builder.reserve(ends.size(), bytes.size());
  std::int32_t begin = 0;
  for (std::size_t id = 0; id < ends.size(); ++id) {
    if (ends[id] < begin || static_cast<std::size_t>(ends[id]) > bytes.size())
      refuse(operation, "token_ends",
             "is " + std::to_string(ends[id]) + " of token " + std::to_string(id) + "; expected " +
                 std::to_string(begin) + " to " + std::to_string(bytes.size()));
    const auto kind = static_cast<TokenKind>(kinds[id]);
    if (kinds[id] < 1 || kinds[id] > 6)
      refuse(operation, "token_kinds",
             "is " + std::to_string(kinds[id]) + " of token " + std::to_string(id) + "; expected 1 to 6");
    if (kind == TokenKind::byte && ends[id] - begin != 1)
      refuse(operation, "token_kinds",
             "is byte of token " + std::to_string(id) + ", which has " + std::to_string(ends[id] - begin) +
                 " bytes; expected one");
    builder.add(all.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(ends[id] - begin)),
                kind);
    begin = ends[id];
  }
  builder.index();
  return builder;
}

std::vector<Merge> merges_of(std::string_view operation, const Arguments& arguments,
                             const VocabularyBuilder& tokens) {
  const ConstTensorView& view = arguments.input("merges");
  check_view(operation, "merges", view, DType::i32, 2);
  check_on_host(operation, "merges", view.space);
  if (view.extent(1) != 3 || view.extent(0) > static_cast<std::int64_t>(max_merges))
    refuse(
        operation, "merges",
        "has shape " + to_string(view.shape) + "; expected (m, 3), m at most " + std::to_string(max_merges));
  const auto ids = view.as<std::int32_t>();
  std::vector<Merge> merges;
  std::string joined;
  for (std::size_t at = 0; at < ids.size(); at += 3) {
    for (std::size_t i = at; i < at + 3; ++i)
      if (ids[i] < 0 || static_cast<std::size_t>(ids[i]) >= tokens.size())
        refuse(operation, "merges",
               "holds the id " + std::to_string(ids[i]) + "; expected one below " +
                   std::to_string(tokens.size()));
    const Merge merge{static_cast<TokenId>(ids[at]), static_cast<TokenId>(ids[at + 1]),
                      static_cast<TokenId>(ids[at + 2])};
    joined = tokens.bytes_of(merge.left);
    joined += tokens.bytes_of(merge.right);
    if (joined != tokens.bytes_of(merge.result))
      refuse(operation, "merges",
             "has merge " + std::to_string(at / 3) + " whose result has not the bytes of both");
    merges.push_back(merge);
  }
  return merges;
}

}  // namespace

std::vector<TensorInfo> describe_vocabulary_inputs() {
  return {{.name = "token_bytes",
           .summary = "of all tokens, by id",
           .dtypes = {DType::u8},
           .shape = "(bytes)",
           .on_host = true},
          {.name = "token_ends",
           .summary = "where each token ends in token_bytes",
           .dtypes = {DType::i32},
           .shape = "(v)",
           .on_host = true},
          {.name = "token_kinds",
           .summary = "1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte",
           .dtypes = {DType::u8},
           .shape = "(v)",
           .on_host = true}};
}

std::vector<TensorInfo> describe_tokenizer_inputs() {
  std::vector<TensorInfo> inputs = describe_vocabulary_inputs();
  inputs.push_back({.name = "token_scores",
                    .summary = "with the rule token_score",
                    .dtypes = {DType::f32},
                    .shape = "(v)",
                    .optional = true,
                    .on_host = true});
  inputs.push_back({.name = "merges",
                    .summary = "left, right, result; with the rule pair_rank",
                    .dtypes = {DType::i32},
                    .shape = "(m, 3)",
                    .optional = true,
                    .on_host = true});
  return inputs;
}

ParameterInfo describe_split() {
  return {.name = "split",
          .summary = "steps of the pre-tokenizer, by their numbers in SplitStep",
          .type = ParameterType::integers,
          .fallback = Value(std::vector<std::int64_t>{}),
          .minimum = 0,
          .maximum = static_cast<double>(last_step)};
}

std::vector<ParameterInfo> describe_tokenizer_parameters() {
  const auto flag = [](const char* name, const char* summary) {
    return ParameterInfo{
        .name = name, .summary = summary, .type = ParameterType::flag, .fallback = Value(false)};
  };
  return {{.name = "model",
           .summary = "what text is before its symbols merge",
           .type = ParameterType::text,
           .fallback = Value(std::string("byte_level")),
           .choices = {"byte_level", "sentencepiece"}},
          {.name = "rule",
           .summary = "which pair merges first",
           .type = ParameterType::text,
           .fallback = Value(std::string("pair_rank")),
           .choices = {"pair_rank", "token_rank", "token_score"}},
          describe_split(),
          flag("ignore_merges", "a piece that is a token is taken whole"),
          flag("byte_fallback", "characters without a token become byte tokens"),
          flag("fuse_unknown", "adjacent unknown characters become one token"),
          {.name = "unknown",
           .summary = "the id for what has no token; -1: none",
           .type = ParameterType::integer,
           .fallback = Value(std::int64_t{-1}),
           .minimum = -1,
           .maximum = static_cast<double>(max_tokens) - 1}};
}

std::vector<SplitStep> split_of(const Arguments& arguments) {
  std::vector<SplitStep> steps;
  for (const std::int64_t step : arguments.integers("split")) steps.push_back(static_cast<SplitStep>(step));
  return steps;
}

std::string_view text_of(std::string_view operation, const Arguments& arguments) {
  const auto bytes = vector_of<std::uint8_t>(operation, arguments, "text");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() >= std::size_t{1} << 31)
    refuse(operation, "text", "has " + std::to_string(text.size()) + " bytes; expected less than 2^31");
  if (const std::size_t valid = valid_prefix(text); valid < text.size())
    refuse(operation, "text", "is no UTF-8 at byte " + std::to_string(valid) + "; expected UTF-8");
  return text;
}

Vocabulary vocabulary_of(std::string_view operation, const Arguments& arguments) {
  return builder_of(operation, arguments).build();
}

TokenizerDescription tokenizer_of(std::string_view operation, const Arguments& arguments) {
  VocabularyBuilder builder = builder_of(operation, arguments);
  TokenizerDescription made;
  Specification& specification = made.specification;
  specification.model = arguments.text("model") == "byte_level" ? TokenizerModel::byte_level_bpe
                                                                : TokenizerModel::sentencepiece_bpe;
  const std::string& rule = arguments.text("rule");
  specification.merge_rule = rule == "pair_rank"    ? MergeRule::pair_rank
                             : rule == "token_rank" ? MergeRule::token_rank
                                                    : MergeRule::token_score;
  if ((specification.merge_rule == MergeRule::pair_rank) != arguments.has("merges"))
    refuse(operation, "merges", "go with the rule pair_rank and no other");
  if ((specification.merge_rule == MergeRule::token_score) != arguments.has("token_scores"))
    refuse(operation, "token_scores", "go with the rule token_score and no other");
  specification.split = split_of(arguments);
  if (specification.model == TokenizerModel::sentencepiece_bpe && !specification.split.empty())
    refuse(operation, "split", "has steps; expected none with the model sentencepiece");
  specification.ignore_merges = arguments.flag("ignore_merges");
  specification.byte_fallback = arguments.flag("byte_fallback");
  specification.fuse_unknown = arguments.flag("fuse_unknown");
  const std::int64_t unknown = arguments.integer("unknown");
  if (unknown >= static_cast<std::int64_t>(builder.size()))
    refuse(operation, "unknown",
           "is " + std::to_string(unknown) + "; expected an id below " + std::to_string(builder.size()));
  specification.unknown = unknown < 0 ? no_token : static_cast<TokenId>(unknown);
  if (arguments.has("merges")) builder.set_merges(merges_of(operation, arguments, builder));
  if (arguments.has("token_scores")) {
    const auto scores = vector_of<float>(operation, arguments, "token_scores");
    if (scores.size() != builder.size())
      refuse(operation, "token_scores",
             "has " + std::to_string(scores.size()) + " elements; expected " +
                 std::to_string(builder.size()) + ", one a token");
    if (!std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); }))
      refuse(operation, "token_scores", "holds a number that is not finite");
    builder.set_scores({scores.begin(), scores.end()});
  }
  made.vocabulary = builder.build();
  if (const auto missing = tokenizer::what_is_missing(made)) refuse(operation, "token_bytes", *missing);
  return made;
}

HostArguments arguments_of(const TokenizerDescription& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary;
  const Specification& specification = tokenizer.specification;
  std::vector<std::uint8_t> bytes, kinds;
  std::vector<std::int32_t> ends, merges;
  std::vector<float> scores;
  for (TokenId id = 0; id < vocabulary.size(); ++id) {
    for (const char byte : vocabulary.bytes_of(id)) bytes.push_back(static_cast<std::uint8_t>(byte));
    ends.push_back(static_cast<std::int32_t>(bytes.size()));
    kinds.push_back(static_cast<std::uint8_t>(vocabulary.kind_of(id)));
    scores.push_back(vocabulary.score_of(id));
  }
  for (const Merge& merge : vocabulary.merges())
    for (const TokenId id : {merge.left, merge.right, merge.result})
      merges.push_back(static_cast<std::int32_t>(id));
  HostArguments made;
  const auto count = static_cast<std::int64_t>(ends.size());
  made.inputs.emplace("token_bytes", Tensor::from(bytes, {static_cast<std::int64_t>(bytes.size())}));
  made.inputs.emplace("token_ends", Tensor::from(ends, {count}));
  made.inputs.emplace("token_kinds", Tensor::from(kinds, {count}));
  if (specification.merge_rule == MergeRule::token_score)
    made.inputs.emplace("token_scores", Tensor::from(scores, {count}));
  if (specification.merge_rule == MergeRule::pair_rank)
    made.inputs.emplace("merges",
                        Tensor::from(merges, {static_cast<std::int64_t>(vocabulary.merges().size()), 3}));
  const bool byte_level = specification.model == TokenizerModel::byte_level_bpe;
  made.parameters.emplace("model", std::string(byte_level ? "byte_level" : "sentencepiece"));
  made.parameters.emplace("rule",
                          std::string(specification.merge_rule == MergeRule::pair_rank    ? "pair_rank"
                                      : specification.merge_rule == MergeRule::token_rank ? "token_rank"
                                                                                          : "token_score"));
  std::vector<std::int64_t> split;
  for (const SplitStep step : specification.split) split.push_back(static_cast<std::int64_t>(step));
  made.parameters.emplace("split", split);
  made.parameters.emplace("ignore_merges", specification.ignore_merges);
  made.parameters.emplace("byte_fallback", specification.byte_fallback);
  made.parameters.emplace("fuse_unknown", specification.fuse_unknown);
  made.parameters.emplace(
      "unknown", specification.unknown == no_token ? std::int64_t{-1} : std::int64_t{specification.unknown});
  return made;
}

}  // namespace assay::tokenizers
