#include "engine/dense/softmax.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "engine/runtime/error.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/tensors/half.hpp"
#include "reference/dense/softmax.hpp"

namespace assay {
namespace {

TEST(Softmax, OneCall) {
  // docs: softmax call
  Context context = Context::cpu();
  const Tensor x = Tensor::from<float>({0.0f, std::log(2.0f), std::log(5.0f)}, {1, 3});
  Tensor y(DType::f32, {1, 3});
  dense::softmax(context, x.view(), y.view());  // 1/8, 1/4, 5/8
  // docs: end
  EXPECT_FLOAT_EQ(y.as<float>()[0], 0.125f);
  EXPECT_FLOAT_EQ(y.as<float>()[1], 0.25f);
  EXPECT_FLOAT_EQ(y.as<float>()[2], 0.625f);
}

// The operation's outputs and bound against the reference on one input; returns the largest share of the
// bound used.
double worst_share(const Tensor& x) {
  const Operation operation = dense::describe_softmax();
  Context context = Context::cpu(2);
  Arguments arguments;
  arguments.inputs.emplace("x", x.view());
  const auto outputs = run_on_host(context, operation, arguments);
  Tensor expected(DType::f64, x.shape());
  reference::dense::run_softmax(arguments, {{"y", expected.view()}});
  const auto r = expected.as<double>();
  const std::vector<double> allowed = operation.error_bound(arguments, "y", r);
  double worst = 0;
  for (std::size_t index = 0; index < r.size(); ++index) {
    const double y = x.dtype() == DType::f32   ? outputs.at("y").as<float>()[index]
                     : x.dtype() == DType::f16 ? to_float(outputs.at("y").as<Half>()[index])
                                               : to_float(outputs.at("y").as<BFloat16>()[index]);
    if (std::isnan(r[index]) != std::isnan(y)) return std::numeric_limits<double>::infinity();
    if (!std::isnan(y)) worst = std::max(worst, std::abs(y - r[index]) / allowed[index]);
  }
  return worst;
}

// Every upper half of a float's bits, which is every bfloat16, and every binary16, each in a row beside 0:
// every value is loaded, and stored values go through the subnormals.
template <typename Element>
Tensor every_pattern() {
  std::vector<Element> values;
  for (unsigned pattern = 0; pattern < 65536; ++pattern) {
    values.push_back(from_float<Element>(0));
    if constexpr (std::is_same_v<Element, float>)
      values.push_back(detail::float_of(pattern << 16 | 0x1234));
    else
      values.push_back(Element{static_cast<std::uint16_t>(pattern)});
  }
  return Tensor::from(values, {65536, 2});
}

TEST(Softmax, EveryPatternOfTheSixteenBitTypesIsReadAndWrittenWithinTheBound) {
  EXPECT_LE(worst_share(every_pattern<Half>()), 1);
  EXPECT_LE(worst_share(every_pattern<BFloat16>()), 1);
  EXPECT_LE(worst_share(every_pattern<float>()), 1);
  EXPECT_GT(worst_share(every_pattern<Half>()), 0.5) << "rounding to the output alone uses most of the bound";
}

TEST(Softmax, NothingIsWrittenWhereThereAreNoRowsOrNoColumns) {
  Context context = Context::cpu(1);
  for (const Shape& shape : {Shape{0, 5}, Shape{5, 0}, Shape{0, 0}}) {
    const Tensor x(DType::f32, shape);
    Tensor y(DType::f32, shape);
    EXPECT_NO_THROW(dense::softmax(context, x.view(), y.view()));
  }
}

TEST(Softmax, RefusesWhatItsContractRefuses) {
  Context context = Context::cpu(1);
  const Tensor x(DType::f32, {4, 6});
  Tensor y(DType::f32, {4, 6});
  const auto refusal = [&](const ConstTensorView& from, const TensorView& to) -> std::string {
    try {
      dense::softmax(context, from, to);
    } catch (const ContractError& error) {
      return error.what();
    }
    return "accepted";
  };
  const auto changed = [](auto view, const std::function<void(decltype(view)&)>& change) {
    change(view);
    return view;
  };
  EXPECT_EQ(refusal(x.view(), y.view()), "accepted");
  EXPECT_EQ(refusal(changed(x.view(), [](auto& view) { view.dtype = DType::f64; }), y.view()),
            "dense.softmax: x: holds f64; expected f32, f16 or bf16");
  EXPECT_EQ(refusal(changed(x.view(), [](auto& view) { view.shape = {24}; }), y.view()),
            "dense.softmax: x: has shape (24); expected (rows, columns)");
  EXPECT_EQ(refusal(changed(x.view(),
                            [](auto& view) {
                              view.strides = {12, 2};
                            }),
                    y.view()),
            "dense.softmax: x: has column stride 2; expected 1");
  EXPECT_EQ(refusal(changed(x.view(),
                            [](auto& view) {
                              view.strides = {5, 1};
                            }),
                    y.view()),
            "dense.softmax: x: has row stride 5; expected at least its 6 columns");
  EXPECT_EQ(refusal(x.view(), changed(y.view(),
                                      [](auto& view) {
                                        view.shape = {6, 4};
                                      })),
            "dense.softmax: y: has shape (6, 4); expected (4, 6)");
  EXPECT_EQ(refusal(x.view(), changed(y.view(), [](auto& view) { view.dtype = DType::f16; })),
            "dense.softmax: y: holds f16; expected f32");
  EXPECT_EQ(refusal(x.view(), changed(y.view(),
                                      [](auto& view) {
                                        view.strides = {8, 1};
                                      })),
            "dense.softmax: y: is strided; expected a contiguous tensor");
  EXPECT_EQ(refusal(changed(x.view(), [](auto& view) { view.space = MemorySpace::device; }), y.view()),
            "dense.softmax: x: lies in device memory; expected memory of the cpu backend");
}

TEST(Softmax, DescribesItsWorkAndOutputs) {
  const Operation operation = dense::describe_softmax();
  const Tensor x(DType::f16, {3, 5});
  Arguments arguments;
  arguments.inputs.emplace("x", x.view());
  const auto shapes = operation.output_shapes(arguments);
  ASSERT_EQ(shapes.size(), 1u);
  EXPECT_EQ(shapes[0].dtype, DType::f16);
  EXPECT_EQ(shapes[0].shape, (Shape{3, 5}));
  EXPECT_EQ(operation.work(arguments).bytes, 2 * 15 * 2);
  EXPECT_TRUE(operation.has(Backend::cuda));
}

TEST(Softmax, RepeatedCallsAllocateNothing) {
  Context context = Context::cpu(2);
  const Tensor x = Tensor::from(std::vector<float>(2 * 70000, 1.0f), {2, 70000});
  Tensor y(DType::f32, {2, 70000});
  for (int warm_up = 0; warm_up < 3; ++warm_up) dense::softmax(context, x.view(), y.view());
  const std::size_t allocations = context.workspace().allocations();
  for (int repeat = 0; repeat < 5; ++repeat) dense::softmax(context, x.view(), y.view());
  EXPECT_EQ(context.workspace().allocations(), allocations);
}

}  // namespace
}  // namespace assay
