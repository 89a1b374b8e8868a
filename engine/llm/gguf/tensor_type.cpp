#include "engine/llm/gguf/tensor_type.hpp"

#include <algorithm>
#include <array>

namespace assay::gguf {
namespace {

using enum TensorType;

constexpr std::array table{
    TensorTypeInfo{f32, "f32", 1, 4},
    TensorTypeInfo{f16, "f16", 1, 2},
    TensorTypeInfo{q4_0, "q4_0", 32, 18},
    TensorTypeInfo{q4_1, "q4_1", 32, 20},
    TensorTypeInfo{q5_0, "q5_0", 32, 22},
    TensorTypeInfo{q5_1, "q5_1", 32, 24},
    TensorTypeInfo{q8_0, "q8_0", 32, 34},
    TensorTypeInfo{q8_1, "q8_1", 32, 36},
    TensorTypeInfo{q2_K, "q2_K", 256, 84},
    TensorTypeInfo{q3_K, "q3_K", 256, 110},
    TensorTypeInfo{q4_K, "q4_K", 256, 144},
    TensorTypeInfo{q5_K, "q5_K", 256, 176},
    TensorTypeInfo{q6_K, "q6_K", 256, 210},
    TensorTypeInfo{q8_K, "q8_K", 256, 292},
    TensorTypeInfo{iq2_xxs, "iq2_xxs", 256, 66},
    TensorTypeInfo{iq2_xs, "iq2_xs", 256, 74},
    TensorTypeInfo{iq3_xxs, "iq3_xxs", 256, 98},
    TensorTypeInfo{iq1_s, "iq1_s", 256, 50},
    TensorTypeInfo{iq4_nl, "iq4_nl", 32, 18},
    TensorTypeInfo{iq3_s, "iq3_s", 256, 110},
    TensorTypeInfo{iq2_s, "iq2_s", 256, 82},
    TensorTypeInfo{iq4_xs, "iq4_xs", 256, 136},
    TensorTypeInfo{i8, "i8", 1, 1},
    TensorTypeInfo{i16, "i16", 1, 2},
    TensorTypeInfo{i32, "i32", 1, 4},
    TensorTypeInfo{i64, "i64", 1, 8},
    TensorTypeInfo{f64, "f64", 1, 8},
    TensorTypeInfo{iq1_m, "iq1_m", 256, 56},
    TensorTypeInfo{bf16, "bf16", 1, 2},
    TensorTypeInfo{tq1_0, "tq1_0", 256, 54},
    TensorTypeInfo{tq2_0, "tq2_0", 256, 66},
    TensorTypeInfo{mxfp4, "mxfp4", 32, 17},
    TensorTypeInfo{nvfp4, "nvfp4", 64, 36},
    TensorTypeInfo{q1_0, "q1_0", 128, 18},
    TensorTypeInfo{q2_0, "q2_0", 64, 18},
};

constexpr std::uint32_t number_of(const TensorTypeInfo& info) {
  return static_cast<std::uint32_t>(info.type);
}

static_assert(std::ranges::is_sorted(table, {}, number_of));

}  // namespace

std::span<const TensorTypeInfo> tensor_types() {
  return table;
}

const TensorTypeInfo* find_tensor_type(std::uint32_t number) {
  const auto at = std::ranges::lower_bound(table, number, {}, number_of);
  return at != table.end() && number_of(*at) == number ? &*at : nullptr;
}

const TensorTypeInfo& info_of(TensorType type) {
  return *std::ranges::lower_bound(table, static_cast<std::uint32_t>(type), {}, number_of);
}

std::string_view refused_tensor_type(std::uint32_t number) {
  switch (number) {
    case 4:
      return "q4_2, which was removed from the format";
    case 5:
      return "q4_3, which was removed from the format";
    case 31:
      return "q4_0_4_4, which was removed from the format";
    case 32:
      return "q4_0_4_8, which was removed from the format";
    case 33:
      return "q4_0_8_8, which was removed from the format";
    case 36:
      return "iq4_nl_4_4, which was removed from the format";
    case 37:
      return "iq4_nl_4_8, which was removed from the format";
    case 38:
      return "iq4_nl_8_8, which was removed from the format";
    default:
      return "unknown";
  }
}

}  // namespace assay::gguf
