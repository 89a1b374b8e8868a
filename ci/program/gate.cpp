#include <cstdlib>
#include <filesystem>

#include "ci/program/commands.hpp"
#include "ci/program/exit_code.hpp"
#include "ci/program/judging.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/recording.hpp"
#include "ci/program/waiver_file.hpp"
#include "fmt/format.h"
#include "reports/report.hpp"

namespace assay::program {
namespace {

nlohmann::ordered_json judgement_json(const Judgement& judgement) {
  nlohmann::ordered_json document;
  document["run"] = judgement.run.run.id;
  document["baseline"] = judgement.result.baseline_run;
  document["baseline_note"] = judgement.result.baseline_note;
  document["exit_code"] = judgement.result.exit_code;
  document["meaning"] = reports::exit_code_meaning(judgement.result.exit_code);
  document["headline"] = judgement.result.headline();
  document["rule"] = judgement.result.rule;
  for (const auto& [verdict, count] : judgement.result.checks) {
    document["checks"][std::string(reports::to_string(verdict))] = count;
  }
  for (const auto& [verdict, count] : judgement.result.counts) {
    document["verdicts"][std::string(reports::to_string(verdict))] = count;
  }
  document["items"] = nlohmann::ordered_json::array();
  for (const reports::GateItem& item : judgement.result.items) {
    nlohmann::ordered_json entry{{"verdict", reports::to_string(item.verdict)},
                                 {"subject", item.subject},
                                 {"key", item.key},
                                 {"reason", item.reason}};
    if (item.ratio) {
      entry["ratio"] = item.ratio->value;
      entry["ratio_low"] = item.ratio->interval.low;
      entry["ratio_high"] = item.ratio->interval.high;
    }
    document["items"].push_back(std::move(entry));
  }
  document["unused_waivers"] = judgement.result.unused_waivers;
  return document;
}

int run_gate(Invocation& invocation) {
  const auto markdown = output_path(invocation, "markdown");
  const auto junit = output_path(invocation, "junit");
  reports::GateOptions options;
  options.strict = invocation.flag("strict");
  options.margin = invocation.real("margin", 0.001, 10);
  const char* required = std::getenv("ASSAY_REQUIRE");
  if (required != nullptr && *required != '\0') options.required_backends = split_list(required);
  if (const auto waivers = invocation.maybe_text("waivers"))
    options.waivers = read_waivers(*waivers, reports::utc_now().substr(0, 10));
  const reports::Store store = open_existing_store(invocation);
  Judgement judgement = judge(store, stored_run(store, invocation.text("run")),
                              invocation.maybe_text("baseline").value_or(""), options);

  // Beside the store, unless the user says where: what a pull request and a CI system take.
  const auto beside = [&](const std::optional<std::string>& named, const char* name) {
    if (named) return *named;
    const std::filesystem::path folder = store_folder(invocation);
    std::error_code ignored;  // the write says what is wrong
    if (reports::is_store_url(store_path(invocation))) std::filesystem::create_directories(folder, ignored);
    return (folder / name).string();
  };
  write_text(beside(markdown, "gate.md"), judgement.result.markdown());
  const reports::ReportInput input = reports::gather_report(store, judgement.run.run.id, judgement.result,
                                                            judgement.baseline, records_folder());
  write_text(beside(junit, "gate.xml"), reports::junit_report(input));
  for (const std::string& line : judgement.result.unused_waivers) invocation.console().warn(line);
  if (invocation.json())
    invocation.print_json(judgement_json(judgement));
  else
    invocation.print(judgement.result.markdown());
  return judgement.result.exit_code;
}

}  // namespace

Command describe_gate() {
  Command command;
  command.path = "gate";
  command.summary = "The verdict for CI: a stored run against its baseline";
  command.examples = R"(Examples:
  assay gate
  assay gate --baseline main --strict --markdown summary.md --junit gate.xml
  assay gate --waivers waivers.toml
Exit codes: 0 green, 3 incorrect, 4 regressed, 5 inconclusive (with --strict), 6 nothing to compare with or something
vanished, 7 measurement invalid or a device missing that ASSAY_REQUIRE names.)";
  command.options = {
      {"baseline", "REF", "a branch that has a baseline, a run, or latest; by default the branch's own"},
      {"run", "REF", "the run that is judged", "latest"},
      {"strict", "", "inconclusive fails"},
      {"waivers", "FILE.toml",
       "reds that are let pass for a while: [[waiver]] with case, reason and expires"},
      {"margin", "SHARE", "the least relative change of a time that counts", "0.1"},
      {"markdown", "FILE", "the verdict for a pull request; by default gate.md beside the store"},
      {"junit", "FILE", "JUnit XML; by default gate.xml beside the store"},
      store_option()};
  command.run = run_gate;
  return command;
}

}  // namespace assay::program
