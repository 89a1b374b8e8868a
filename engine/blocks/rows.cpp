#include "engine/blocks/rows.hpp"

#include <optional>
#include <string>

#include "engine/runtime/error.hpp"

namespace assay::blocks {

ParameterInfo describe_format() {
  ParameterInfo info;
  info.name = "format";
  info.summary = "how the blocks are laid out";
  info.type = ParameterType::text;
  for (const BlockLayout& layout : block_layouts) info.choices.emplace_back(layout.name);
  return info;
}

BlockFormat format_of(std::string_view operation, const Arguments& arguments) {
  const std::optional<BlockFormat> format = block_format_named(arguments.text("format"));
  if (!format)
    throw ContractError(std::string(operation), "format",
                        "is '" + arguments.text("format") + "'; expected a block format");
  return *format;
}

std::int64_t bytes_of_row(std::string_view operation, BlockFormat format, std::int64_t columns) {
  const auto refuse = [&](const std::string& expected) {
    throw ContractError(std::string(operation), "columns", expected);
  };
  const BlockLayout& layout = layout_of(format);
  if (columns < 0 || columns > most_columns)
    refuse("is " + std::to_string(columns) + "; expected from 0 to " + std::to_string(most_columns));
  if (columns % layout.length != 0)
    refuse("is " + std::to_string(columns) + "; expected a multiple of " + std::to_string(layout.length) +
           ", the block length of " + std::string(layout.name));
  return columns / layout.length * layout.bytes;
}

void check_rows(std::string_view operation, std::string_view argument, const ConstTensorView& rows,
                BlockFormat format, std::int64_t columns) {
  const auto refuse = [&](const std::string& expected) {
    throw ContractError(std::string(operation), std::string(argument), expected);
  };
  if (rows.dtype != DType::u8) refuse("holds " + std::string(name_of(rows.dtype)) + "; expected u8");
  if (rows.rank() != 2) refuse("has shape " + to_string(rows.shape) + "; expected (rows, bytes of a row)");
  const std::int64_t bytes = bytes_of_row(operation, format, columns);
  if (rows.extent(1) != bytes)
    refuse("has rows of " + std::to_string(rows.extent(1)) + " bytes; expected " + std::to_string(bytes) +
           ", which " + std::to_string(columns) + " columns have in " + std::string(layout_of(format).name));
  if (bytes > 1 && rows.strides[1] != 1)
    refuse("has byte stride " + std::to_string(rows.strides[1]) + "; expected 1");
  if (rows.extent(0) > 1 && rows.strides[0] < bytes)
    refuse("has row stride " + std::to_string(rows.strides[0]) + "; expected at least its " +
           std::to_string(bytes) + " bytes");
}

}  // namespace assay::blocks
