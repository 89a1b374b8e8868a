#pragma once

#include "ci/test_process.hpp"

/// Pages whose commands are run by a test: what they print has to be what the page says.
namespace assay::program {

/// "    $ command" and the lines below it, indented alike.
struct Step {
  std::string command, output;
};

inline std::vector<Step> steps_of(const std::string& page) {
  std::istringstream lines(page);
  std::vector<Step> steps;
  const std::string prompt = "    $ ";
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(prompt)) {
      steps.push_back({line.substr(prompt.size()), ""});
      inside = true;
    } else if (inside && line.starts_with("    ")) {
      steps.back().output += line.substr(4) + "\n";
    } else {
      inside = false;
    }
  }
  return steps;
}

/// What a command prints in a folder, as a shell runs it.
inline std::string answer(const std::string& command, const fs::path& folder) {
  const std::string there = "cd '" + folder.string() + "' && " + command;
  FILE* pipe = popen(there.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  for (char buffer[4096]; std::fgets(buffer, sizeof buffer, pipe) != nullptr;) text += buffer;
  pclose(pipe);
  return text;
}

}  // namespace assay::program
