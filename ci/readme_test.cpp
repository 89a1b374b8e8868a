#include <regex>

#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using Readme = InFolder;

/// One command of the README with the output that stands below it.
struct Example {
  std::vector<std::string> arguments;
  std::string output;
};

std::vector<Example> examples_of(const fs::path& readme) {
  std::istringstream text(content_of(readme));
  std::vector<Example> examples;
  const std::string prompt = "    $ build/assay ";
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with(prompt)) {
      std::istringstream words(line.substr(prompt.size()));
      Example example;
      for (std::string word; words >> word;) example.arguments.push_back(word);
      examples.push_back(std::move(example));
      inside = true;
    } else if (inside && line.starts_with("    ")) {
      examples.back().output += line.substr(4) + "\n";
    } else {
      inside = false;
    }
  }
  return examples;
}

/// What differs from machine to machine: the processor's name and the time.
std::string without_machine(const std::string& output) {
  return std::regex_replace(output, std::regex("on cpu \\(.*\\), [0-9.]+ ms"), "on cpu (CPU), TIME ms");
}

TEST_F(Readme, EveryExamplePrintsWhatTheReadmeSays) {
  // Files that the examples make: `echo '...' > FILE`.
  const std::string text = content_of(program_path().parent_path().parent_path() / "README.md");
  const std::regex made("    \\$ echo '([^']*)' > (\\S+)\n");
  for (std::sregex_iterator one(text.begin(), text.end(), made), end; one != end; ++one)
    write((*one)[2].str(), (*one)[1].str() + "\n");
  const auto examples = examples_of(program_path().parent_path().parent_path() / "README.md");
  ASSERT_GE(examples.size(), 3u);
  for (const Example& example : examples) {
    std::vector<std::string> arguments = example.arguments;
    arguments.push_back("--quiet");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(without_machine(outcome.out), without_machine(example.output));
  }
}

}  // namespace
}  // namespace assay::program
