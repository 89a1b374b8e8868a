#pragma once

#include <cstdint>
#include <string_view>

#include "engine/operation.hpp"
#include "engine/tensors/block_format.hpp"

namespace assay::blocks {

/// The parameter `format`: a name of block_layouts.
ParameterInfo describe_format();

/// The parameter `format` of a call. Throws ContractError where no format has that name.
BlockFormat format_of(std::string_view operation, const Arguments& arguments);

/// No file holds a row of more elements, and as many bytes as their blocks have fit 64 bits.
inline constexpr std::int64_t most_columns = std::int64_t{1} << 48;

/// Bytes of a row of so many elements. Throws ContractError of `columns` where they do not fill whole blocks.
std::int64_t bytes_of_row(std::string_view operation, BlockFormat format, std::int64_t columns);

/// (rows, bytes of a row) u8 whose bytes lie side by side in a row and whose rows do not overlap. Throws
/// ContractError that names the argument.
void check_rows(std::string_view operation, std::string_view argument, const ConstTensorView& rows,
                BlockFormat format, std::int64_t columns);

}  // namespace assay::blocks
