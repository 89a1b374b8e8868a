#pragma once

#include <cstdint>
#include <functional>
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

/// Takes the next piece of a file.
using Sink = std::function<void(std::string_view piece)>;

/// The same for what is made piece by piece and need not be held whole: `produce` hands its pieces to the
/// sink. Small pieces are gathered. An exception of `produce` leaves nothing behind either. Once a write has
/// failed the sink ends `produce` by an exception of its own, which is caught here.
Result<std::uint64_t> write_file(const std::string& path, const std::function<void(const Sink&)>& produce);

}  // namespace assay::io
