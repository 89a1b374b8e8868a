#include "engine/sampling/temperature.hpp"

#include "kernels/sampling/temperature.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.temperature";

}  // namespace

void temperature(Context& context, const filters::RowInputs& rows, const ConstTensorView& temperature,
                 const TensorView& adjusted) {
  filters::StepInputs parameters;
  parameters.temperature = temperature;
  filters::FilterOutputs outputs;
  outputs.adjusted = adjusted;
  filters::run(context, name, kernels::filters::steps_of({kernels::filters::Step::temperature}),
               kernels::sampling::temperature_cpu, rows, parameters, 1, outputs);
}

Operation describe_temperature() {
  Operation operation = filters::describe_adjustment(name, {{"temperature"}});
  operation.summary = "Logits divided by a temperature; 0 keeps the first maximum alone.";
  operation.paper = "Ackley, Hinton, Sejnowski 1985";
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    temperature(context, filters::rows_in(arguments), arguments.input("temperature"), outputs.at("adjusted"));
  };
  return operation;
}

}  // namespace assay::sampling
