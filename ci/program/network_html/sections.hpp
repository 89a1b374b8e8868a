#pragma once

#include <string>
#include <string_view>

#include "ci/program/network_html/view.hpp"

/// One function a section; each returns markup, "" where there is nothing to show.
namespace assay::program::network_html {

std::string summary(const View& view);    // the head of the page
std::string matrix(const View& view);     // the clustered heat map
std::string graph(const View& view);      // the surviving or strongest edges
std::string p_values(const View& view);   // their histogram
std::string strongest(const View& view);  // a table of pairs
std::string delays(const View& view);     // their histogram

/// Added to the style sheet of the report. The script shows the numbers under the pointer, highlights, and
/// paints what is too large for SVG.
std::string_view style();
std::string_view script();

}  // namespace assay::program::network_html
