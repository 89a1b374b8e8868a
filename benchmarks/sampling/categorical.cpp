#include "benchmarks/logits/model_logits.hpp"
#include "benchmarks/peers/torch.hpp"
#include "benchmarks/suite.hpp"

namespace assay::benchmarks::sampling {

namespace {

HostArguments arguments(DType type, std::int64_t rows, std::int64_t tokens, std::uint64_t seed) {
  HostArguments made;
  made.inputs.emplace("logits", logits::model_logits(type, {rows, tokens}, seed));
  made.inputs.emplace("seed", logits::per_row<std::int64_t>(rows, 1));
  made.inputs.emplace("position", logits::per_row<std::int64_t>(rows, 7));
  return made;
}

}  // namespace

void describe_categorical(Suite& suite) {
  const std::vector<Backend> both = {Backend::cpu, Backend::cuda}, cuda = {Backend::cuda};
  for (const DType type : {DType::f32, DType::bf16})
    for (const std::int64_t rows : {1, 32, 256}) {
      constexpr std::int64_t tokens = 128'256;
      Case item;
      item.label = "tokens=" + std::to_string(tokens) + ",rows=" + std::to_string(rows) + "," +
                   std::string(name_of(type));
      item.size = static_cast<double>(rows);
      item.size_name = "rows";
      item.make = [=](std::uint64_t seed) { return arguments(type, rows, tokens, seed); };
      // Rows are computed alike and apart: two stand for all.
      if (rows > 1) item.check_with = [=](std::uint64_t seed) { return arguments(type, 2, tokens, seed); };
      item.backends = rows <= 32 && type == DType::f32 ? both : cuda;
      item.quick = rows == 1 && type == DType::f32;
      if (type == DType::f32) peers::add_torch(suite, item);
      suite.add(std::move(item));
    }
}

}  // namespace assay::benchmarks::sampling
