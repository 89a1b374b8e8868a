#include "engine/sampling/nucleus_filtering.hpp"

#include "engine/logits/rows.hpp"
#include "kernels/sampling/nucleus_filtering.hpp"

namespace assay::sampling {

namespace {

using kernels::filters::Step;
using kernels::filters::steps_of;

constexpr const char* name = "sampling.nucleus_filtering";

/// As the contract header derives it.
double probability_error(double tokens, double reference) {
  return (0x1p-46 * (1 + tokens * reference) + 1e-13 * reference) * (1 + 0x1p-23) + 0x1p-24 * reference;
}

}  // namespace

void nucleus_filtering(Context& context, const filters::RowInputs& rows,
                       const std::optional<ConstTensorView>& temperature, const ConstTensorView& top_p,
                       std::int64_t min_keep, const NucleusOutputs& outputs) {
  filters::StepInputs parameters;
  parameters.temperature = temperature;
  parameters.top_p = top_p;
  filters::FilterOutputs given;
  given.probabilities = outputs.probabilities;
  given.kept = outputs.kept;
  filters::run(context, name,
               temperature ? steps_of({Step::temperature, Step::top_p}) : steps_of({Step::top_p}),
               kernels::sampling::nucleus_filtering_cpu, rows, parameters, min_keep, given);
}

Operation describe_nucleus_filtering() {
  Operation operation =
      filters::describe_distribution(name, {{"temperature", true}, {"top_p"}}, filters::MinKeep::yes);
  operation.summary = "Temperature, top-p and renormalisation: the probabilities of the nucleus.";
  operation.paper = "Holtzman et al. 2020, equations 2 and 3";
  operation.error_model = "kept exact; (2^-46 (1 + n r) + 1e-13 r) (1 + 2^-23) + 2^-24 r";
  operation.error_bound = [](const Arguments& arguments, std::string_view,
                             std::span<const double> reference) {
    const auto tokens = static_cast<double>(arguments.input("logits").extent(1));
    std::vector<double> allowed;
    for (const double value : reference) allowed.push_back(probability_error(tokens, value));
    return allowed;
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    nucleus_filtering(context, filters::rows_in(arguments), logits::maybe(arguments, "temperature"),
                      arguments.input("top_p"), arguments.integer("min_keep"),
                      {outputs.at("probabilities"), outputs.at("kept")});
  };
  return operation;
}

}  // namespace assay::sampling
