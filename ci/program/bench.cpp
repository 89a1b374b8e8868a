#include "benchmarks/suite.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/exit_code.hpp"
#include "ci/program/measuring.hpp"
#include "ci/program/recording.hpp"
#include "ci/program/translate.hpp"
#include "fmt/format.h"
#include "validation/suite.hpp"

namespace assay::program {
namespace {

int run_bench(Invocation& invocation) {
  MeasuringPlan plan;
  plan.pattern = invocation.maybe_text("op").value_or("");
  plan.quick = invocation.flag("quick");
  plan.peers = invocation.flag("peers");
  plan.seconds = invocation.given("seconds") ? invocation.real("seconds", 0.001, 3600)
                 : plan.quick                ? 0.2
                                             : 0.5;
  std::optional<reports::Store> store;
  std::optional<Recording> recording;
  if (invocation.flag("record")) {
    store.emplace(open_store(invocation));
    recording.emplace(invocation, *store, "bench", plan.quick, device_in_use(invocation));
    recording->append(operation_infos(validation::suites(), benchmarks::suites()));
  }
  const auto benchmarks = run_benchmarks(invocation, plan);
  invocation.console().note(fmt::format("seed {}", invocation.seed()));
  const int code = exit_code_of(benchmarks);
  if (recording) {
    recording->append(benchmarks);
    recording->finish();
    recording->set_exit(code);
    invocation.console().note(fmt::format("recorded as run {} in {}", recording->run().id, store->url()));
  }
  if (invocation.json()) {
    nlohmann::ordered_json document;
    if (recording) document["run"] = recording->run().id;
    document["exit_code"] = code;
    document["benchmarks"] = nlohmann::ordered_json::array();
    for (const reports::Benchmark& item : benchmarks) {
      nlohmann::json plain = item;
      plain["name"] = reports::benchmark_key(item);
      document["benchmarks"].push_back(nlohmann::ordered_json(plain));
    }
    invocation.print_json(document);
  } else {
    invocation.print(table_of(benchmarks));
  }
  return code;
}

}  // namespace

Command describe_bench() {
  Command command;
  command.path = "bench";
  command.summary = "Measure operations, each answer checked first; times beside the roofline";
  command.examples = R"(Examples:
  assay bench --op te.ksg --peers
  assay bench --quick --record
Exit codes: 0 measured, 3 an answer is wrong, 6 nothing matches, 7 a measurement cannot be used.)";
  command.options = {{"op", "GLOB", "only operations whose name matches"},
                     {"peers", "", "run other programs that do the same work beside them"},
                     {"record", "", "keep the measurements in the store"},
                     {"quick", "", "only the quick sizes, and shorter"},
                     {"seconds", "S", "least time on each size; by default 0.5, with --quick 0.2"},
                     store_option()};
  command.run = run_bench;
  return command;
}

}  // namespace assay::program
