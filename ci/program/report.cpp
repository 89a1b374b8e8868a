#include "reports/report.hpp"

#include <filesystem>

#include "ci/program/commands.hpp"
#include "ci/program/exit_code.hpp"
#include "ci/program/judging.hpp"
#include "ci/program/recording.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

int run_report(Invocation& invocation) {
  const std::string folder = invocation.given("out") ? invocation.text("out") : default_report_folder();
  const reports::Store store = open_existing_store(invocation);
  const Judgement judgement = judge(store, stored_run(store, invocation.text("run")),
                                    invocation.maybe_text("baseline").value_or(""), {});
  const auto records = invocation.maybe_text("records").value_or(records_folder());
  reports::write_report(folder, reports::gather_report(store, judgement.run.run.id, judgement.result,
                                                       judgement.baseline, records));
  const std::string page = (std::filesystem::path(folder) / "index.html").string();
  if (invocation.json()) {
    invocation.print_json(
        {{"run", judgement.run.run.id}, {"report", page}, {"headline", judgement.result.headline()}});
  } else {
    invocation.print(fmt::format("{}\nreport: {}\n", judgement.result.headline(), page));
  }
  return code_of(ExitCode::ok);
}

}  // namespace

std::string default_report_folder() {
  return (working_root() / "reports" / "out").string();
}

Command describe_report() {
  Command command;
  command.path = "report";
  command.summary = "The report on a stored run: HTML, Markdown, JSON, JUnit and Prometheus text";
  command.examples =
      "Examples:\n  assay report --out reports/out\n  assay report --run 3f2a91c0 --out /var/www/assay";
  command.options = {{"out", "DIR", "the folder, which is made; by default reports/out"},
                     {"run", "REF", "which run", "latest"},
                     {"baseline", "REF", "a branch that has a baseline, a run, or latest"},
                     {"records", "DIR", "runs recorded on devices; by default reports/records"},
                     store_option()};
  command.run = run_report;
  return command;
}

}  // namespace assay::program
