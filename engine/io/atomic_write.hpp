#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "engine/runtime/result.hpp"

namespace assay::io {

/// Writes the pieces one after the other to a temporary name in the same folder and renames it: readers see
/// the old file or the whole new one, and a failure leaves nothing behind. A name that is a device or a pipe
/// is written to as it is. Returns the number of bytes; fails with write_failed and one line that names the
/// path.
Result<std::uint64_t> write_file(const std::string& path, std::initializer_list<std::string_view> pieces);

}  // namespace assay::io
