#include "ci/program/commands.hpp"
#include "ci/program/te_information.hpp"
#include "ci/program/te_options.hpp"

namespace assay::program {

Command describe_te_cmi() {
  Command command;
  command.path = "te cmi";
  command.summary = "Mutual information of columns at equal times, given others";
  command.examples = R"(Examples:
  assay te cmi --data F.csv --x a --y b --z c
  assay te cmi --data F.csv --x 0 --y 1 --z 2,3 --algorithm 2 --json)";
  command.options = joined({series_options(),
                            {{"x", "COL,..", "columns of the first variable, by name or 0-based number"},
                             {"y", "COL,..", "columns of the second variable"},
                             {"z", "COL,..", "columns that are conditioned on"}},
                            estimation_options(),
                            surrogate_options(),
                            {{"local", "", "print the local value of every observation too"}}});
  command.run = [](Invocation& invocation) { return run_information(invocation, true); };
  return command;
}

}  // namespace assay::program
