#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace assay {

/// What is wrong with untrusted input: one line that says what, where and what was expected.
struct InputError {
  enum class Code : std::uint8_t {
    not_found,
    unreadable,
    malformed,
    not_finite,
    out_of_range,
    too_large,
    write_failed
  };
  Code code = Code::malformed;
  std::string message;  ///< one line, complete in itself, the place included
  std::optional<std::uint64_t> byte_offset;
  std::optional<std::uint64_t> line;    ///< 1-based
  std::optional<std::uint64_t> column;  ///< 1-based field number of a table
};

/// A value or the reason why there is none. GCC 12 has no std::expected; this holds the part of it that is
/// needed.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(InputError error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const InputError& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, InputError> state_;
};

}  // namespace assay
