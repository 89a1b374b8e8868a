#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ci/program/invocation.hpp"
#include "engine/io/atomic_write.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay::program {

/// The path of --out (or another option), refused before any work is done where its folder is not there or it
/// is a folder itself.
std::optional<std::string> output_path(const Invocation& invocation, const std::string& option = "out");

/// Refuses a path whose folder is missing; `source` names it in the message.
void check_output_path(const std::string& path, const std::string& source);

/// Writes a whole file or nothing. Throws Failure (tool error).
void write_text(const std::string& path, const std::string& text);
/// The same for what is made piece by piece.
void write_pieces(const std::string& path, const std::function<void(const io::Sink&)>& produce);
void write_array(const std::string& path, const ConstTensorView& array);

/// The table as CSV with a header, every number with the digits that bring it back exactly.
std::string csv_text(const std::vector<std::string>& names, std::span<const double> values);

}  // namespace assay::program
