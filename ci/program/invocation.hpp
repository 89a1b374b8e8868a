#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ci/program/command.hpp"
#include "ci/program/console.hpp"

namespace assay::program {

/// What was given for one option, and where: "--k", "ASSAY_K" or "settings.toml: te.pair.k".
struct Given {
  std::vector<std::string> values;
  std::string source;
};

/// One call of one command: its options with flags, environment and configuration already merged, and where
/// its output goes. Readers of options throw Failure (exit 2) that names the place and what was expected.
class Invocation {
 public:
  Invocation(const Command& command, std::map<std::string, Given> given,
             std::vector<std::string> positionals);

  bool given(std::string_view option) const;
  /// The value or the default; refused where there is neither.
  std::string text(std::string_view option) const;
  std::optional<std::string> maybe_text(std::string_view option) const;
  bool flag(std::string_view option) const;
  std::int64_t integer(std::string_view option, std::int64_t least,
                       std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  double real(std::string_view option, double least, double most) const;
  /// "1,2,3"; empty where the option has neither value nor default.
  std::vector<std::int64_t> integers(std::string_view option, std::int64_t least, std::int64_t most) const;
  /// All values of a repeated option.
  std::vector<std::string> all(std::string_view option) const;
  /// The value, which must be one of these.
  std::string choice(std::string_view option, const std::vector<std::string>& choices) const;
  /// How the user gave the option: for messages.
  std::string source(std::string_view option) const;
  std::uint64_t seed() const;

  const std::vector<std::string>& positionals() const { return positionals_; }
  bool json() const { return flag("json"); }
  const Console& console() const { return console_; }
  const Command& command() const { return command_; }

  /// Prints to standard output.
  void print(std::string_view text) const;
  /// Prints the one JSON document.
  void print_json(const nlohmann::ordered_json& document) const;

  [[noreturn]] void refuse(std::string_view option, const std::string& what) const;

 private:
  const Option* find(std::string_view option) const;

  const Command& command_;
  std::map<std::string, Given, std::less<>> given_;
  std::vector<std::string> positionals_;
  std::vector<Option> options_;
  Console console_;
};

/// Splits at commas; blanks around the parts are dropped.
std::vector<std::string> split_list(std::string_view text);

/// A whole decimal integer; nothing for anything else or what does not fit.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// Whether an environment variable's or configuration's text switches a flag on; nothing where it says
/// neither.
std::optional<bool> parse_switch(std::string_view text);

}  // namespace assay::program
