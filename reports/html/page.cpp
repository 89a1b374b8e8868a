#include <fmt/format.h>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"

namespace assay::reports {
namespace {

using namespace html;

struct Part {
  std::string_view id;
  std::string_view title;
  std::string html;
};

/// The sections in the order in which somebody reads them in the morning: what is wrong, what there is, how
/// fast, what changed, and only then the evidence.
std::vector<Part> parts(const ReportInput& input) {
  const RunRecord& run = input.run;
  std::vector<Part> out;
  const auto add = [&](std::string_view id, std::string_view title, std::string html) {
    if (!html.empty()) out.push_back({id, title, std::move(html)});
  };
  add("findings", "Findings", findings(input));
  add("operations", "Operations", section("operations", "Operations", operations(run) + checks(run)));
  add("comparison", "Baseline", comparison(input));
  add("changes", "Changes", changes(input));
  add("performance", "Performance",
      section("performance", "Performance", benchmarks(run) + sizes(run) + choices(run)));
  add("roofline", "Roofline", section("roofline", "Roofline", roofline(run)));
  add("history", "History", history(input));
  std::string accurate = accuracy(run);
  if (accurate.empty()) accurate = paragraph("No check of this run has recorded a plot or a table.", "none");
  add("accuracy", "Accuracy", section("accuracy", "Accuracy", accurate));
  add("utilisation", "Bounds", utilisation(input));
  add("mutants", "Faults", section("mutants", "Planted faults", mutants(run)));
  add("calibration", "Calibration", calibration(input));
  add("environment", "Environment", environment(input));
  add("recorded", "Devices", recorded(input));
  return out;
}

constexpr std::string_view policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

}  // namespace

std::string html_report(const ReportInput& input) {
  const Run& run = input.run.run;
  std::string links, body;
  for (const Part& part : parts(input)) {
    links += fmt::format("<li><a href=\"#{}\">{}</a></li>", part.id, escape_html(part.title));
    body += part.html;
  }
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += fmt::format("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n", policy);
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += fmt::format("<title>{} · Assay {}</title>\n", escape_html(input.gate.headline()),
                     escape_html(format_moment(run.started_at)));
  out += fmt::format("<style>{}</style>\n</head>\n<body>\n", style());
  out += banner(input);
  out += fmt::format(
      "<nav aria-label=\"Sections\"><div><ul>{}</ul><label hidden><span hidden>Filter</span><input "
      "id=\"filter\" type=\"search\" placeholder=\"filter rows and plots\" aria-label=\"Filter rows and "
      "plots\" aria-describedby=\"filter-count\"></label></div></nav>\n",
      links);
  out += "<main>\n<p id=\"filter-count\" class=\"small\" aria-live=\"polite\"></p>\n" + body;
  out += fmt::format(
      "<footer>Written {} UTC from run {}. Intervals are 95 %, from order statistics, unadjusted. A dash "
      "means that there is no value, never zero.</footer>\n</main>\n",
      escape_html(format_moment(input.generated_at)), escape_html(run.id));
  out += fmt::format("<script>{}</script>\n</body>\n</html>\n", script());
  return out;
}

}  // namespace assay::reports
