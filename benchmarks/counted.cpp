#include "benchmarks/counted.hpp"

#include <optional>

#include "benchmarks/chosen_cases.hpp"
#include "benchmarks/prepared_call.hpp"
#include "benchmarks/slowdown.hpp"
#include "engine/runtime/mutant.hpp"

namespace assay::benchmarks {

/// What is counted: a call, and a slowdown's steps where one is planted.
struct Counted {
  PreparedCall* call;
  TimeSpender* planted;
  std::int64_t steps;
};

}  // namespace assay::benchmarks

// Without namespace, never inlined and never cloned: a tool looks for this name among the program's symbols.
extern "C" [[gnu::noipa]] void assay_counted_call(const assay::benchmarks::Counted* counted) {
  counted->call->run();
  if (counted->planted != nullptr) counted->planted->take(counted->steps);
  asm volatile("" ::: "memory");  // no call in tail position, which would leave this function
}

namespace assay::benchmarks {

std::vector<CountedCall> count_calls(Context& context, const std::vector<CountedCase>& cases,
                                     std::uint64_t seed) {
  const auto slowdown = slowdown_of(selected_mutant());
  std::optional<TimeSpender> spender;
  if (slowdown) spender.emplace(slowdown->kind);
  const std::vector<Suite> all = suites();
  std::vector<CountedCall> made;
  for (const CountedCase& one : cases) {
    const auto chosen = choose_cases(all, {}, {one.name}, Backend::cpu);
    if (chosen.empty()) continue;
    const HostArguments arguments = chosen.front().item->make(seed);
    PreparedCall call(context, *chosen.front().operation, arguments, CacheState::warm);
    call.run();
    call.run();
    const Counted counted{&call, spender ? &*spender : nullptr, one.planted_steps};
    assay_counted_call(&counted);
    made.push_back({one.name, digest_of(call.outputs())});
  }
  return made;
}

}  // namespace assay::benchmarks
