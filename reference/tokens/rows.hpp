#pragma once

#include <algorithm>
#include <string_view>

#include "reference/tokens/steps.hpp"

/// Arguments and outputs of operations on rows of logits, row by row.
namespace assay::reference::tokens {

template <typename T>
T of_row(const Arguments& arguments, std::string_view input, std::int64_t row, T otherwise) {
  if (!arguments.has(input)) return otherwise;
  return arguments.input(input).as<T>()[static_cast<std::size_t>(row)];
}

template <typename T>
std::span<const T> row_of_ids(const Arguments& arguments, std::string_view input, std::int64_t row) {
  const ConstTensorView& view = arguments.input(input);
  const auto length = static_cast<std::size_t>(view.extent(1));
  return view.as<T>().subspan(static_cast<std::size_t>(row) * length, length);
}

/// Row `row` of an output of that many columns.
template <typename T>
std::span<T> row_of_output(const Outputs& outputs, std::string_view output, std::int64_t row,
                           std::int64_t columns) {
  return outputs.find(output)->second.template as<T>().subspan(static_cast<std::size_t>(row * columns),
                                                               static_cast<std::size_t>(columns));
}

/// What is left as logits, an output (rows, tokens) f64: -Inf for the others.
inline void write_logits(const Tokens& left, const Arguments& arguments, const Outputs& outputs,
                         std::string_view output, std::int64_t row) {
  const auto to = row_of_output<double>(outputs, output, row, arguments.input("logits").extent(1));
  std::fill(to.begin(), to.end(), -std::numeric_limits<double>::infinity());
  for (const Token& token : left) to[static_cast<std::size_t>(token.id)] = token.logit;
}

/// Their number, kept (rows), and their bits, left (rows, words).
inline void write_survivors(const Tokens& left, const Arguments& arguments, const Outputs& outputs,
                            std::int64_t row) {
  const std::int64_t words = (arguments.input("logits").extent(1) + 31) / 32;
  row_of_output<std::int32_t>(outputs, "kept", row, 1)[0] = static_cast<std::int32_t>(left.size());
  const auto bits = row_of_output<std::uint32_t>(outputs, "left", row, words);
  std::fill(bits.begin(), bits.end(), 0u);
  for (const Token& token : left) bits[static_cast<std::size_t>(token.id / 32)] |= 1u << (token.id % 32);
}

/// The steps of a chain by name, with the inputs that the contracts give them.
inline void apply_step(Tokens& left, std::string_view step, const Arguments& arguments, std::int64_t row) {
  const auto least = [&] { return arguments.integer("min_keep"); };
  if (step == "penalties") {
    const auto previous = row_of_ids<std::int32_t>(arguments, "previous", row);
    penalties(left, previous,
              of_row<std::int32_t>(arguments, "last_n", row, static_cast<std::int32_t>(previous.size())),
              of_row<float>(arguments, "repetition", row, 1), of_row<float>(arguments, "presence", row, 0),
              of_row<float>(arguments, "frequency", row, 0));
  }
  if (step == "bias")
    bias(left, row_of_ids<std::int32_t>(arguments, "bias_ids", row),
         row_of_ids<float>(arguments, "biases", row));
  if (step == "temperature") temperature(left, of_row<float>(arguments, "temperature", row, 1));
  if (step == "top_k") top_k(left, of_row<std::int32_t>(arguments, "top_k", row, 0));
  if (step == "top_p") top_p(left, of_row<double>(arguments, "top_p", row, 1), least());
  if (step == "min_p") min_p(left, of_row<double>(arguments, "min_p", row, 0), least());
  if (step == "typical") typical(left, of_row<double>(arguments, "typical_p", row, 1), least());
}

/// One step on every row, as an operation that drops tokens: kept, left and left_logits.
inline void filter_rows(std::string_view step, const Arguments& arguments, const Outputs& outputs) {
  for (std::int64_t row = 0; row < arguments.input("logits").extent(0); ++row) {
    Tokens left = row_of(arguments, row);
    apply_step(left, step, arguments, row);
    write_survivors(left, arguments, outputs, row);
    write_logits(left, arguments, outputs, "left_logits", row);
  }
}

/// One step on every row, as an operation that changes logits: adjusted.
inline void adjust_rows(std::string_view step, const Arguments& arguments, const Outputs& outputs) {
  for (std::int64_t row = 0; row < arguments.input("logits").extent(0); ++row) {
    Tokens left = row_of(arguments, row);
    apply_step(left, step, arguments, row);
    write_logits(left, arguments, outputs, "adjusted", row);
  }
}

}  // namespace assay::reference::tokens
