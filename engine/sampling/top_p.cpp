#include "engine/sampling/top_p.hpp"

#include "kernels/sampling/top_p.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.top_p";

}  // namespace

void top_p(Context& context, const filters::RowInputs& rows, const ConstTensorView& top_p,
           std::int64_t min_keep, const filters::Survivors& outputs) {
  filters::StepInputs parameters;
  parameters.top_p = top_p;
  filters::run(context, name, kernels::filters::steps_of({kernels::filters::Step::top_p}),
               kernels::sampling::top_p_cpu, rows, parameters, min_keep, filters::outputs_of(outputs));
}

Operation describe_top_p() {
  Operation operation = filters::describe_filter(name, {{"top_p"}}, filters::MinKeep::yes);
  operation.summary = "The shortest prefix of the order of tokens whose probabilities reach p.";
  operation.paper = "Holtzman et al. 2020, equation 2";
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    top_p(context, filters::rows_in(arguments), arguments.input("top_p"), arguments.integer("min_keep"),
          filters::survivors_in(outputs));
  };
  return operation;
}

}  // namespace assay::sampling
