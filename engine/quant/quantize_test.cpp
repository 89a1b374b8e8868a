#include "engine/quant/quantize.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

TEST(Quantize, OneCall) {
  // docs: quantize call
  Context context = Context::cpu();
  std::vector<float> row(32, 0.0f);
  row[0] = -4.0f;  // the largest: the scale is -4 / -8, its code 0, that of 0 is 8
  row[1] = 3.5f;   // 7 times 0.5: code 15
  const Tensor values = Tensor::from(row, {1, 32});
  Tensor blocks(DType::u8, {1, 18});
  quant::quantize(context, values.view(), BlockFormat::q4_0, blocks.view());  // 0x00 0x38, 0x80 0x8F 0x88 ...
  // docs: end
  const auto bytes = blocks.as<std::uint8_t>();
  EXPECT_EQ(bytes[0], 0x00);
  EXPECT_EQ(bytes[1], 0x38);
  EXPECT_EQ(bytes[2], 0x80);
  EXPECT_EQ(bytes[3], 0x8F);
  for (std::size_t i = 4; i < 18; ++i) EXPECT_EQ(bytes[i], 0x88);
}

TEST(Quantize, NothingIsWrittenWhereThereAreNoRowsOrNoColumns) {
  Context context = Context::cpu(1);
  const Tensor no_rows(DType::f32, {0, 32});
  Tensor nothing(DType::u8, {0, 18});
  EXPECT_NO_THROW(quant::quantize(context, no_rows.view(), BlockFormat::q4_0, nothing.view()));
  const Tensor no_columns(DType::f32, {5, 0});
  Tensor empty(DType::u8, {5, 0});
  EXPECT_NO_THROW(quant::quantize(context, no_columns.view(), BlockFormat::q6_k, empty.view()));
}

TEST(Quantize, RefusesWhatItsContractRefuses) {
  Context context = Context::cpu(1);
  const Tensor values(DType::f32, {3, 64});
  Tensor blocks(DType::u8, {3, 36});
  const auto refusal = [&](const ConstTensorView& from, BlockFormat format,
                           const TensorView& to) -> std::string {
    try {
      quant::quantize(context, from, format, to);
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
  EXPECT_EQ(refusal(values.view(), q4_0, blocks.view()), "accepted");
  EXPECT_EQ(
      refusal(values.view(), BlockFormat::q5_k, blocks.view()),
      "quant.quantize: format: is Q5_K; expected one of Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q6_K, MXFP4");
  EXPECT_EQ(refusal(changed(values.view(), [](auto& view) { view.dtype = DType::f16; }), q4_0, blocks.view()),
            "quant.quantize: values: holds f16; expected f32");
  EXPECT_EQ(refusal(changed(values.view(), [](auto& view) { view.shape = {192}; }), q4_0, blocks.view()),
            "quant.quantize: values: has shape (192); expected (rows, columns)");
  EXPECT_EQ(refusal(values.view(), BlockFormat::q4_k, blocks.view()),
            "quant.quantize: values: has rows of 64; expected a multiple of 256, the block length of Q4_K");
  EXPECT_EQ(refusal(changed(values.view(),
                            [](auto& view) {
                              view.strides = {128, 2};
                            }),
                    q4_0, blocks.view()),
            "quant.quantize: values: has element stride 2; expected 1");
  EXPECT_EQ(refusal(changed(values.view(),
                            [](auto& view) {
                              view.strides = {63, 1};
                            }),
                    q4_0, blocks.view()),
            "quant.quantize: values: has row stride 63; expected at least its 64 columns");
  EXPECT_EQ(refusal(values.view(), BlockFormat::q5_0, blocks.view()),
            "quant.quantize: blocks: has shape (3, 36); expected (3, 44)");
  EXPECT_EQ(refusal(values.view(), q4_0, changed(blocks.view(), [](auto& view) { view.dtype = DType::f32; })),
            "quant.quantize: blocks: holds f32; expected u8");
  EXPECT_EQ(refusal(values.view(), q4_0,
                    changed(blocks.view(), [](auto& view) { view.space = MemorySpace::device; })),
            "quant.quantize: blocks: lies in device memory; expected memory of the cpu backend");
  EXPECT_EQ(refusal(changed(values.view(), [](auto& view) { view.space = MemorySpace::device; }), q4_0,
                    blocks.view()),
            "quant.quantize: values: lies in device memory; expected memory of the cpu backend");
}

TEST(Quantize, DescribesItself) {
  const Operation operation = quant::describe_quantize();
  const Tensor values(DType::f32, {3, 64});
  Arguments arguments;
  arguments.inputs.emplace("values", values.view());
  arguments.parameters.emplace("format", "Q4_0");
  EXPECT_EQ(operation.work(arguments).bytes, 3 * 64 * 4 + 3 * 36);
  EXPECT_EQ(operation.output_shapes(arguments).front().shape, (Shape{3, 36}));
  EXPECT_TRUE(operation.has(Backend::cuda));
  Context context = Context::cpu(1);
  arguments.parameters["format"] = std::string("Q2_K");
  try {
    run_on_host(context, operation, arguments);
    ADD_FAILURE() << "accepted";
  } catch (const ContractError& error) {
    EXPECT_EQ(std::string(error.what()),
              "quant.quantize: format: is 'Q2_K'; expected one of: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q6_K, "
              "MXFP4");
  }
}

}  // namespace
}  // namespace assay
