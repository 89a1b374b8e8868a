#include "engine/quant/dequantize.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

TEST(Dequantize, OneCall) {
  // docs: dequantize call
  Context context = Context::cpu();
  std::vector<std::uint8_t> bytes(18, 0x88);  // one block of Q4_0: a scale, then 32 codes, all of them 8 ...
  bytes[0] = 0x00;                            // ... but the first; the scale is 0.5 in binary16
  bytes[1] = 0x38;
  bytes[2] = 0x8F;
  const Tensor blocks = Tensor::from(bytes, {1, 18});
  Tensor values(DType::f32, {1, 32});
  quant::dequantize(context, blocks.view(), BlockFormat::q4_0, values.view());  // 3.5, 0, 0, ...
  // docs: end
  EXPECT_EQ(values.as<float>()[0], 3.5f);
  for (std::size_t i = 1; i < 32; ++i) EXPECT_EQ(values.as<float>()[i], 0.0f);
}

TEST(Dequantize, FormatsAreListedInTheirOrderAndFoundByNameAndNumber) {
  for (std::size_t at = 0; at < block_layouts.size(); ++at) {
    const BlockLayout& layout = block_layouts[at];
    EXPECT_EQ(static_cast<std::size_t>(layout.format), at);
    EXPECT_EQ(block_format_named(layout.name), layout.format);
    EXPECT_EQ(block_format_of_ggml(layout.ggml_type), layout.format);
    EXPECT_EQ(256 % layout.length, 0);
    EXPECT_LT(layout.scale_at, layout.bytes);
    EXPECT_LT(layout.minimum_at, layout.bytes);
  }
  EXPECT_FALSE(block_format_named("q4_0"));
  EXPECT_FALSE(block_format_named(""));
  EXPECT_FALSE(block_format_of_ggml(4)) << "Q4_2, which ggml dropped";
  EXPECT_FALSE(block_format_of_ggml(200));
}

TEST(Dequantize, NothingIsWrittenWhereThereAreNoRowsOrNoColumns) {
  Context context = Context::cpu(1);
  const Tensor no_rows(DType::u8, {0, 18});
  Tensor nothing(DType::f32, {0, 32});
  EXPECT_NO_THROW(quant::dequantize(context, no_rows.view(), BlockFormat::q4_0, nothing.view()));
  const Tensor no_bytes(DType::u8, {5, 0});
  Tensor empty(DType::f32, {5, 0});
  EXPECT_NO_THROW(quant::dequantize(context, no_bytes.view(), BlockFormat::q6_k, empty.view()));
}

TEST(Dequantize, RefusesWhatItsContractRefuses) {
  Context context = Context::cpu(1);
  const Tensor blocks(DType::u8, {3, 36});
  Tensor values(DType::f32, {3, 64});
  const auto refusal = [&](const ConstTensorView& from, BlockFormat format,
                           const TensorView& to) -> std::string {
    try {
      quant::dequantize(context, from, format, to);
    } catch (const ContractError& error) {
      return error.what();
    }
    return "accepted";
  };
  const auto changed = [](auto view, const std::function<void(decltype(view)&)>& change) {
    change(view);
    return view;
  };
  const BlockFormat q4_0 = BlockFormat::q4_0;
  EXPECT_EQ(refusal(blocks.view(), q4_0, values.view()), "accepted");
  EXPECT_EQ(refusal(changed(blocks.view(), [](auto& view) { view.dtype = DType::i32; }), q4_0, values.view()),
            "quant.dequantize: blocks: holds i32; expected u8");
  EXPECT_EQ(refusal(changed(blocks.view(), [](auto& view) { view.shape = {108}; }), q4_0, values.view()),
            "quant.dequantize: blocks: has shape (108); expected (rows, bytes of a row)");
  EXPECT_EQ(refusal(blocks.view(), BlockFormat::q5_0, values.view()),
            "quant.dequantize: blocks: has rows of 36 bytes; expected 44, which 64 columns have in Q5_0");
  EXPECT_EQ(refusal(blocks.view(), BlockFormat::q4_k, values.view()),
            "quant.dequantize: columns: is 64; expected a multiple of 256, the block length of Q4_K");
  EXPECT_EQ(refusal(changed(blocks.view(),
                            [](auto& view) {
                              view.strides = {72, 2};
                            }),
                    q4_0, values.view()),
            "quant.dequantize: blocks: has byte stride 2; expected 1");
  EXPECT_EQ(refusal(changed(blocks.view(),
                            [](auto& view) {
                              view.strides = {35, 1};
                            }),
                    q4_0, values.view()),
            "quant.dequantize: blocks: has row stride 35; expected at least its 36 bytes");
  EXPECT_EQ(refusal(blocks.view(), q4_0, changed(values.view(), [](auto& view) { view.shape = {192}; })),
            "quant.dequantize: values: has shape (192); expected (rows, columns)");
  EXPECT_EQ(refusal(blocks.view(), q4_0, changed(values.view(), [](auto& view) { view.shape[0] = 2; })),
            "quant.dequantize: values: has shape (2, 64); expected (3, 64)");
  EXPECT_EQ(refusal(blocks.view(), q4_0, changed(values.view(), [](auto& view) { view.dtype = DType::f16; })),
            "quant.dequantize: values: holds f16; expected f32");
  EXPECT_EQ(refusal(blocks.view(), q4_0,
                    changed(values.view(), [](auto& view) { view.space = MemorySpace::device; })),
            "quant.dequantize: values: lies in device memory; expected memory of the cpu backend");
  EXPECT_EQ(refusal(changed(blocks.view(), [](auto& view) { view.space = MemorySpace::device; }), q4_0,
                    values.view()),
            "quant.dequantize: blocks: lies in device memory; expected memory of the cpu backend");
}

// Through the description: what is refused before anything is allocated.
TEST(Dequantize, RefusesParametersThatDoNotFit) {
  Context context = Context::cpu(1);
  const Operation operation = quant::describe_dequantize();
  const Tensor blocks(DType::u8, {3, 36});
  const auto refusal = [&](const char* format, std::int64_t columns) -> std::string {
    Arguments arguments;
    arguments.inputs.emplace("blocks", blocks.view());
    arguments.parameters.emplace("format", format);
    arguments.parameters.emplace("columns", columns);
    try {
      run_on_host(context, operation, arguments);
    } catch (const ContractError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal("Q4_0", 64), "accepted");
  EXPECT_EQ(refusal("Q4_0", std::int64_t{1} << 47),
            "quant.dequantize: blocks: has rows of 36 bytes; expected 79164837199872, which 140737488355328 "
            "columns "
            "have in Q4_0");
  EXPECT_EQ(refusal("Q4_0", 63),
            "quant.dequantize: columns: is 63; expected a multiple of 32, the block length of Q4_0");
  EXPECT_NE(refusal("Q4_0", -32).find("quant.dequantize: columns: is -32"), std::string::npos);
  EXPECT_NE(
      refusal("Q9_9", 64).find("quant.dequantize: format: is 'Q9_9'; expected one of: F32, F16, BF16, Q4_0"),
      std::string::npos);
}

TEST(Dequantize, DescribesItsWork) {
  const Operation operation = quant::describe_dequantize();
  const Tensor blocks(DType::u8, {3, 36});
  Arguments arguments;
  arguments.inputs.emplace("blocks", blocks.view());
  arguments.parameters.emplace("format", "Q4_0");
  arguments.parameters.emplace("columns", std::int64_t{64});
  EXPECT_EQ(operation.work(arguments).bytes, 3 * 36 + 3 * 64 * 4);
  EXPECT_EQ(operation.output_shapes(arguments).front().shape, (Shape{3, 64}));
  EXPECT_TRUE(operation.has(Backend::cuda));
}

}  // namespace
}  // namespace assay
