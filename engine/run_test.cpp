#include <gtest/gtest.h>

#include <vector>

#include "engine/operation.hpp"
#include "engine/runtime/error.hpp"

namespace assay {
namespace {

// y_ij = factor * x_ij over rows that may be strided: enough of an operation to show what run_on_host does
// around one.
Operation scale() {
  Operation operation;
  operation.name = "test.scale";
  operation.inputs = {{"x", "numbers", {DType::f64}, "(rows, columns)"}};
  operation.outputs = {{"y", "scaled numbers", {DType::f64}, "(rows, columns)"}};
  ParameterInfo factor;
  factor.name = "factor";
  factor.summary = "what each number is multiplied by";
  factor.type = ParameterType::real;
  factor.fallback = 2.0;
  factor.minimum = -10;
  factor.maximum = 10;
  operation.parameters.push_back(factor);
  operation.output_shapes = [](const Arguments& arguments) {
    return std::vector<OutputShape>{{"y", DType::f64, arguments.input("x").shape}};
  };
  operation.run = [](Context&, const Arguments& arguments, const Outputs& outputs) {
    const ConstTensorView& x = arguments.input("x");
    const auto y = outputs.at("y").as<double>();
    const auto* from = reinterpret_cast<const double*>(x.data);
    for (std::int64_t row = 0; row < x.extent(0); ++row)
      for (std::int64_t column = 0; column < x.extent(1); ++column)
        y[row * x.extent(1) + column] =
            arguments.real("factor") * from[row * x.strides[0] + column * x.strides[1]];
  };
  return operation;
}

TEST(RunOnHost, FillsInDefaultsAllocatesOutputsAndTakesStridedInputs) {
  Context context = Context::cpu(1);
  const std::vector<double> memory = {1, 2, -1, 3, 4, -1};
  Arguments arguments;
  ConstTensorView x = view_of(memory.data(), {2, 2});
  x.strides = {3, 1};
  arguments.inputs.emplace("x", x);
  const auto outputs = run_on_host(context, scale(), arguments);
  ASSERT_EQ(outputs.size(), 1u);
  const auto y = outputs.at("y").as<double>();
  EXPECT_EQ(std::vector<double>(y.begin(), y.end()), (std::vector<double>{2, 4, 6, 8}));
}

TEST(RunOnHost, RefusesWhatTheDescriptionRefuses) {
  Context context = Context::cpu(1);
  Arguments arguments;
  EXPECT_THROW(run_on_host(context, scale(), arguments), ContractError);
  const std::vector<double> memory = {1};
  arguments.inputs.emplace("x", view_of(memory.data(), {1, 1}));
  arguments.parameters.emplace("factor", 11.0);
  EXPECT_THROW(run_on_host(context, scale(), arguments), ContractError);
}

TEST(RunOnHost, RefusesInputsOnTheDevice) {
  Context context = Context::cpu(1);
  Arguments arguments;
  const std::vector<double> memory = {1};
  arguments.inputs.emplace("x", view_of(memory.data(), {1, 1}, MemorySpace::device));
  EXPECT_THROW(run_on_host(context, scale(), arguments), ContractError);
}

}  // namespace
}  // namespace assay
