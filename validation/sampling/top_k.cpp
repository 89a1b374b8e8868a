#include <algorithm>

#include "validation/filters/properties.hpp"
#include "validation/refusals.hpp"

namespace assay::validation::sampling {

namespace {

using namespace filters;
constexpr const char* operation = "sampling.top_k";

void keeps_k(Probe& probe, const Call&, const HostArguments& arguments, const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto k = arguments.inputs.at("top_k").as<std::int32_t>();
  const auto kept = outputs.at("kept").as<std::int32_t>();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto allowed = static_cast<std::int32_t>(rows[row].order.size());
    probe.expect(kept[row] == (k[row] <= 0 ? allowed : std::min(k[row], allowed)),
                 "kept is k, or all where k is not above 0 or there are fewer");
  }
}

void refuses_bad_arguments(Probe& probe) {
  Call sound;
  sound.operation = operation;
  sound.rows = rows_of(logits::RowKind::normal, 2, 9, 1, 1);
  const HostArguments arguments = sound.arguments();
  expect_refused(probe, operation, with_input(arguments, "top_k", Tensor::from<std::int32_t>({1, 2, 3}, {3})),
                 "top_k", "a value too many");
  expect_refused(probe, operation, with_input(arguments, "top_k", Tensor::from<std::int64_t>({1, 2}, {2})),
                 "top_k", "another type");
  expect_refused(probe, operation,
                 with_input(arguments, "mask", Tensor::from<std::uint32_t>({1, 2, 3, 4}, {2, 2})), "mask",
                 "a mask of two words");
  expect_refused(probe, operation, with_input(arguments, "logits", Tensor(DType::f32, {2, 0})), "logits",
                 "rows without tokens");
}

}  // namespace

void describe_top_k(Suite& suite) {
  add_reference_properties(suite);
  add_survivors_agree(suite);
  add_prefix(suite);
  add_idempotence(suite);
  add_look(suite, {"keeps_k", "min(k, tokens allowed) are left, or all where k is not above 0.", keeps_k,
                   [](TensorMap& outputs) { outputs.at("kept").as<std::int32_t>()[0] += 1; }});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "Wrong types and shapes.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, draw(operation).arguments(), "top_k", "a sound call");
                  }});
  add_fault(suite, "of_the_first_row", "wrong index", "all rows are cut at the k of the first");
  add_fault(suite, "one_more", "off by one", "k + 1 tokens are kept");
  add_fault(suite, "zero_keeps_one", "missing condition", "k <= 0 keeps one token instead of all");
  add_fault(suite, "narrow_type", "overflow", "k is taken modulo 256");
  add_fault(suite, "cuda_one_more", "off by one", "k + 1 tokens are kept", Backend::cuda);
  add_fault(suite, "cuda_ties_by_block", "tie by thread",
            "of equal tokens every warp counts its own as the first", Backend::cuda);
  add_fault(suite, "cuda_mask_ignored", "missing mask", "tokens that the mask forbids are kept",
            Backend::cuda);
}

}  // namespace assay::validation::sampling
