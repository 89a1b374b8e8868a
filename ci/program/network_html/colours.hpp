#pragma once

#include <string>

namespace assay::program::network_html {

/// The colours of a matrix run from one end of the scale over 0, which has the colour of the page, to the
/// other: orange for negative values and blue for positive ones, darker (on a dark page: lighter) the farther
/// from 0. The two stay apart for every common kind of colour blindness.
constexpr int most_level = 16;

/// -most_level to most_level: the level of a value on a scale that ends at `end` nats; what lies beyond has
/// the last one.
int level_of(double value, double end);

/// "--u0" for -most_level to "--u32".
std::string level_variable(int level);

/// Definitions of all levels as custom properties, light and dark.
std::string level_style();

}  // namespace assay::program::network_html
