#include <limits>

#include "validation/chains/call.hpp"
#include "validation/chains/properties.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/refusals.hpp"

namespace assay::validation::sampling {

namespace {

using namespace chains;
using logits::RowKind;
using logits::rows_of;

void refuses_bad_arguments(Probe& probe) {
  const Call sound = call_of(rows_of(RowKind::normal, 2, 9, 1, 1), {0, 1, 2, 3, 4, 5, 6});
  const auto with = [&](const char* name, Tensor tensor) {
    HostArguments changed = sound.arguments();
    changed.inputs.erase(name);
    changed.inputs.emplace(name, std::move(tensor));
    return changed;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto value = RefusalOf::value;
  expect_refused(probe, operation, with("min_p", Tensor::from<double>({0.1, 1.5}, {2})), "min_p",
                 "min_p above 1", value);
  expect_refused(probe, operation, with("top_p", Tensor::from<double>({nan, 0.5}, {2})), "top_p", "top_p NaN",
                 value);
  expect_refused(probe, operation, with("typical_p", Tensor::from<double>({0.5, nan}, {2})), "typical_p",
                 "typical_p NaN", value);
  expect_refused(probe, operation,
                 with("temperature", Tensor::from<float>({1, static_cast<float>(nan)}, {2})), "temperature",
                 "temperature NaN", value);
  expect_refused(probe, operation, with("repetition", Tensor::from<float>({1, 0}, {2})), "repetition",
                 "repetition 0", value);
  expect_refused(probe, operation, with("presence", Tensor::from<float>({static_cast<float>(nan), 0}, {2})),
                 "presence", "presence NaN", value);
  expect_refused(probe, operation, with("previous", Tensor::from<std::int32_t>({1, 9}, {2, 1})), "previous",
                 "an id beyond the last", value);
  expect_refused(probe, operation, with("top_k", Tensor::from<std::int32_t>({1, 2, 3}, {3})), "top_k",
                 "a value too many");
  expect_refused(probe, operation, with("mask", Tensor::from<std::uint32_t>({1, 2, 3, 4}, {2, 2})), "mask",
                 "a mask of two words");
  HostArguments missing = sound.arguments();
  missing.inputs.erase("top_k");
  expect_refused(probe, operation, missing, "top_k", "a step without its parameter");
  HostArguments unknown = sound.arguments();
  unknown.parameters["order"] = std::string("top_k,topp");
  expect_refused(probe, operation, unknown, "order", "an unknown step");
}

}  // namespace

void describe_chain(Suite& suite) {
  suite.calls([] { return draw().arguments(); });
  add_reference_properties(suite);
  add_cut_properties(suite);
  add_draw_properties(suite);
  suite.property(
      {.name = "refuses_bad_arguments",
       .summary = "Parameters out of range, ids beyond the vocabulary, missing inputs and unknown steps.",
       .body = refuses_bad_arguments,
       .cases = 1,
       .negative_control = [](Probe& probe) {
         const Call sound = call_of(rows_of(RowKind::ladder, 1, 4, 1, 1), {3});
         expect_refused(probe, operation, sound.arguments(), "top_k", "a sound call");
       }});
  add_faults(suite);
}

}  // namespace assay::validation::sampling
