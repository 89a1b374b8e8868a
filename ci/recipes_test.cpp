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

/// What a CI system checks out: the script as it is, the program that is built, and a short night.
class Judge : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (HasFatalFailure()) return;
    fs::create_directories(work() / "ci/recipes");
    fs::create_directories(work() / "build");
    fs::copy_file(root() / "ci/recipes/judge", work() / "ci/recipes/judge");
    fs::copy_file(program_path(), work() / "build/assay");  // without the planted faults that lie beside it
    fs::create_symlink(program_path().parent_path() / "lib", work() / "build/lib");
    fs::create_directories(work() / "engine");
    write("engine/operations.cmake", "");  // by which the program knows the project's folder
    write("ci/nightly",
          "#!/bin/sh\nexec build/assay nightly --op te.digamma --budget 2s --backend cpu \"$@\"\n");
    fs::permissions(work() / "ci/nightly", fs::perms::owner_all);
  }

  Outcome judge(const std::string& main, const std::string& branch, const std::string& settings = "") const {
    const std::string log = (work() / "log").string();
    const std::string command = "cd '" + work().string() + "' && ASSAY_LOCK_FOLDER='" + folder_.string() +
                                "' ASSAY_BRANCH='" + branch + "' ASSAY_COMMIT=0123abcd " + settings +
                                " ci/recipes/judge '" + main + "' '" + branch + "' >out 2>err";
    const int status = std::system(command.c_str());
    return {WEXITSTATUS(status), read("out"), read("err")};
  }
  nlohmann::json stored(const std::vector<std::string>& command) const {
    auto arguments = command;
    arguments.insert(arguments.end(), {"--store", "reports/store.sqlite"});
    return document(arguments);
  }
};

TEST_F(Judge, TheMainBranchBecomesTheBaselineThatOthersAreHeldAgainst) {
  const Outcome first = judge("trunk", "trunk");
  ASSERT_EQ(first.code, 0) << first.out << first.err;
  EXPECT_NE(first.out.find("first run, recorded as the baseline"), std::string::npos) << first.out;
  auto baselines = stored({"baseline", "show"})["baselines"];
  ASSERT_EQ(baselines.size(), 1u);
  EXPECT_EQ(baselines[0]["branch"], "trunk");
  const std::string before = baselines[0]["run"];
  const Outcome request = judge("trunk", "feature");
  EXPECT_NE(request.out.find("Compared with run " + before.substr(0, 8)), std::string::npos)
      << request.out << request.err;
  // A request moves no baseline, the main branch's next green run does.
  EXPECT_EQ(stored({"baseline", "show"})["baselines"][0]["run"], before);
}

TEST_F(Judge, WithoutAHistoryARunIsComparedWithNothingAndIsGreen) {
  const Outcome request = judge("trunk", "feature");
  EXPECT_EQ(request.code, 0) << request.out << request.err;
  EXPECT_NE(request.out.find("judge: trunk has no history yet: this run is compared with nothing"),
            std::string::npos)
      << request.out;
  EXPECT_NE(request.out.find("first run, recorded as the baseline"), std::string::npos) << request.out;
  EXPECT_TRUE(fs::exists(work() / "reports/out/summary.md"));
}

// The store is there, and what it has of the main branch was measured on another processor.
TEST_F(Judge, OnAnotherMachineARunIsComparedWithNothingAndIsGreen) {
  ASSERT_EQ(judge("trunk", "trunk").code, 0);
  ASSERT_EQ(run({"history", "--store", "reports/store.sqlite", "--export", "lines"}).code, 0);
  std::string lines;
  std::istringstream in(read("lines"));
  for (std::string line; std::getline(in, line);) {
    auto entry = nlohmann::json::parse(line);
    if (entry["type"] == "run") entry["environment"]["facts"]["cpu"] = "another processor";
    lines += entry.dump() + "\n";
  }
  write("lines", lines);
  fs::remove(work() / "reports/store.sqlite");
  ASSERT_EQ(run({"history", "--store", "reports/store.sqlite", "--import", "lines"}).code, 0);
  ASSERT_EQ(run({"baseline", "promote", "--store", "reports/store.sqlite"}).code, 0);
  const Outcome request = judge("trunk", "feature");
  EXPECT_EQ(request.code, 0) << request.out << request.err;
  EXPECT_NE(request.out.find("No baseline yet for this branch, environment and mode"), std::string::npos)
      << request.out;
}

// A name that is wrong is said before anything is measured.
TEST_F(Judge, ABranchThatTheHistoryDoesNotKnowIsRefusedAtOnce) {
  ASSERT_EQ(judge("trunk", "trunk").code, 0);
  const Outcome request = judge("trnuk", "feature");
  EXPECT_EQ(request.code, 2) << request.out << request.err;
  EXPECT_NE(request.err.find("no baseline \"trnuk\""), std::string::npos) << request.err;
  EXPECT_EQ(stored({"history"})["runs"].size(), 1u);
}

}  // namespace
}  // namespace assay::program
