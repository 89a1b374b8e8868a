#include <fmt/format.h>

#include "reports/escape.hpp"
#include "reports/report.hpp"

namespace assay::reports {
namespace {

struct Suite {
  std::string cases;
  int tests = 0, failures = 0, errors = 0, skipped = 0;
  double seconds = 0.0;

  void add(const std::string& class_name, const std::string& name, double elapsed_s,
           const std::string& outcome) {
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", escape_xml(class_name),
                         escape_xml(name), elapsed_s);
    cases += outcome.empty() ? "/>\n" : ">" + outcome + "</testcase>\n";
    ++tests;
    failures += outcome.starts_with("<failure");
    errors += outcome.starts_with("<error");
    skipped += outcome.starts_with("<skipped");
    seconds += elapsed_s;
  }
};

std::string outcome(const char* element, std::string_view type, const std::string& message,
                    const std::string& details = "") {
  const std::string kind =
      std::string(element) == "skipped" ? "" : fmt::format(" type=\"{}\"", escape_xml(type));
  return fmt::format("<{0} message=\"{1}\"{2}>{3}</{0}>", element, escape_xml(message), kind,
                     escape_xml(details));
}

std::string outcome_of(const Check& check) {
  const std::string name(to_string(check.verdict));
  const std::string first_line = check.message.substr(0, check.message.find('\n'));
  const std::string message = first_line.empty() ? name : name + ": " + first_line;
  std::string details = check.message;
  if (!check.replay.empty()) details += "\nassay replay " + check.replay;
  switch (check.verdict) {
    case Verdict::pass:
      return check.cases > 0 ? "" : outcome("failure", "vacuous", "passed without having run a case");
    case Verdict::fail:
    case Verdict::xpass:
    case Verdict::vacuous:
      return outcome("failure", name, message, details);
    case Verdict::crashed:
    case Verdict::timeout:
      return outcome("error", name, message, details);
    case Verdict::xfail:
      return outcome("skipped", name, message + ' ' + check.issue);
    case Verdict::unsupported:
    case Verdict::not_executed:
      break;
  }
  return outcome("skipped", name, message);
}

std::string outcome_of(const GateItem& item) {
  const std::string message = std::string(to_string(item.verdict)) + ": " + item.reason;
  switch (item.verdict) {
    case GateVerdict::same:
    case GateVerdict::improved:
    case GateVerdict::added:
      return "";
    case GateVerdict::waived:
    case GateVerdict::inconclusive:
      return outcome("skipped", "", message);
    default:
      return outcome("failure", to_string(item.verdict), message);
  }
}

}  // namespace

std::string junit_report(const ReportInput& input) {
  std::map<std::string, Suite> suites;
  std::map<std::string, std::string> waived;  // reasons by the key of a check
  for (const GateItem& item : input.gate.items)
    if (item.verdict == GateVerdict::waived && item.subject == "check") waived[item.key] = item.reason;
  for (const Check& check : input.run.checks) {
    // The kind is part of the key, without the operation in front.
    const std::string name = check_key(check).substr(check.operation.size() + 1);
    const auto found = waived.find(check_key(check));
    suites[check.operation].add(
        check.operation, name, check.elapsed_ms / 1e3,
        found == waived.end() ? outcome_of(check) : outcome("skipped", "", found->second));
  }
  for (const GateItem& item : input.gate.items)
    if (item.subject != "check") suites["gate"].add("gate." + item.subject, item.key, 0.0, outcome_of(item));

  Suite total;
  std::string body;
  for (const auto& [name, suite] : suites) {
    body += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\" "
        "timestamp=\"{}\">\n{}  </testsuite>\n",
        escape_xml(name), suite.tests, suite.failures, suite.errors, suite.skipped, suite.seconds,
        escape_xml(input.run.run.started_at.substr(0, 19)), suite.cases);
    total.tests += suite.tests;
    total.failures += suite.failures;
    total.errors += suite.errors;
    total.skipped += suite.skipped;
    total.seconds += suite.seconds;
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"assay\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\">\n{}</testsuites>\n",
      total.tests, total.failures, total.errors, total.skipped, total.seconds, body);
}

}  // namespace assay::reports
