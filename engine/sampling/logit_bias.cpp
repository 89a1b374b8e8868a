#include "engine/sampling/logit_bias.hpp"

#include "kernels/sampling/logit_bias.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.logit_bias";

}  // namespace

void logit_bias(Context& context, const filters::RowInputs& rows, const ConstTensorView& bias_ids,
                const ConstTensorView& biases, const TensorView& adjusted) {
  filters::StepInputs parameters;
  parameters.bias_ids = bias_ids;
  parameters.biases = biases;
  filters::FilterOutputs outputs;
  outputs.adjusted = adjusted;
  filters::run(context, name, kernels::filters::steps_of({kernels::filters::Step::bias}),
               kernels::sampling::logit_bias_cpu, rows, parameters, 1, outputs);
}

Operation describe_logit_bias() {
  Operation operation = filters::describe_adjustment(name, {{"bias_ids"}, {"biases"}});
  operation.summary = "Adds biases to the logits of some tokens.";
  operation.paper = "OpenAI API reference, logit_bias";
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    logit_bias(context, filters::rows_in(arguments), arguments.input("bias_ids"), arguments.input("biases"),
               outputs.at("adjusted"));
  };
  return operation;
}

}  // namespace assay::sampling
