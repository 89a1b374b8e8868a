#pragma once

#include <string>

#include "benchmarks/suite.hpp"

namespace assay::benchmarks::peers {

/// JIDT (Lizier 2014) beside the case of te.ksg with that label, on the same points, with `threads` threads
/// (0: all that this process may use). Its jar is not part of this project: the environment variable
/// ASSAY_JIDT_JAR names it, and without that, or without java, the run says so. A value that differs from
/// ours by more than 1e-6 gets no time.
Peer jidt(std::string label, unsigned threads);

/// The same beside a case of te.network with one column each, algorithm 1, source i left out for target i:
/// one estimate a pair, `threads` of them at a time. Compared is the mean of all entries; three
/// repeats at most.
Peer jidt_network(std::string label, unsigned threads);

}  // namespace assay::benchmarks::peers
