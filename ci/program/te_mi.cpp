#include "ci/program/commands.hpp"
#include "ci/program/te_information.hpp"
#include "ci/program/te_options.hpp"

namespace assay::program {

Command describe_te_mi() {
  Command command;
  command.path = "te mi";
  command.summary = "Mutual information of columns at equal times";
  command.examples = R"(Examples:
  assay te mi --data F.csv --x a --y b
  assay te mi --data F.csv --x 0,1 --y 2 --k 10 --surrogates 200 --json)";
  command.options = joined({series_options(),
                            {{"x", "COL,..", "columns of the first variable, by name or 0-based number"},
                             {"y", "COL,..", "columns of the second variable"}},
                            estimation_options(),
                            surrogate_options(),
                            {{"local", "", "print the local value of every observation too"}}});
  command.run = [](Invocation& invocation) { return run_information(invocation, false); };
  return command;
}

}  // namespace assay::program
