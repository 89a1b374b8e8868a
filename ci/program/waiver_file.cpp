#include "ci/program/waiver_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "ci/program/failure.hpp"
#include "ci/program/suggestion.hpp"
#include "engine/io/bytes.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

const std::vector<std::string> known_keys{"case", "reason", "expires"};

class Reader {
 public:
  Reader(std::string path, std::string today) : path_(std::move(path)), today_(std::move(today)) {}

  std::vector<reports::Waiver> read(const toml::table& file) {
    for (const auto& [key, node] : file) {
      if (key.str() != "waiver") {
        refuse(node, fmt::format("'{}' is unknown, expected [[waiver]]", key.str()));
      }
      const auto* list = node.as_array();
      if (list == nullptr || !list->is_homogeneous<toml::table>())
        refuse(node, "'waiver' is no list of tables, expected [[waiver]]");
      for (const toml::node& item : *list) waivers_.push_back(waiver(*item.as_table()));
    }
    return std::move(waivers_);
  }

 private:
  [[noreturn]] void refuse(const toml::node& node, const std::string& what) const {
    throw Failure(ExitCode::usage, fmt::format("{}: line {}: {}", path_, node.source().begin.line, what));
  }

  std::string text(const toml::table& table, const char* key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr)
      refuse(table, fmt::format("a waiver without '{}', expected case, reason and expires", key));
    const auto value = node->value_exact<std::string>();
    if (!value || value->find_first_not_of(" \t\n") == std::string::npos)
      refuse(*node, fmt::format("'{}' is no text, expected one that is not empty", key));
    return *value;
  }

  reports::Waiver waiver(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (std::find(known_keys.begin(), known_keys.end(), name) == known_keys.end())
        refuse(node, fmt::format("'{}' is unknown in a waiver{}", name, suggestion(name, known_keys)));
    }
    reports::Waiver out{text(table, "case"), text(table, "reason"), {}};
    std::replace(out.reason.begin(), out.reason.end(), '\n', ' ');
    const toml::node* expires = table.get("expires");
    if (expires == nullptr) refuse(table, "a waiver without 'expires', expected case, reason and expires");
    const auto day = expires->value_exact<toml::date>();
    if (!day) refuse(*expires, "'expires' is no date, expected one such as 2026-01-31 without quotes");
    out.expires = fmt::format("{:04}-{:02}-{:02}", day->year, day->month, day->day);
    if (out.expires < today_)
      refuse(table, fmt::format("the waiver of {} expired on {}: mend the case, or decide anew", out.key,
                                out.expires));
    if (!cases_.insert(out.key).second) refuse(table, out.key + " is waived twice");
    return out;
  }

  std::string path_, today_;
  std::set<std::string> cases_;
  std::vector<reports::Waiver> waivers_;
};

}  // namespace

std::vector<reports::Waiver> read_waivers(const std::string& path, const std::string& today) {
  const auto bytes = io::read_file(path);
  if (!bytes) throw failure_of(bytes.error());
  try {
    return Reader(path, today).read(toml::parse(bytes.value().view(), path));
  } catch (const toml::parse_error& error) {
    throw Failure(ExitCode::usage, fmt::format("{}: line {}, column {}: {}", path, error.source().begin.line,
                                               error.source().begin.column, error.description()));
  }
}

}  // namespace assay::program
