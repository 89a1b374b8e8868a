#include <fmt/format.h>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"
#include "reports/overview.hpp"

namespace assay::reports::html {
namespace {

std::string tile(int count, std::string_view name, std::string_view tone) {
  // A count of nothing is shown as well: it says that somebody looked.
  return fmt::format("<li class=\"tile {}\"><b>{}</b> <span>{}</span></li>\n", count == 0 ? "quiet" : tone,
                     count, escape_html(name));
}

std::string tiles(const GateResult& gate) {
  const int failing = gate.count(Verdict::fail) + gate.count(Verdict::xpass) + gate.count(Verdict::crashed) +
                      gate.count(Verdict::timeout);
  std::string out = "<ul class=\"tiles\">\n";
  out += tile(gate.count(Verdict::pass), "pass", "good");
  out += tile(failing, "fail", "bad");
  out += tile(gate.count(GateVerdict::regressed), "regressed", "bad");
  out += tile(gate.count(GateVerdict::waived), "waived", "warn");
  out += tile(gate.count(GateVerdict::inconclusive), "inconclusive", "warn");
  out += tile(gate.count(Verdict::vacuous), "vacuous", "warn");
  out += tile(gate.count(Verdict::not_executed), "not executed", "warn");
  out += tile(gate.count(GateVerdict::vanished), "vanished", "warn");
  out += tile(gate.count(GateVerdict::invalid), "invalid", "bad");
  out += tile(gate.count(GateVerdict::improved), "improved", "good");
  out += tile(gate.count(GateVerdict::same), "same", "plain");
  return out + "</ul>\n";
}

std::string points(const ReportInput& input) {
  std::string out = "<ul class=\"points\">\n";
  for (const Headline& line : overview(input))
    out += fmt::format("<li><b>{}:</b> {}</li>\n", escape_html(line.subject), escape_html(line.text));
  return out + "</ul>\n";
}

std::string fact(std::string_view name, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_html(name), escape_html(value));
}

std::string facts(const ReportInput& input) {
  const Run& run = input.run.run;
  const std::string device = run.environment.get("device");
  std::string out = "<dl class=\"facts\">\n";
  out += fact("Run", format_short(run.id) + " · " + run.command + (run.quick ? " --quick" : ""));
  out += fact("Started", format_moment(run.started_at) + " UTC");
  out += fact("Commit", format_short(run.commit) + (run.dirty ? " + local changes" : "") +
                            (run.branch.empty() ? "" : " on " + run.branch));
  out += fact("Seed", fmt::format("{}", run.seed));
  out += fact("CPU", run.environment.get("cpu").empty() ? "–" : run.environment.get("cpu"));
  out += fact("Device", device.empty() || device == "none" ? "none in this machine" : device);
  out += fact("Environment", run.environment.fingerprint());
  out += fact("State", std::string(to_string(run.state)));
  return out + "</dl>\n";
}

std::string_view tone(const GateResult& gate) {
  if (gate.exit_code == 0) return gate.count(GateVerdict::inconclusive) > 0 ? "good unsure" : "good";
  return gate.exit_code == 5 || gate.exit_code == 6 ? "warn" : "bad";
}

}  // namespace

std::string banner(const ReportInput& input) {
  return fmt::format(
      "<header class=\"banner {}\">\n<p class=\"name\">Assay</p>\n<h1>{}</h1>\n"
      "<p class=\"note\">Exit code {} ({}). {}.</p>\n{}{}{}</header>\n",
      tone(input.gate), escape_html(input.gate.headline()), input.gate.exit_code,
      escape_html(exit_code_meaning(input.gate.exit_code)), escape_html(input.gate.baseline_note),
      tiles(input.gate), points(input), facts(input));
}

}  // namespace assay::reports::html
