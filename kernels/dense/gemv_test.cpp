#include "kernels/dense/gemv.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "engine/tensors/half.hpp"
#include "engine/tensors/tensor.hpp"
#include "kernels/blocks/every_target.hpp"
#include "reference/quant/dequantize.hpp"

namespace assay::kernels::dense {
namespace {

constexpr std::int64_t rows = 7;
constexpr int batch = 3;

template <typename T>
void put(std::uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

/// Random codes with scales of 1 and minima of 3/4, or integers from -8 to 8.
std::vector<std::uint8_t> weights_of(const BlockLayout& layout, std::int64_t blocks) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(blocks * layout.bytes));
  Philox random(5);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
  for (std::int64_t block = 0; block < blocks; ++block) {
    std::uint8_t* const at = bytes.data() + block * layout.bytes;
    const auto integer = static_cast<float>(at[0] % 17) - 8;
    if (layout.format == BlockFormat::f32) put(at, integer);
    if (layout.format == BlockFormat::f16) put(at, to_half(integer).bits);
    if (layout.format == BlockFormat::bf16) put(at, to_bfloat16(integer).bits);
    if (layout.scale == BlockScale::binary16) put(at + layout.scale_at, to_half(1.0f).bits);
    if (layout.scale == BlockScale::binary32) put(at + layout.scale_at, 1.0f);
    if (layout.scale == BlockScale::exponent) at[layout.scale_at] = 127;
    if (layout.minimum_at >= 0) put(at + layout.minimum_at, to_half(0.75f).bits);
  }
  return bytes;
}

struct Problem {
  const BlockLayout& layout;
  std::int64_t columns = layout.length == 1 ? 2053 : layout.length == 32 ? 2080 : 2304;
  std::int64_t blocks = columns / layout.length;
  std::vector<std::uint8_t> weights = weights_of(layout, rows* blocks);
  Tensor x = Tensor(DType::f32, {batch, columns});
  std::vector<float> bias = std::vector<float>(rows, 0.5f);

  /// One activation in sixteen is -1 or 1: whatever the order, sums are exact in float.
  explicit Problem(const BlockLayout& of) : layout(of) {
    Philox random(6);
    for (float& value : x.as<float>())
      value = random.below(16) > 0 ? 0.0f : random.below(2) == 0 ? -1.0f : 1.0f;
  }

  std::vector<float> run(ThreadPool& pool) {
    std::vector<float> y(batch * rows);
    const GemvCall call{layout.format,
                        weights.data(),
                        blocks * layout.bytes,
                        DType::f32,
                        reinterpret_cast<const std::byte*>(x.as<float>().data()),
                        columns,
                        bias.data(),
                        y.data(),
                        rows,
                        columns,
                        batch};
    Tensor scratch(DType::f32, {static_cast<std::int64_t>(gemv_cpu_scratch(call)) + 1});
    gemv_cpu(pool, call, scratch.as<float>().data());
    return y;
  }

  std::vector<float> expected() {
    std::vector<float> y;
    for (int vector = 0; vector < batch; ++vector)
      for (std::int64_t row = 0; row < rows; ++row) {
        double sum = bias[static_cast<std::size_t>(row)];
        for (std::int64_t column = 0; column < columns; ++column)
          sum += reference::quant::element(
                     layout.format, weights.data() + (row * blocks + column / layout.length) * layout.bytes,
                     static_cast<int>(column % layout.length)) *
                 static_cast<double>(x.as<float>()[static_cast<std::size_t>(vector * columns + column)]);
        y.push_back(static_cast<float>(sum));
      }
    return y;
  }
};

TEST(GemvBody, EveryInstructionSetAddsExactProductsExactly) {
  ThreadPool pool(1);
  int runs = 0;
  blocks::on_every_target([&] {
    ++runs;
    for (const BlockLayout& layout : block_layouts) {
      Problem problem(layout);
      EXPECT_EQ(problem.run(pool), problem.expected()) << layout.name;
    }
  });
  EXPECT_GE(runs, 2);
}

// A minimum apart from its code makes infinity less infinity of one infinite product.
TEST(GemvBody, EveryInstructionSetKeepsAnInfiniteProduct) {
  ThreadPool pool(1);
  blocks::on_every_target([&] {
    Problem problem(layout_of(BlockFormat::q4_1));
    problem.x.as<float>()[3] = std::numeric_limits<float>::infinity();
    const std::vector<float> y = problem.run(pool);
    for (std::size_t i = 0; i < y.size(); ++i)
      EXPECT_EQ(std::isinf(y[i]), i < static_cast<std::size_t>(rows)) << i;
  });
}

}  // namespace
}  // namespace assay::kernels::dense
