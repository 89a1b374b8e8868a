#include "engine/te/digamma.hpp"

#include <cmath>
#include <string>

#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/mutant.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/view_checks.hpp"
#include "kernels/te/digamma.hpp"

namespace assay::te {

namespace {

constexpr std::string_view kName = "te.digamma";
constexpr double kUnitRoundoff = 0x1p-53;

/// 8 u (|psi| + the magnitudes that are added): recurrence, logarithm, half term and the series.
double allowed_error(double x, double psi) {
  double magnitudes = std::fabs(psi);
  for (; x < 8.0; x += 1.0) magnitudes += 1.0 / x;
  return 8.0 * kUnitRoundoff * (magnitudes + std::log(x) + 0.5 / x + 1.0 / (12.0 * x * x));
}

}  // namespace

void digamma(Context& context, const ConstTensorView& x, const TensorView& psi) {
  check_view(kName, "x", x, DType::f64, x.rank());
  check_view(kName, "psi", psi, DType::f64, x.shape);
  check_memory(kName, "x", context, x.space);
  check_memory(kName, "psi", context, psi.space);
  const auto values = x.as<double>();
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    kernels::te::digamma_cuda(context.stream().handle(), values.data(), x.elements(), psi.as<double>().data(),
                              context.status().on_device());
#endif
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    if ((!(values[i] > 0.0) || !std::isfinite(values[i])) && !mutant("te.digamma.domain_unchecked"))
      throw ContractError(std::string(kName), "x",
                          "element " + std::to_string(i) + " is " + std::to_string(values[i]) +
                              "; expected finite numbers above 0");
  kernels::te::digamma(context.pool(), values, psi.as<double>());
}

Operation describe_digamma() {
  Operation operation;
  operation.name = kName;
  operation.summary = "The digamma function psi(x) of every element, x > 0.";
  operation.paper = "Abramowitz, Stegun 1964, 6.3.5 and 6.3.18";
  operation.error_model = "8 u (|psi| + sum of the magnitudes added), u = 2^-53";
  operation.inputs = {{"x", "arguments, above 0 and finite", {DType::f64}, "any"}};
  operation.outputs = {{"psi", "psi(x)", {DType::f64}, "that of x"}};
  operation.cuda_body = CudaBody::shared;
  operation.deterministic = true;
  operation.batches = {{.name = "elements", .inputs = {{"x", 0}}, .outputs = {{"psi", 0}}}};
  operation.output_shapes = [](const Arguments& arguments) {
    return std::vector<OutputShape>{{"psi", DType::f64, arguments.input("x").shape}};
  };
  operation.work = [](const Arguments& arguments) {
    // a logarithm counted as 20 operations, one division, 9 series terms of 2, and 2 sums; no recurrence
    const auto elements = static_cast<double>(arguments.input("x").elements());
    return Work{.flops = 41.0 * elements, .bytes = 16.0 * elements};
  };
  operation.error_bound = [](const Arguments& arguments, std::string_view,
                             std::span<const double> reference) {
    const auto x = arguments.input("x").as<double>();
    std::vector<double> allowed(reference.size());
    for (std::size_t i = 0; i < allowed.size(); ++i) allowed[i] = allowed_error(x[i], reference[i]);
    return allowed;
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    digamma(context, arguments.input("x"), outputs.at("psi"));
  };
  return operation;
}

}  // namespace assay::te
