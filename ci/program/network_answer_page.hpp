#pragma once

#include <string>

#include "ci/program/network_output.hpp"

namespace assay::program {

/// The network as a page to look at (network_page.hpp). `data` says where the series came from.
std::string network_html(const NetworkAnswer& answer, const std::string& data);

}  // namespace assay::program
