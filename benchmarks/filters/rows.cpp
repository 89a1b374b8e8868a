#include "benchmarks/filters/rows.hpp"

#include "engine/runtime/philox.hpp"

namespace assay::benchmarks::filters {

HostArguments logits_of(std::int64_t rows, std::int64_t tokens, std::uint64_t seed) {
  HostArguments made;
  Tensor logits(DType::f32, {rows, tokens});
  Philox random(seed);
  for (float& logit : logits.as<float>()) {
    // The sum of four uniforms: cheaper than a normal where 39 million are drawn.
    const float sum =
        random.uniform_float() + random.uniform_float() + random.uniform_float() + random.uniform_float();
    logit = 3.0F * 1.7320508F * (sum - 2.0F);
  }
  made.inputs.emplace("logits", std::move(logits));
  return made;
}

void add_cases(Suite& suite, const std::string& prefix, const std::function<void(HostArguments&)>& complete) {
  const auto make = [=](std::int64_t rows, std::int64_t tokens) {
    return [=](std::uint64_t seed) {
      HostArguments made = logits_of(rows, tokens, seed);
      complete(made);
      return made;
    };
  };
  const std::vector<Backend> both = {Backend::cpu, Backend::cuda}, cuda = {Backend::cuda};
  for (const std::int64_t tokens : {128'256, 151'936})
    for (const std::int64_t rows : {1, 32, 256}) {
      Case item;
      item.label = prefix + "tokens=" + std::to_string(tokens) + ",rows=" + std::to_string(rows);
      item.size = static_cast<double>(rows);
      item.make = make(rows, tokens);
      if (rows > 1) item.check_with = make(2, tokens);
      item.backends = rows <= 32 ? both : cuda;
      item.quick = rows == 1;
      suite.add(std::move(item));
    }
}

}  // namespace assay::benchmarks::filters
