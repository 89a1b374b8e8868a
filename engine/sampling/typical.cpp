#include "engine/sampling/typical.hpp"

#include "kernels/sampling/typical.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.typical";

}  // namespace

void typical(Context& context, const filters::RowInputs& rows, const ConstTensorView& typical_p,
             std::int64_t min_keep, const filters::Survivors& outputs) {
  filters::StepInputs parameters;
  parameters.typical_p = typical_p;
  filters::run(context, name, kernels::filters::steps_of({kernels::filters::Step::typical}),
               kernels::sampling::typical_cpu, rows, parameters, min_keep, filters::outputs_of(outputs));
}

Operation describe_typical() {
  Operation operation = filters::describe_filter(name, {{"typical_p"}}, filters::MinKeep::yes);
  operation.summary = "The tokens whose information is nearest to the entropy, of mass p.";
  operation.paper = "Meister et al. 2023, section 3";
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    typical(context, filters::rows_in(arguments), arguments.input("typical_p"), arguments.integer("min_keep"),
            filters::survivors_in(outputs));
  };
  return operation;
}

}  // namespace assay::sampling
