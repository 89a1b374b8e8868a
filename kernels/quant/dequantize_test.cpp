#include "kernels/quant/dequantize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "engine/tensors/half.hpp"
#include "engine/tensors/tensor.hpp"
#include "kernels/blocks/every_target.hpp"
#include "reference/quant/dequantize.hpp"

namespace assay::kernels::quant {
namespace {

TEST(DequantizeBody, EveryInstructionSetHasTheReferencesBits) {
  ThreadPool pool(1);
  int runs = 0;
  blocks::on_every_target([&] {
    ++runs;
    for (const BlockLayout& layout : block_layouts) {
      const std::int64_t count = layout.length == 256 ? 300 : 1013;
      std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count * layout.bytes));
      Philox random(11);
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
      Tensor values(DType::f32, {count * layout.length});
      dequantize_cpu(
          pool, {layout.format, bytes.data(), count * layout.bytes, values.as<float>().data(), 1, count});
      int wrong = 0;
      for (std::int64_t i = 0; i < count * layout.length; ++i) {
        const float value = values.as<float>()[static_cast<std::size_t>(i)];
        const auto expected = static_cast<float>(
            reference::quant::element(layout.format, bytes.data() + i / layout.length * layout.bytes,
                                      static_cast<int>(i % layout.length)));
        const bool same =
            std::isnan(expected) ? std::isnan(value) : detail::bits_of(value) == detail::bits_of(expected);
        if (!same) ++wrong;
      }
      EXPECT_EQ(wrong, 0) << layout.name;
    }
  });
  EXPECT_GE(runs, 2);
}

TEST(DequantizeBody, RowsSideBySideAreJoinedAndOthersAreNot) {
  const DequantizeCall side_by_side{BlockFormat::q4_0, nullptr, 36, nullptr, 3, 2};
  EXPECT_EQ(joined(side_by_side).rows, 1);
  EXPECT_EQ(joined(side_by_side).blocks_per_row, 6);
  DequantizeCall apart = side_by_side;
  apart.row_stride = 37;
  EXPECT_EQ(joined(apart).rows, 3);
  EXPECT_EQ(joined(apart).blocks_per_row, 2);
}

}  // namespace
}  // namespace assay::kernels::quant
