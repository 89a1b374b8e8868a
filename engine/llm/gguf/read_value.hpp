#pragma once

#include <cstdint>
#include <string>

#include "engine/llm/gguf/cursor.hpp"
#include "engine/llm/gguf/value.hpp"

namespace assay::gguf {

/// What is wrong with a stored value.
struct ValueProblem {
  std::uint64_t offset = 0;  ///< in the file
  std::string text;  ///< "array length is 7 at byte 40, expected at most 3: ..."; empty: nothing is wrong
};

/// Reads and checks one value of a type number, its nested elements included. Nothing is allocated, and the
/// time is linear in the bytes that are there: a count is held against them before its elements are walked.
ValueProblem read_value(Cursor& cursor, std::uint32_t type, Value& value, int depth = 0);

}  // namespace assay::gguf
