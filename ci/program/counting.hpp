#pragma once

#include <map>
#include <string>

#include "ci/program/comparing.hpp"

/// Two builds by the instructions that their calls execute.
namespace assay::program {

/// Counts one call of every case in two processes of each program, under Valgrind's callgrind. Answers are
/// held to the reference first, outside of it; a slowdown that is planted in the candidate has the size that
/// its time gave it there. Counts are of the processor that Valgrind models, which has AVX2 and no AVX-512.
/// Throws Failure: 7 where Valgrind is not there or a process fails, 6 where the programs have no case.
Comparison count_both(const ComparisonPlan& plan, const Console& console);

/// Instructions of each counted call of a process, in order: the dumps that callgrind left in that folder.
/// Throws Failure (7) where there are not as many as `calls`.
std::vector<double> counts_in(const std::string& folder, std::size_t calls);

}  // namespace assay::program
