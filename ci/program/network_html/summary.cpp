#include <fmt/format.h>

#include <cmath>

#include "ci/program/network_html/sections.hpp"
#include "engine/analysis/network.hpp"
#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"

namespace assay::program::network_html {
namespace {

namespace html = reports::html;
using reports::escape_html;

std::string tile(const std::string& number, std::string_view words, std::string_view tone) {
  return fmt::format("<li class=\"tile {}\"><b>{}</b> <span>{}</span></li>\n", tone, escape_html(number),
                     escape_html(words));
}

std::string fact(std::string_view name, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_html(name),
                     escape_html(value.empty() ? "–" : value));
}

std::string headline(const View& view) {
  if (!view.tested()) return fmt::format("{} transfer entropies, not tested", view.values);
  return fmt::format("{} of {} ordered pairs survive a false discovery rate of {:g} %", view.survivors,
                     view.values, view.input.fdr * 100);
}

std::string tiles(const View& view) {
  std::string out = "<ul class=\"tiles\">\n";
  out += tile(fmt::format("{}", view.count()), "columns", "plain");
  out += tile(fmt::format("{}", view.pairs()), "ordered pairs", "plain");
  if (view.tested())
    out += tile(fmt::format("{}", view.survivors), "survive", view.survivors > 0 ? "good" : "quiet");
  out += tile(fmt::format("{}", view.negative), "below 0", "quiet");
  if (view.values > 0) out += tile(reports::format_number(view.highest), "nats at most", "plain");
  return out + "</ul>\n";
}

std::string facts(const View& view) {
  const NetworkPageInput& in = view.input;
  std::string out = "<dl class=\"facts\">\n";
  out += fact("Data", shortened(reports::valid_utf8(in.data), 200));
  out += fact("Observations of a pair", fmt::format("{}", in.samples));
  out += fact("Estimator", fmt::format("KSG, algorithm {}, k = {}", in.algorithm, in.k));
  out += fact("Backend", in.device.empty() ? in.backend : fmt::format("{} ({})", in.backend, in.device));
  out += fact("Surrogates of a pair", !view.tested() ? "none"
                                      : in.surrogate_method.empty()
                                          ? fmt::format("{}", in.surrogates)
                                          : fmt::format("{} ({})", in.surrogates, in.surrogate_method));
  if (view.tested())
    out += fact("False discovery rate", fmt::format("{:g} % (Benjamini, Hochberg)", in.fdr * 100));
  out += fact("Time", reports::format_time(in.elapsed_ms * 1e6));
  out += fact("Seed", fmt::format("{}", in.seed));
  return out + "</dl>\n";
}

/// Too few surrogates for so many pairs: no single p-value can then be small enough by itself.
std::string warning(const View& view) {
  if (!view.tested() || view.pairs() == 0) return {};
  const auto pairs = static_cast<std::int64_t>(view.pairs());
  const std::int64_t least = analysis::least_discoveries(pairs, view.input.surrogates, view.input.fdr);
  if (least <= 1) return {};
  const double enough = std::ceil(static_cast<double>(pairs) / view.input.fdr - 1 - 1e-6);
  return fmt::format(
      "<p class=\"warning\">{} {} surrogates are few for {} pairs: the smallest p-value there can be is {}, "
      "and "
      "at least {} pairs must have it before any survives. Fewer true influences than that cannot be found; "
      "{:.0f} "
      "surrogates would find a single one.</p>\n",
      html::badge("few surrogates", "warn"), view.input.surrogates, view.pairs(),
      reports::format_number(1 / (1 + static_cast<double>(view.input.surrogates))), least, enough);
}

std::string reading(const View& view) {
  std::string text =
      "The transfer entropy from a source to a target is the information that the source's past has about "
      "the "
      "target's next value beyond what the target's own past says. The true value is never negative; the "
      "estimate "
      "scatters around it, so a negative value means: none was found.";
  if (view.tested())
    text +=
        " Surrogates, in which the influence is destroyed, say how large a value is by chance: p is the "
        "share of "
        "them that reaches it, and the effective value is what remains after their mean.";
  else
    text +=
        " Which values differ from zero is told by surrogates, of which this run had none: --surrogates 200.";
  return html::paragraph(text);
}

}  // namespace

std::string summary(const View& view) {
  return fmt::format(
             "<header class=\"banner {}\">\n<p class=\"name\">Assay · transfer entropy "
             "network</p>\n<h1>{}</h1>\n",
             view.survivors > 0 ? "good" : "plain", escape_html(headline(view))) +
         tiles(view) + warning(view) + reading(view) + facts(view) + "</header>\n";
}

}  // namespace assay::program::network_html
