#pragma once

#include <regex>
#include <set>
#include <string>
#include <vector>

namespace assay::reports::test {

inline std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

/// "" where every element of the markup is closed in the order in which it was opened, and every attribute is
/// quoted; else what is wrong. Contents of <style> and <script> are skipped. `html` knows the void elements.
inline std::string markup_problem(const std::string& text, bool html) {
  const std::set<std::string> open_only =
      html ? std::set<std::string>{"meta", "input", "br", "wbr"} : std::set<std::string>{};
  // std::regex recurses on its input, so that very long attributes (the data of a path) are left out.
  const auto bad_attributes = [](const std::string& attributes) {
    static const std::regex form(R"((\s+[A-Za-z_:][-A-Za-z0-9_:.]*(="[^"<]*")?)*\s*/?)");
    return attributes.size() < 4000 && !std::regex_match(attributes, form);
  };
  std::vector<std::string> stack;
  for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at)) {
    const std::size_t end = text.find('>', at);
    if (end == std::string::npos) return "an element that does not end at byte " + std::to_string(at);
    std::string tag = text.substr(at + 1, end - at - 1);
    at = end + 1;
    if (tag.starts_with("!DOCTYPE") || tag.starts_with("?xml")) continue;
    if (tag.starts_with("/")) {
      if (stack.empty() || stack.back() != tag.substr(1)) return "unexpected </" + tag.substr(1) + ">";
      stack.pop_back();
      continue;
    }
    const std::size_t name_end = tag.find_first_of(" /\n");
    const std::string name = tag.substr(0, name_end);
    const std::string attributes = name_end == std::string::npos ? "" : tag.substr(name_end);
    if (bad_attributes(attributes)) return "attributes of <" + tag + ">";
    if (attributes.ends_with("/") || open_only.count(name)) continue;
    stack.push_back(name);
    if (name == "style" || name == "script") at = text.find("</" + name, at);
  }
  return stack.empty() ? "" : "<" + stack.back() + "> is never closed";
}

}  // namespace assay::reports::test
