#include "ci/program/settings.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "ci/program/failure.hpp"
#include "ci/program/suggestion.hpp"
#include "engine/io/bytes.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

/// Never taken from the environment or a file: they say how this very call is to be read.
bool only_as_flag(const std::string& name) {
  return name == "help" || name == "version";
}

std::string with_dashes(std::string_view key) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

/// The text that a flag would have been given for a TOML value; a list becomes "1,2,3".
std::string text_of(const toml::node& node, const std::string& where) {
  if (const auto* array = node.as_array()) {
    std::string joined;
    for (const toml::node& item : *array) joined += (joined.empty() ? "" : ",") + text_of(item, where);
    return joined;
  }
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  if (const auto integer = node.value_exact<std::int64_t>()) return std::to_string(*integer);
  if (const auto real = node.value_exact<double>()) return fmt::format("{}", *real);
  throw Failure(ExitCode::usage, where + ": expected a text, a number, true, false or a list of these");
}

const Option* find_option(const std::vector<Option>& options, const std::string& name) {
  const auto at =
      std::find_if(options.begin(), options.end(), [&](const Option& item) { return item.name == name; });
  return at == options.end() ? nullptr : &*at;
}

/// The command is the group or one of those below it: "te" holds "te pair".
bool below(const Command& item, const std::string& group) {
  return group.empty() || item.path == group || item.path.starts_with(group + " ");
}

class ConfigurationReader {
 public:
  ConfigurationReader(std::string path, const Command& command, const std::vector<Command>& commands)
      : path_(std::move(path)), command_(command), commands_(commands), options_(command.options) {
    for (Option& option : common_options()) options_.push_back(std::move(option));
  }

  /// One table of the file, which is for the commands below `group`. Its plain keys come before its sections,
  /// so that what an inner one says replaces it wherever it stands in the file.
  void read(const toml::table& table, const std::string& group) {
    for (const auto& [key, node] : table) {
      if (!node.is_table()) setting(std::string(key.str()), node, group);
    }
    for (const auto& [key, node] : table) {
      if (!node.is_table()) continue;
      const std::string inner = (group.empty() ? "" : group + " ") + std::string(key.str());
      if (std::none_of(commands_.begin(), commands_.end(),
                       [&](const Command& c) { return below(c, inner); })) {
        throw Failure(ExitCode::usage, place(inner, node) + ": no command of that name");
      }
      read(*node.as_table(), inner);
    }
  }

  std::map<std::string, Given> found;

 private:
  std::string place(std::string dotted, const toml::node& node) const {
    std::replace(dotted.begin(), dotted.end(), ' ', '.');
    return fmt::format("{}: line {}, {}", path_, node.source().begin.line, dotted);
  }

  void setting(const std::string& key, const toml::node& node, const std::string& group) {
    const std::string name = with_dashes(key);
    const std::string where = place((group.empty() ? "" : group + " ") + key, node);
    std::vector<std::string> known;
    for (const Command& item : commands_) {
      if (!below(item, group)) continue;
      for (const Option& option : item.options) known.push_back(option.name);
    }
    for (const Option& option : common_options()) known.push_back(option.name);
    if (std::find(known.begin(), known.end(), name) == known.end() || only_as_flag(name)) {
      throw Failure(ExitCode::usage, where + ": no such setting" + suggestion(name, known));
    }
    const Option* option = below(command_, group) ? find_option(options_, name) : nullptr;
    if (option == nullptr) return;
    Given given{{}, where};
    if (const auto* array = node.as_array(); array != nullptr && option->repeated) {
      for (const toml::node& item : *array) given.values.push_back(text_of(item, where));
    } else {
      given.values = {text_of(node, where)};
    }
    found[name] = std::move(given);
  }

  std::string path_;
  const Command& command_;
  const std::vector<Command>& commands_;
  std::vector<Option> options_;
};

std::map<std::string, Given> read_configuration(const std::string& path, const Command& command,
                                                const std::vector<Command>& commands) {
  const auto bytes = io::read_file(path);
  if (!bytes) throw failure_of(bytes.error());
  ConfigurationReader reader(path, command, commands);
  try {
    reader.read(toml::parse(bytes.value().view(), path), "");
  } catch (const toml::parse_error& error) {
    throw Failure(ExitCode::usage, fmt::format("{}: line {}, column {}: {}", path, error.source().begin.line,
                                               error.source().begin.column, error.description()));
  }
  return std::move(reader.found);
}

}  // namespace

std::string environment_name(const std::string& option) {
  std::string name = "ASSAY_";
  for (const char letter : option) {
    name +=
        letter == '-' ? '_' : static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);
  }
  return name;
}

void merge_settings(std::map<std::string, Given>& given, const Command& command,
                    const std::vector<Command>& commands) {
  std::vector<Option> options = command.options;
  for (Option& option : common_options()) options.push_back(std::move(option));
  for (const Option& option : options) {
    // ASSAY_GOLDEN is the folder that ci/test looks into, one level above what --golden takes.
    if (only_as_flag(option.name) || option.name == "golden" || given.contains(option.name)) continue;
    const std::string variable = environment_name(option.name);
    const char* value = std::getenv(variable.c_str());
    if (value != nullptr && *value != '\0') given[option.name] = {{value}, variable};
  }
  const auto config = given.find("config");
  if (config == given.end()) return;
  for (auto& [name, value] : read_configuration(config->second.values.back(), command, commands)) {
    if (name != "config") given.try_emplace(name, std::move(value));
  }
}

}  // namespace assay::program
