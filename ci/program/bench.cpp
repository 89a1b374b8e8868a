#include "benchmarks/runner.hpp"
#include "benchmarks/suite.hpp"
#include "ci/program/backend_choice.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/exit_code.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/machine_lock.hpp"
#include "ci/program/measuring.hpp"
#include "ci/program/profiling.hpp"
#include "ci/program/recording.hpp"
#include "ci/program/translate.hpp"
#include "fmt/format.h"
#include "validation/suite.hpp"

namespace assay::program {
namespace {

/// One case by its name, once, and under the profiler where that is asked for.
int run_one_case(Invocation& invocation) {
  const std::string name = invocation.text("case");
  const auto device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  if (invocation.flag("once")) {
    const Operation* operation = find_operation(name.substr(0, name.find('/')));
    if (operation == nullptr)
      throw Failure(ExitCode::vacuous, "no operation is called as '" + name + "' begins (assay list)");
    ChosenBackend chosen = choose_backend(invocation, *operation);
    if (!benchmarks::call_once(chosen.context, name, invocation.seed()))
      throw Failure(ExitCode::vacuous, "no case is called '" + name + "' on this backend (assay list)");
    return code_of(ExitCode::ok);
  }
  const std::vector<KernelProfile> kernels = profile_case(name, device);
  if (!invocation.json()) {
    invocation.print(profile_table(kernels));
    return code_of(ExitCode::ok);
  }
  nlohmann::ordered_json document{{"case", name}, {"kernels", nlohmann::ordered_json::array()}};
  for (const KernelProfile& kernel : kernels)
    document["kernels"].push_back({{"name", kernel.name},
                                   {"microseconds", kernel.microseconds},
                                   {"instruction_issue_percent", kernel.compute},
                                   {"memory_percent", kernel.memory},
                                   {"l2_percent", kernel.l2},
                                   {"occupancy_percent", kernel.occupancy},
                                   {"registers", kernel.registers},
                                   {"bound_by", kernel.bound()}});
  invocation.print_json(document);
  return code_of(ExitCode::ok);
}

int run_bench(Invocation& invocation) {
  if (invocation.flag("once") || invocation.flag("profile")) {
    if (!invocation.given("case"))
      invocation.refuse(invocation.flag("once") ? "once" : "profile",
                        "needs --case NAME, as assay list prints it");
    return run_one_case(invocation);
  }
  MeasuringPlan plan;
  plan.pattern = invocation.maybe_text("op").value_or("");
  plan.case_name = invocation.maybe_text("case").value_or("");
  plan.quick = invocation.flag("quick");
  plan.peers = invocation.flag("peers");
  plan.seconds = invocation.given("seconds") ? invocation.real("seconds", 0.001, 3600)
                 : plan.quick                ? 0.2
                                             : 0.5;
  const MachineLock lock(invocation);
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
  assay bench --case te.network/variables=100,n=1000 --peers
  assay bench --profile --case te.ksg/n=10000,k=4
Exit codes: 0 measured, 3 an answer is wrong, 6 nothing matches, 7 a measurement cannot be used.)";
  command.options = {{"op", "GLOB", "only operations whose name matches"},
                     {"peers", "", "run other programs that do the same work beside them"},
                     {"record", "", "keep the measurements in the store"},
                     {"case", "NAME", "only the case of that name, \"te.ksg/n=10000,k=4\""},
                     {"profile", "", "run that case under Nsight Compute and show what bounds its kernels"},
                     {"once", "", "run that case once, unmeasured: for a profiler of your own"},
                     {"quick", "", "only the quick sizes, and shorter"},
                     {"seconds", "S", "least time on each size; by default 0.5, with --quick 0.2"},
                     lock_option(),
                     store_option()};
  command.run = run_bench;
  return command;
}

}  // namespace assay::program
