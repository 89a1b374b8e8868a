#include <fmt/format.h>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"
#include "reports/operation_state.hpp"

namespace assay::reports::html {
namespace {

constexpr std::string_view columns[] = {"backend",      "state", "checked against", "passed",
                                        "largest case", "time",  "throughput",      "of the roofline"};

std::string_view tone_of(OperationStanding standing) {
  switch (standing) {
    case OperationStanding::wrong:
      return "bad";
    case OperationStanding::vacuous:
      return "warn";
    case OperationStanding::checked:
      return "good";
    case OperationStanding::no_data:
    case OperationStanding::not_executed:
      break;
  }
  return "quiet";
}

/// A cell of the block. Its column is named in it as well: on a narrow screen the head is not shown.
std::string cell(std::size_t column, const std::string& html, int span = 1) {
  const std::string extent = span > 1 ? fmt::format(" colspan=\"{}\"", span) : "";
  return fmt::format("<td{} data-name=\"{}\"{}>{}</td>", extent, columns[column],
                     html == "–" ? " class=\"void\"" : "", html);
}

std::string small(const std::string& text) {
  return text.empty() ? "" : " <br><small>" + escape_html(text) + "</small>";
}

std::string_view about_cuda(const OperationInfo& info) {
  if (info.cuda_body == "shared") return "one body for CPU and CUDA";
  if (info.cuda_body == "cuda-only") return "a CUDA body of its own";
  return "no CUDA body";
}

std::string heading(const OperationState& state) {
  std::string html = "<b>" + escape_html(state.operation) + "</b>";
  if (!state.info.summary.empty()) html += " <span>" + escape_html(state.info.summary) + "</span>";
  std::string source = state.info.paper;
  if (!state.info.backends.empty())
    source += (source.empty() ? "" : " · ") + std::string(about_cuda(state.info));
  return fmt::format("<tr class=\"title\"><th colspan=\"{}\" scope=\"rowgroup\">{}{}</th></tr>\n",
                     std::size(columns), html, small(source));
}

std::string against(const OperationState& state) {
  const std::string names = checked_against(state);
  if (state.is_reference())
    return "the truth the others are checked against" +
           small(names.empty() ? "" : "its own checks: " + names);
  if (!names.empty()) return escape_html(names);
  if (state.not_executed_because.empty()) return "–";
  return "<small>" + escape_html(state.not_executed_because) + "</small>";
}

std::string passed(const OperationState& state) {
  std::string out = "–";
  std::string rest;
  if (state.executed() > 0) {
    out = fmt::format("{} / {}", state.count(Verdict::pass), state.executed());
    rest = format_count(state.cases, "case");
  }
  for (const Verdict verdict : {Verdict::not_executed, Verdict::unsupported, Verdict::vacuous})
    if (state.count(verdict) > 0)
      rest += fmt::format("{}{} {}", rest.empty() ? "" : ", ", state.count(verdict),
                          verdict == Verdict::not_executed ? "not executed" : to_string(verdict));
  return out + small(rest);
}

std::string timing_cells(const OperationState& state) {
  if (!state.largest) {
    const char* text = state.benchmarks > 0 ? "no valid time" : "not timed";
    return cell(4, fmt::format("<span class=\"empty\">{}</span>", text), 4);
  }
  const Benchmark& largest = *state.largest;
  std::string rate = escape_html(throughput(largest));
  if (const auto comma = rate.find(", "); comma != std::string::npos)
    rate = rate.substr(0, comma) + " <br><small>" + rate.substr(comma + 2) + "</small>";
  return cell(4, code_cell(largest.label).html) + cell(5, escape_html(format_time(largest.median_ns))) +
         cell(6, rate.empty() ? "–" : rate) + cell(7, roofline_share(largest).html);
}

std::string row(const OperationState& state) {
  std::string out = "<tr>" + cell(0, escape_html(state.backend)) +
                    cell(1, badge(standing_word(state), tone_of(state.standing)));
  const bool nothing_of_its_own = state.verdicts.empty() && state.benchmarks == 0;
  if (state.is_reference() && nothing_of_its_own)
    return out + cell(2, against(state), static_cast<int>(std::size(columns)) - 2) + "</tr>\n";
  return out + cell(2, against(state)) + cell(3, passed(state)) + timing_cells(state) + "</tr>\n";
}

}  // namespace

std::string operations(const RunRecord& record) {
  std::string body, current;
  for (const OperationState& state : operation_states(record)) {
    if (body.empty() || state.operation != current) {
      body += (body.empty() ? "<tbody>\n" : "</tbody>\n<tbody>\n") + heading(state);
      current = state.operation;
    }
    body += row(state);
  }
  if (body.empty()) return paragraph("No operations were listed.", "none");
  std::string head;
  for (const std::string_view name : columns) head += fmt::format("<th scope=\"col\">{}</th>", name);
  return fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Operations\">"
      "<table class=\"groups\"><caption>Every operation on every backend it has; time and throughput are of "
      "the largest case measured</caption>\n<thead><tr>{}</tr></thead>\n{}</tbody></table></div>\n",
      head, body);
}

}  // namespace assay::reports::html
