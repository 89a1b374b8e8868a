#include "engine/sampling/min_p.hpp"

#include "kernels/sampling/min_p.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.min_p";

}  // namespace

void min_p(Context& context, const filters::RowInputs& rows, const ConstTensorView& min_p,
           std::int64_t min_keep, const filters::Survivors& outputs) {
  filters::StepInputs parameters;
  parameters.min_p = min_p;
  filters::run(context, name, kernels::filters::steps_of({kernels::filters::Step::min_p}),
               kernels::sampling::min_p_cpu, rows, parameters, min_keep, filters::outputs_of(outputs));
}

Operation describe_min_p() {
  Operation operation = filters::describe_filter(name, {{"min_p"}}, filters::MinKeep::yes);
  operation.summary = "Tokens at least p times as likely as the most likely one.";
  operation.paper = "Nguyen et al. 2024, algorithm 1";
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    min_p(context, filters::rows_in(arguments), arguments.input("min_p"), arguments.integer("min_keep"),
          filters::survivors_in(outputs));
  };
  return operation;
}

}  // namespace assay::sampling
