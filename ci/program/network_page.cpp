#include "ci/program/network_page.hpp"

#include <fmt/format.h>

#include "ci/program/network_html/colours.hpp"
#include "ci/program/network_html/sections.hpp"
#include "reports/escape.hpp"
#include "reports/html/sections.hpp"

namespace assay::program {
namespace {

struct Part {
  std::string_view id, title;
  std::string html;
};

constexpr std::string_view policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

}  // namespace

std::string network_page(const NetworkPageInput& input) {
  const network_html::View view(input);
  const Part parts[] = {{"matrix", "Matrix", network_html::matrix(view)},
                        {"graph", "Graph", network_html::graph(view)},
                        {"p-values", "p-values", network_html::p_values(view)},
                        {"strongest", "Strongest pairs", network_html::strongest(view)},
                        {"delays", "Delays", network_html::delays(view)}};
  std::string links, body;
  for (const auto& [id, title, html] : parts) {
    if (html.empty()) continue;
    links += fmt::format("<li><a href=\"#{}\">{}</a></li>", id, title);
    body += html;
  }
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += fmt::format("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n", policy);
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += fmt::format("<title>Transfer entropy network · {}</title>\n",
                     reports::escape_html(network_html::shortened(reports::valid_utf8(input.data), 80)));
  out += fmt::format("<style>{}{}{}</style>\n</head>\n<body>\n", reports::html::style(),
                     network_html::level_style(), network_html::style());
  out += network_html::summary(view);
  out += fmt::format("<nav aria-label=\"Sections\"><div><ul>{}</ul></div></nav>\n<main>\n", links);
  out += body;
  out +=
      "<footer>Made by assay te network. 1 nat = 1.4427 bits. A dash means that there is no value, never "
      "zero.</footer>\n</main>\n<div id=\"tip\" role=\"status\" hidden></div>\n";
  out += fmt::format("<script>{}</script>\n</body>\n</html>\n", network_html::script());
  return out;
}

}  // namespace assay::program
