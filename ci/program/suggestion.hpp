#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay::program {

/// ", did you mean 'network'?", or "" where nothing known is close to what was typed.
std::string suggestion(std::string_view typed, const std::vector<std::string>& known);

}  // namespace assay::program
