#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace assay {

/// Element types that tensors may hold. `f16` is IEEE binary16, `bf16` is bfloat16; on the host both travel
/// as their bit patterns (see half.hpp for conversions).
enum class DType : std::uint8_t { f64, f32, f16, bf16, i64, i32, u32, u8 };

/// Bit patterns of the 16-bit floating-point types: distinct types, so that neither is mistaken for an
/// integer.
struct Half {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};

constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
    case DType::u32:
      return 4;
    case DType::f16:
    case DType::bf16:
      return 2;
    case DType::u8:
      return 1;
  }
  return 0;
}

constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::f64:
      return "f64";
    case DType::f32:
      return "f32";
    case DType::f16:
      return "f16";
    case DType::bf16:
      return "bf16";
    case DType::i64:
      return "i64";
    case DType::i32:
      return "i32";
    case DType::u32:
      return "u32";
    case DType::u8:
      return "u8";
  }
  return "?";
}

template <typename T>
constexpr DType dtype_of() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<U, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<U, Half>)
    return DType::f16;
  else if constexpr (std::is_same_v<U, BFloat16>)
    return DType::bf16;
  else if constexpr (std::is_same_v<U, std::int64_t>)
    return DType::i64;
  else if constexpr (std::is_same_v<U, std::int32_t>)
    return DType::i32;
  else if constexpr (std::is_same_v<U, std::uint32_t>)
    return DType::u32;
  else {
    static_assert(std::is_same_v<U, std::uint8_t>, "no DType for this element type");
    return DType::u8;
  }
}

}  // namespace assay
