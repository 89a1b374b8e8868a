#pragma once

#include <string>
#include <vector>

#include "benchmarks/suite.hpp"

namespace assay::benchmarks {

/// Adds a case once for each value of a parameter that it leaves to the operation ("n=1000" becomes
/// "n=1000,search=sorted" and "n=1000,search=tree"), and the case itself where no case of that label is
/// there, so that the report can set the sides of a choice beside what was chosen. None is part of a quick
/// run.
void add_sides(Suite& suite, Case item, const std::string& parameter, const std::vector<std::string>& values);

}  // namespace assay::benchmarks
