#pragma once

#include <functional>
#include <string>
#include <vector>

namespace assay::program {

class Invocation;

/// One option of a command. Values are text until the command reads them, so that a value from a flag, the
/// environment or a file is refused in the same words.
struct Option {
  std::string name;   ///< "k-history": --k-history, ASSAY_K_HISTORY, and the key in a configuration
  std::string value;  ///< what stands in the help for its value; empty: a flag
  std::string help;
  std::string fallback = {};  ///< the default, shown in the help
  bool repeated = false;      ///< may be given several times, each with one value or more
};

/// A positional argument.
struct Positional {
  std::string name;
  std::string help;
  bool required = true;
};

/// One command of the program, as it describes itself.
struct Command {
  std::string path;      ///< "te pair"
  std::string summary;   ///< one line
  std::string examples;  ///< shown below the help
  std::vector<Option> options;
  std::vector<Positional> positionals = {};
  /// Returns the exit code; throws Failure for anything to be said in one line.
  std::function<int(Invocation&)> run;
  /// Help that depends on the positionals, as `run OP --help` has it; an empty text: the usual help.
  std::function<std::string(const std::vector<std::string>& positionals)> special_help = {};
};

/// Options that every command has.
std::vector<Option> common_options();

}  // namespace assay::program
