#include <gtest/gtest.h>

#include <regex>

#include "ci/test_page.hpp"

namespace assay::program {
namespace {

using Recipes = InFolder;

fs::path root() {
  return program_path().parent_path().parent_path();
}

TEST_F(Recipes, EveryCommandOfThePagePrintsWhatItSays) {
  const auto steps = steps_of(content_of(root() / "ci/gate_pull_requests.md"));
  ASSERT_GE(steps.size(), 4u);
  for (const Step& step : steps) {
    std::string command =
        std::regex_replace(step.command, std::regex("build/"), program_path().parent_path().string() + "/");
    command = std::regex_replace(command, std::regex("reports/records/"),
                                 (root() / "reports/records").string() + "/");
    EXPECT_EQ(answer(command, work()), step.output) << step.command;
  }
}

/// The document of a YAML file as JSON, or null where Python cannot read it.
nlohmann::json yaml(const std::string& name) {
  const std::string command =
      "python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)' '" +
      (root() / "ci/recipes" / name).string() + "' 2>/dev/null";
  return nlohmann::json::parse(answer(command, "/"), nullptr, false);
}

// What they call is there, and a device that is missing cannot be green.
TEST_F(Recipes, ParseAndCallWhatIsThere) {
  if (std::system("python3 -c 'import yaml' >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "python3-yaml is not installed";
  for (const char* name : {"github-actions.yml", "gitlab-ci.yml"}) {
    const nlohmann::json recipe = yaml(name);
    ASSERT_TRUE(recipe.is_object()) << name;
    const std::string text = recipe.dump();
    const std::regex script("ci/recipes/[a-z]+");
    int calls = 0;
    for (std::sregex_iterator it(text.begin(), text.end(), script), end; it != end; ++it, ++calls)
      EXPECT_EQ(::access((root() / it->str()).c_str(), X_OK), 0) << name << ": " << it->str();
    EXPECT_GE(calls, 1) << name;
    EXPECT_NE(text.find("reports/out"), std::string::npos);
    EXPECT_NE(text.find("reports/store.sqlite"), std::string::npos);
  }
  EXPECT_EQ(yaml("github-actions.yml")["jobs"]["device"]["env"]["ASSAY_REQUIRE"], "cuda");
  EXPECT_EQ(yaml("gitlab-ci.yml")["device"]["variables"]["ASSAY_REQUIRE"], "cuda");
}

}  // namespace
}  // namespace assay::program
