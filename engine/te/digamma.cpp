#include "engine/te/digamma.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/error_bounds.hpp"
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
/// A coefficient of the series, rounded once.
Bounded coefficient(double value) {
  return rounded(exactly(value), in_double);
}

}  // namespace

double digamma_error(double x) {
  Bounded argument = exactly(x), recurrence = exactly(0);
  for (; argument.exact < 8; argument = sum(argument, exactly(1), in_double))
    recurrence = sum(recurrence, quotient(exactly(1), argument, in_double), in_double);
  const Bounded r = quotient(exactly(1), argument, in_double), s = product(r, r, in_double);
  Bounded series = coefficient(43867.0 / 14364);
  for (const double next :
       {3617.0 / 8160, 1.0 / 12, 691.0 / 32760, 1.0 / 132, 1.0 / 240, 1.0 / 252, 1.0 / 120, 1.0 / 12})
    series = difference(coefficient(next), product(s, series, in_double), in_double);
  series = product(s, series, in_double);
  const Bounded half{0.5 * r.exact, 0.5 * r.error};
  const Bounded psi = difference(
      difference(difference(logarithm(argument, 2, in_double), half, in_double), series, in_double),
      recurrence, in_double);
  const double left_out = 26.5 / std::pow(argument.exact, 20);
  const double of_reference = in_double.unit * (std::fabs(psi.exact) + psi.error) +
                              0x1p-64 * (1100 + 3 * (1 / x + std::log(x + 1000)));
  return psi.error + left_out + of_reference;
}

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
  operation.error_model =
      "composed of the steps: recurrence, logarithm (2 u), series; about 8 u of the magnitudes added, u = "
      "2^-53";
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
    std::transform(x.begin(), x.end(), allowed.begin(), digamma_error);
    return allowed;
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    digamma(context, arguments.input("x"), outputs.at("psi"));
  };
  return operation;
}

}  // namespace assay::te
