#include <cmath>

#include "benchmarks/suite.hpp"
#include "engine/runtime/philox.hpp"

namespace assay::benchmarks::sampling {

namespace {

/// Logits as a language model's last layer gives them: close to normal, with a standard deviation of 3.
HostArguments arguments(std::int64_t rows, std::int64_t tokens, const std::string& order,
                        std::uint64_t seed) {
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
  const auto per_row = [&](const char* name, auto value) {
    const std::vector<decltype(value)> values(static_cast<std::size_t>(rows), value);
    made.inputs.emplace(name, Tensor::from(values, {rows}));
  };
  per_row("temperature", 0.8F);
  per_row("top_k", std::int32_t{50});
  per_row("top_p", 0.9);
  per_row("min_p", 0.05);
  per_row("seed", std::int64_t{1});
  per_row("position", std::int64_t{7});
  made.parameters = {{"order", order}};
  return made;
}

struct Chain {
  const char* label;  ///< the first filter: what a body spends its time on
  const char* order;
};

}  // namespace

void describe_chain(Suite& suite) {
  const std::vector<Backend> both = {Backend::cpu, Backend::cuda}, cuda = {Backend::cuda};
  for (const Chain& chain :
       {Chain{"first=top_k", "temperature,top_k,top_p,min_p"}, Chain{"first=top_p", "temperature,top_p"}})
    for (const std::int64_t tokens : {128'256, 151'936})
      for (const std::int64_t rows : {1, 32, 256}) {
        Case item;
        item.label =
            std::string(chain.label) + ",tokens=" + std::to_string(tokens) + ",rows=" + std::to_string(rows);
        item.size = static_cast<double>(rows);
        item.make = [=](std::uint64_t seed) { return arguments(rows, tokens, chain.order, seed); };
        if (rows > 1)
          item.check_with = [=](std::uint64_t seed) { return arguments(2, tokens, chain.order, seed); };
        item.backends = rows <= 32 ? both : cuda;
        item.quick = rows == 1;
        suite.add(std::move(item));
      }
}

}  // namespace assay::benchmarks::sampling
