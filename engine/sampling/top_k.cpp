#include "engine/sampling/top_k.hpp"

#include "kernels/sampling/top_k.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.top_k";

}  // namespace

void top_k(Context& context, const filters::RowInputs& rows, const ConstTensorView& top_k,
           const filters::Survivors& outputs) {
  filters::StepInputs parameters;
  parameters.top_k = top_k;
  filters::run(context, name, kernels::filters::steps_of({kernels::filters::Step::top_k}),
               kernels::sampling::top_k_cpu, rows, parameters, 1, filters::outputs_of(outputs));
}

Operation describe_top_k() {
  Operation operation = filters::describe_filter(name, {{"top_k"}}, filters::MinKeep::no);
  operation.summary = "The k most likely tokens of each row, ties by rising id.";
  operation.paper = "Fan, Lewis, Dauphin 2018, section 5";
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    top_k(context, filters::rows_in(arguments), arguments.input("top_k"), filters::survivors_in(outputs));
  };
  return operation;
}

}  // namespace assay::sampling
