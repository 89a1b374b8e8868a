#include "ci/program/invocation.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "ci/program/failure.hpp"
#include "ci/program/suggestion.hpp"
#include "engine/io/bytes.hpp"
#include "engine/io/csv.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

std::string in_quotes(std::string_view text) {
  return "'" + io::printable(text) + "'";
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    parts.emplace_back(part);
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with("+")) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || stop != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<bool> parse_switch(std::string_view text) {
  for (const char* yes : {"1", "true", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"", "0", "false", "no", "off"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

Invocation::Invocation(const Command& command, std::map<std::string, Given> given,
                       std::vector<std::string> positionals)
    : command_(command),
      given_(given.begin(), given.end()),
      positionals_(std::move(positionals)),
      options_(command.options),
      console_("assay " + command.path, false) {
  for (Option& option : common_options()) options_.push_back(std::move(option));
  console_ = Console("assay " + command.path, flag("quiet"));
}

const Option* Invocation::find(std::string_view option) const {
  const auto at =
      std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name == option; });
  return at == options_.end() ? nullptr : &*at;
}

bool Invocation::given(std::string_view option) const {
  return given_.find(option) != given_.end();
}

std::string Invocation::source(std::string_view option) const {
  const auto at = given_.find(option);
  return at == given_.end() ? "--" + std::string(option) : at->second.source;
}

void Invocation::refuse(std::string_view option, const std::string& what) const {
  throw Failure(ExitCode::usage, source(option) + ": " + what);
}

std::optional<std::string> Invocation::maybe_text(std::string_view option) const {
  const auto at = given_.find(option);
  if (at != given_.end() && !at->second.values.empty()) return at->second.values.back();
  const Option* info = find(option);
  if (info != nullptr && !info->fallback.empty()) return info->fallback;
  return std::nullopt;
}

std::string Invocation::text(std::string_view option) const {
  auto value = maybe_text(option);
  if (!value) {
    const Option* info = find(option);
    throw Failure(ExitCode::usage,
                  "--" + std::string(option) + " " + (info ? info->value : "") + " is required");
  }
  return *value;
}

bool Invocation::flag(std::string_view option) const {
  const auto at = given_.find(option);
  if (at == given_.end()) return false;
  if (at->second.values.empty()) return true;
  const auto value = parse_switch(at->second.values.back());
  if (!value) refuse(option, in_quotes(at->second.values.back()) + " is neither true nor false");
  return *value;
}

std::int64_t Invocation::integer(std::string_view option, std::int64_t least, std::int64_t most) const {
  const std::vector<std::int64_t> values = [&] {
    const std::string value = text(option);
    if (!parse_integer(value)) refuse(option, in_quotes(value) + " is not an integer, or one too large");
    return integers(option, least, most);
  }();
  return values.front();
}

std::vector<std::int64_t> Invocation::integers(std::string_view option, std::int64_t least,
                                               std::int64_t most) const {
  std::vector<std::int64_t> values;
  const auto value = maybe_text(option);
  if (!value) return values;
  for (const std::string& part : split_list(*value)) {
    const auto number = parse_integer(part);
    if (!number) refuse(option, in_quotes(part) + " is not an integer, or one too large");
    if (*number < least) refuse(option, fmt::format("{} is too small, expected at least {}", *number, least));
    if (*number > most) refuse(option, fmt::format("{} is too large, expected at most {}", *number, most));
    values.push_back(*number);
  }
  return values;
}

double Invocation::real(std::string_view option, double least, double most) const {
  const std::string value = text(option);
  const auto number = io::parse_double(value);
  if (!number) refuse(option, in_quotes(value) + " is not a number");
  if (!std::isfinite(*number)) refuse(option, in_quotes(value) + " is not finite");
  if (*number < least || *number > most) {
    refuse(option, std::isinf(most)
                       ? fmt::format("{} is too small, expected at least {}", *number, least)
                       : fmt::format("{} is out of range, expected {} to {}", *number, least, most));
  }
  return *number;
}

std::vector<std::string> Invocation::all(std::string_view option) const {
  const auto at = given_.find(option);
  return at == given_.end() ? std::vector<std::string>{} : at->second.values;
}

std::string Invocation::choice(std::string_view option, const std::vector<std::string>& choices) const {
  const std::string value = text(option);
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    refuse(option, fmt::format("{} is not known, expected {}{}", in_quotes(value), fmt::join(choices, ", "),
                               suggestion(value, choices)));
  }
  return value;
}

std::uint64_t Invocation::seed() const {
  const std::string value = text("seed");
  std::uint64_t number = 0;
  const auto [stop, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (code != std::errc{} || stop != value.data() + value.size() || value.empty()) {
    refuse("seed", in_quotes(value) + " is not an integer from 0 to 18446744073709551615");
  }
  return number;
}

void Invocation::print(std::string_view text) const {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    throw Failure(ExitCode::tool_error, "standard output cannot be written");
  }
}

void Invocation::print_json(const nlohmann::ordered_json& document) const {
  print(document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace assay::program
