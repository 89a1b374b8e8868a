#include "benchmarks/logits/row_cases.hpp"

#include "benchmarks/logits/model_logits.hpp"
#include "benchmarks/peers/torch.hpp"

namespace assay::benchmarks::logits {

void add_row_cases(Suite& suite, const AddInputs& add) {
  const std::vector<Backend> both = {Backend::cpu, Backend::cuda}, cuda = {Backend::cuda};
  constexpr std::int64_t tokens = 128'256;
  for (const DType type : {DType::f32, DType::bf16})
    for (const std::int64_t rows : {1, 32, 256}) {
      const auto arguments = [=](std::int64_t count, std::uint64_t seed) {
        HostArguments made;
        made.inputs.emplace("logits", model_logits(type, {count, tokens}, seed));
        if (add) add(made, count);
        return made;
      };
      Case item;
      item.label = "tokens=" + std::to_string(tokens) + ",rows=" + std::to_string(rows) + "," +
                   std::string(name_of(type));
      item.size = static_cast<double>(rows);
      item.size_name = "rows";
      item.make = [=](std::uint64_t seed) { return arguments(rows, seed); };
      // Rows are computed alike and apart: two stand for all.
      if (rows > 1) item.check_with = [=](std::uint64_t seed) { return arguments(2, seed); };
      item.backends = rows <= 32 && type == DType::f32 ? both : cuda;
      item.quick = rows == 1 && type == DType::f32;
      if (type == DType::f32) peers::add_torch(suite, item);
      suite.add(std::move(item));
    }
}

}  // namespace assay::benchmarks::logits
