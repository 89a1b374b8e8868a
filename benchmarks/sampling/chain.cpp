#include "benchmarks/filters/rows.hpp"
#include "benchmarks/peers/torch.hpp"

namespace assay::benchmarks::sampling {

namespace {

struct Chain {
  const char* label;  ///< the first filter: what a body spends its time on
  const char* order;
};

}  // namespace

void describe_chain(Suite& suite) {
  for (const Chain& chain :
       {Chain{"first=top_k,", "temperature,top_k,top_p,min_p"}, Chain{"first=top_p,", "temperature,top_p"}})
    filters::add_cases(suite, chain.label, [order = std::string(chain.order)](HostArguments& arguments) {
      filters::add_per_row(arguments, "temperature", 0.8F);
      filters::add_per_row(arguments, "top_k", std::int32_t{50});
      filters::add_per_row(arguments, "top_p", 0.9);
      filters::add_per_row(arguments, "min_p", 0.05);
      filters::add_per_row(arguments, "seed", std::int64_t{1});
      filters::add_per_row(arguments, "position", std::int64_t{7});
      arguments.parameters = {{"order", order}};
    });
  for (const Case& item : suite.cases()) peers::add_torch(suite, item);
}

}  // namespace assay::benchmarks::sampling
