// Checks in child processes. This test program is its own worker: started with the worker's option it serves
// the suites planted here, before any test.

#include "validation/worker.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "validation/mutate.hpp"

namespace assay::validation {
namespace {

bool selected(std::string_view mutant) {
  const char* name = std::getenv("ASSAY_MUTANT");
  return name != nullptr && mutant == name;
}

const std::vector<Suite>& planted() {
  static const std::vector<Suite> all = [] {
    std::vector<Suite> made;
    Suite& suite = made.emplace_back("test.worker");
    const auto control = [](Probe& probe) { probe.expect(false, "planted"); };
    const auto add = [&](const char* name, std::function<void(Probe&)> body) {
      suite.property({.name = name,
                      .summary = "",
                      .body = std::move(body),
                      .cases = 1,
                      .backends = {},
                      .negative_control = control});
    };
    add("passes", [](Probe& probe) { probe.expect_within("error", 1, 2); });
    add("fails", [](Probe& probe) { probe.expect(false, "a reason"); });
    add("aborts", [](Probe&) { std::abort(); });
    add("exits", [](Probe&) { std::_Exit(7); });
    add("exits_with_success", [](Probe&) { std::_Exit(0); });
    add("hangs", [](Probe&) {
      for (volatile bool forever = true; forever;) {
      }
    });
    add("prints", [](Probe& probe) {
      std::printf("{\"noise\":\n");
      std::fflush(stdout);
      probe.expect(true, "");
    });
    Suite& faults = made.emplace_back("test.faults");
    faults.property({.name = "notices",
                     .summary = "",
                     .body =
                         [](Probe& probe) {
                           if (selected("test.crashing")) std::raise(SIGSEGV);
                           for (volatile bool forever = selected("test.hanging"); forever;) {
                           }
                           probe.expect(!selected("test.caught"), "the fault is noticed");
                         },
                     .cases = 1,
                     .backends = {},
                     .negative_control = control});
    for (const char* id : {"test.caught", "test.crashing", "test.hanging", "test.unknown"}) {
      faults.mutant({id, "planted", "a fault", Backend::cpu});
    }
    return made;
  }();
  return all;
}

const bool is_worker = [] {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string line((std::istreambuf_iterator<char>(file)), {});
  std::vector<char*> arguments;
  std::string copy = line;
  for (std::size_t i = 0; i < copy.size(); i += std::string_view(copy.data() + i).size() + 1)
    arguments.push_back(copy.data() + i);
  const auto status = serve_if_worker(static_cast<int>(arguments.size()), arguments.data(), planted());
  if (status) std::exit(*status);
  return false;
}();

Job job(const char* name) {
  for (const Property& property : planted()[0].properties()) {
    if (property.name == name) return {"test.worker", &property, Backend::cpu};
  }
  throw std::out_of_range(name);
}

TEST(Worker, AnswersWithTheWholeResult) {
  EXPECT_FALSE(is_worker);
  Worker worker({this_program()});
  const CheckResult passed = worker.run(job("passes"), {}, std::chrono::seconds(20));
  EXPECT_EQ(passed.verdict, Verdict::pass) << passed.message;
  EXPECT_EQ(passed.utilisation, 0.5);
  EXPECT_EQ(passed.assertions, 1);
  const CheckResult failed = worker.run(job("fails"), {}, std::chrono::seconds(20));
  EXPECT_EQ(failed.verdict, Verdict::fail);
  EXPECT_NE(failed.message.find("a reason"), std::string::npos);
  EXPECT_TRUE(failed.replay.has_value());
}

TEST(Worker, ACrashIsOneRedCaseAndTheNextGoesOn) {
  Worker worker({this_program()});
  const CheckResult aborted = worker.run(job("aborts"), {}, std::chrono::seconds(20));
  EXPECT_EQ(aborted.verdict, Verdict::crashed);
  EXPECT_NE(aborted.message.find("signal 6"), std::string::npos) << aborted.message;
  EXPECT_EQ(worker.run(job("passes"), {}, std::chrono::seconds(20)).verdict, Verdict::pass);
  const CheckResult exited = worker.run(job("exits"), {}, std::chrono::seconds(20));
  EXPECT_EQ(exited.message, "the worker exited with status 7");
  EXPECT_EQ(worker.run(job("passes"), {}, std::chrono::seconds(20)).verdict, Verdict::pass);
}

// A body that ends its process as if all were well has shown nothing.
TEST(Worker, AnExitIsNoPass) {
  Worker worker({this_program()});
  const CheckResult exited = worker.run(job("exits_with_success"), {}, std::chrono::seconds(20));
  EXPECT_EQ(exited.verdict, Verdict::crashed) << exited.message;
}

TEST(Worker, AHangIsEnded) {
  Worker worker({this_program()});
  const CheckResult hung = worker.run(job("hangs"), {}, std::chrono::milliseconds(300));
  EXPECT_EQ(hung.verdict, Verdict::timeout);
  EXPECT_EQ(worker.run(job("passes"), {}, std::chrono::seconds(20)).verdict, Verdict::pass);
}

TEST(Worker, WhatAPropertyPrintsDoesNotGetBetween) {
  Worker worker({this_program()});
  EXPECT_EQ(worker.run(job("prints"), {}, std::chrono::seconds(20)).verdict, Verdict::pass);
}

TEST(Worker, AProgramThatIsNotThereIsAnError) {
  Worker worker({"/nonexistent/program"});
  EXPECT_THROW(worker.run(job("passes"), {}, std::chrono::seconds(1)), std::runtime_error);
}

TEST(Worker, TheRunnerIsolatesOnDemand) {
  const Runner runner = isolating_runner({this_program()}, std::chrono::seconds(20), true);
  EXPECT_EQ(runner(job("aborts"), {}).verdict, Verdict::crashed);
}

TEST(Mutate, TellsWhatBecameOfEachFault) {
  MutateOptions options;
  options.program = this_program();
  options.timeout = std::chrono::seconds(3);
  const MutationReport report = mutate(planted(), options);
  ASSERT_EQ(report.mutants.size(), 4u);
  EXPECT_EQ(report.mutants[0].status, MutantStatus::caught);
  EXPECT_EQ(report.mutants[0].property, "test.faults/notices");
  EXPECT_EQ(report.mutants[1].status, MutantStatus::crashed);
  EXPECT_EQ(report.mutants[2].status, MutantStatus::timeout);
  EXPECT_EQ(report.mutants[3].status, MutantStatus::not_reached);
  EXPECT_EQ(report.caught(), 3);
  EXPECT_EQ(report.total(), 4);
  EXPECT_FALSE(report.ok());
  ASSERT_EQ(report.controls.size(), 1u);
  EXPECT_EQ(report.controls[0].verdict, Verdict::pass);
  const nlohmann::json json = report;
  EXPECT_EQ(json.at("caught"), 3);
  EXPECT_EQ(json.at("mutants").at(1).at("status"), "crashed");
  EXPECT_EQ(json.at("by_class").at("planted").at("total"), 4);
}

TEST(Mutate, AFilterThatMatchesNothingIsVacuous) {
  MutateOptions options;
  options.program = this_program();
  options.pattern = "no.such.*";
  const MutationReport report = mutate(planted(), options);
  EXPECT_EQ(report.vacuous, "no mutant matches 'no.such.*'");
  EXPECT_FALSE(report.ok());
  options.pattern = "test.caught";
  EXPECT_TRUE(mutate(planted(), options).ok());
}

}  // namespace
}  // namespace assay::validation
