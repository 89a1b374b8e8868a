#include "benchmarks/logits/model_logits.hpp"
#include "benchmarks/suite.hpp"
#include "engine/runtime/philox.hpp"

namespace assay::benchmarks::sampling {

namespace {

/// A draft whose logits are the target's with a little noise, its tokens those of greatest logit of some 500:
/// most are taken.
HostArguments arguments(std::int64_t rows, std::int64_t steps, std::int64_t tokens, std::uint64_t seed) {
  HostArguments made;
  Tensor target = logits::model_logits(DType::f32, {rows, steps + 1, tokens}, seed);
  Tensor draft(DType::f32, {rows, steps, tokens});
  Philox random(seed + 1);
  const auto from = target.as<float>(), to = draft.as<float>();
  std::vector<std::int32_t> proposed;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t step = 0; step < steps; ++step) {
      const auto source = from.subspan(static_cast<std::size_t>((row * (steps + 1) + step) * tokens),
                                       static_cast<std::size_t>(tokens));
      const auto copied = to.subspan(static_cast<std::size_t>((row * steps + step) * tokens),
                                     static_cast<std::size_t>(tokens));
      for (std::size_t id = 0; id < source.size(); ++id)
        copied[id] = source[id] + 0.25F * (random.uniform_float() - 0.5F);
      std::size_t best = 0;
      for (std::size_t id = 0; id < 500 && id < source.size(); ++id)
        if (copied[id] > copied[best]) best = id;
      proposed.push_back(static_cast<std::int32_t>(best));
    }
  made.inputs.emplace("target_logits", std::move(target));
  made.inputs.emplace("draft_logits", std::move(draft));
  made.inputs.emplace("draft_tokens", Tensor::from<std::int32_t>(proposed, {rows, steps}));
  made.inputs.emplace("seed", logits::per_row<std::int64_t>(rows, 1));
  made.inputs.emplace("position", logits::per_row<std::int64_t>(rows, 7));
  return made;
}

}  // namespace

void describe_speculative_verify(Suite& suite) {
  const std::vector<Backend> both = {Backend::cpu, Backend::cuda}, cuda = {Backend::cuda};
  constexpr std::int64_t tokens = 128'256, steps = 4;
  for (const std::int64_t rows : {1, 8, 32}) {
    Case item;
    item.label = "steps=4,tokens=" + std::to_string(tokens) + ",rows=" + std::to_string(rows);
    item.size = static_cast<double>(rows);
    item.size_name = "rows";
    item.make = [=](std::uint64_t seed) { return arguments(rows, steps, tokens, seed); };
    // Rows are computed alike and apart: two stand for all.
    if (rows > 1) item.check_with = [=](std::uint64_t seed) { return arguments(2, steps, tokens, seed); };
    item.backends = rows == 1 ? both : cuda;
    item.quick = rows == 1;
    // The CPU stops at the first token that is not taken, the device looks at all: bytes are those of all.
    suite.add(std::move(item));
  }
}

}  // namespace assay::benchmarks::sampling
