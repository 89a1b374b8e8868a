#include "engine/sampling/repetition_penalty.hpp"

#include "engine/logits/rows.hpp"
#include "kernels/sampling/repetition_penalty.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.repetition_penalty";

}  // namespace

void repetition_penalty(Context& context, const filters::RowInputs& rows, const Repetition& past,
                        const TensorView& adjusted) {
  filters::StepInputs parameters;
  parameters.previous = past.previous;
  parameters.repetition = past.repetition;
  parameters.presence = past.presence;
  parameters.frequency = past.frequency;
  parameters.last_n = past.last_n;
  filters::FilterOutputs outputs;
  outputs.adjusted = adjusted;
  filters::run(context, name, kernels::filters::steps_of({kernels::filters::Step::penalties}),
               kernels::sampling::repetition_penalty_cpu, rows, parameters, 1, outputs);
}

Operation describe_repetition_penalty() {
  Operation operation = filters::describe_adjustment(
      name, {{"previous"}, {"repetition", true}, {"presence", true}, {"frequency", true}, {"last_n", true}});
  operation.summary = "Lowers the logits of tokens that were seen: repetition, presence and frequency.";
  operation.paper = "Keskar et al. 2019, section 4.1";
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    const auto given = [&](const char* input) { return logits::maybe(arguments, input); };
    repetition_penalty(context, filters::rows_in(arguments),
                       {arguments.input("previous"), given("repetition"), given("presence"),
                        given("frequency"), given("last_n")},
                       outputs.at("adjusted"));
  };
  return operation;
}

}  // namespace assay::sampling
