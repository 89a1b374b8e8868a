#include "validation/runner.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "validation/generators.hpp"

namespace assay::validation {
namespace {

void fails(Probe& probe) {
  probe.expect(false, "planted");
}

CheckResult run(const Property& property, const RunOptions& options = {}, Backend backend = Backend::cpu) {
  return run_property({"test.operation", &property, backend}, options);
}

Property property_of(std::function<void(Probe&)> body, int cases = 50,
                     std::function<void(Probe&)> control = fails) {
  return {.name = "planted",
          .summary = "",
          .body = std::move(body),
          .cases = cases,
          .backends = {},
          .negative_control = std::move(control)};
}

TEST(Runner, PassesAndCounts) {
  const auto property = property_of([](Probe& probe) {
    probe.expect(*integers(0, 9, "n") < 10, "digits are below 10");
    probe.expect_within("an error", 0.25, 0.5);
    probe.note("name", "value");
  });
  const CheckResult result = run(property);
  EXPECT_EQ(result.verdict, Verdict::pass) << result.message;
  EXPECT_EQ(result.cases, 50);
  EXPECT_EQ(result.assertions, 100);
  EXPECT_EQ(result.utilisation, 0.5);
  EXPECT_EQ(result.notes.size(), 1u);
  EXPECT_EQ(result.name(), "test.operation/planted/cpu");
}

TEST(Runner, ShrinksToTheSmallestShape) {
  const auto property = property_of([](Probe& probe) {
    const Cloud cloud = *clouds().as("points");
    probe.expect(cloud.rows < 7, "fewer than 7 rows");
  });
  const CheckResult result = run(property);
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_NE(result.message.find("fewer than 7 rows"), std::string::npos) << result.message;
  EXPECT_NE(result.message.find("7 x 1 grid, seed 0, not 0: none"), std::string::npos) << result.message;
  ASSERT_TRUE(result.replay.has_value());
  EXPECT_FALSE(result.replay->reproduce.empty());
}

TEST(Runner, ReplaysExactlyTheFailingCase) {
  int ran = 0;
  const auto property = property_of([&](Probe& probe) {
    ++ran;
    probe.expect(*integers(0, 100000, "n") < 90000, "n is below 90000");
  });
  RunOptions options;
  const CheckResult first = run(property, options);
  ASSERT_EQ(first.verdict, Verdict::fail);
  EXPECT_NE(first.message.find("n = 90000"), std::string::npos) << first.message;
  options.reproduce = first.replay->reproduce;
  ran = 0;
  const CheckResult again = run(property, options);
  EXPECT_EQ(again.verdict, Verdict::fail);
  EXPECT_EQ(again.message, first.message);
  EXPECT_LE(ran, 60);  // the steps of the shrink path, and no search
}

TEST(Runner, ShrinkingEndsWithItsTime) {
  const auto property = property_of([](Probe& probe) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    probe.expect(*integers(0, 1000000, "n") < 10, "n is below 10");
  });
  RunOptions options;
  options.shrink_seconds = 0.02;
  const CheckResult result = run(property, options);
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_NE(result.message.find("n is below 10"), std::string::npos) << result.message;
  EXPECT_NE(result.message.find("n = "), std::string::npos) << result.message;
}

TEST(Runner, SaysWhereAFailureDoesNotComeAgain) {
  int ran = 0;
  const auto property =
      property_of([&](Probe& probe) { probe.expect(++ran != 1, "the first run is wrong"); });
  const CheckResult result = run(property);
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_NE(result.message.find("did not fail again"), std::string::npos) << result.message;
}

TEST(Runner, NegativeControlMustFail) {
  const CheckResult accepted = run(property_of([](Probe& probe) { probe.expect(true, ""); }, 5,
                                               [](Probe& probe) { probe.expect(true, ""); }));
  EXPECT_EQ(accepted.verdict, Verdict::fail);
  EXPECT_EQ(accepted.message, "the property accepted its negative control");
  const CheckResult broken =
      run(property_of([](Probe& probe) { probe.expect(true, ""); }, 5,
                      [](Probe&) { throw std::out_of_range("a mistake in the control"); }));
  EXPECT_EQ(broken.verdict, Verdict::fail);
  EXPECT_NE(broken.message.find("something else than an assertion"), std::string::npos) << broken.message;
}

TEST(Runner, WithoutAControlChangedOutputsMustFail) {
  const auto arguments = [] {
    HostArguments made;
    made.inputs.emplace("x", Tensor::from(std::vector<double>{1, 2, 3}, {3}));
    return made;
  };
  const CheckResult sharp =
      run(property_of([&](Probe& probe) { probe.expect_reference("te.digamma", arguments()); }, 3, {}));
  EXPECT_EQ(sharp.verdict, Verdict::pass) << sharp.message;
  EXPECT_EQ(sharp.kind, CheckKind::oracle);
  EXPECT_EQ(sharp.against, "reference");
  const CheckResult blunt = run(property_of(
      [&](Probe& probe) {
        probe.run("te.digamma", arguments());
        probe.expect(true, "looks at nothing");
      },
      3, {}));
  EXPECT_EQ(blunt.verdict, Verdict::fail);
  EXPECT_EQ(blunt.message, "the property accepted outputs with one element changed");
}

TEST(Runner, VacuousIsNoPass) {
  const CheckResult nothing = run(property_of([](Probe&) {}));
  EXPECT_EQ(nothing.verdict, Verdict::vacuous);
  EXPECT_EQ(nothing.message, "50 cases ran and none asserted anything");
  const CheckResult discarded = run(property_of([](Probe& probe) {
    RC_PRE(false);
    probe.expect(true, "");
  }));
  EXPECT_EQ(discarded.verdict, Verdict::vacuous);
  EXPECT_NE(discarded.message.find("gave up"), std::string::npos) << discarded.message;
}

TEST(Runner, ExceptionsAreFailures) {
  const CheckResult result = run(property_of([](Probe&) { throw std::runtime_error("planted"); }));
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_NE(result.message.find("exception: planted"), std::string::npos);
}

TEST(Runner, NaNIsNeverWithin) {
  EXPECT_EQ(run(property_of([](Probe& probe) { probe.expect_within("", std::nan(""), 1); })).verdict,
            Verdict::fail);
  EXPECT_EQ(run(property_of([](Probe& probe) { probe.expect_within("", 0, std::nan("")); })).verdict,
            Verdict::fail);
}

TEST(Runner, AMissingBackendIsNotExecutedUnlessRequired) {
  const auto property = property_of([](Probe&) { throw BackendUnavailable("no device"); });
  EXPECT_EQ(run(property).verdict, Verdict::not_executed);
  EXPECT_EQ(run(property).message, "no device");
  const Property passing = property_of([](Probe& probe) { probe.expect(true, ""); });
  const CheckResult on_cuda = run_property({"te.knn", &passing, Backend::cuda}, {});
  EXPECT_EQ(on_cuda.verdict, cuda_available() ? Verdict::pass : Verdict::not_executed);
}

TEST(Runner, SelectsByPatternAndBackend) {
  std::vector<Suite> all;
  all.emplace_back("te.knn").property(property_of(fails));
  all.emplace_back("te.ksg").property(property_of(fails));
  EXPECT_EQ(select_jobs(all, "te.k*", {Backend::cpu}).size(), 2u);
  EXPECT_EQ(select_jobs(all, "te.ksg", {Backend::cpu}).size(), 1u);
  EXPECT_EQ(select_jobs(all, "nothing*", {Backend::cpu}).size(), 0u);
  EXPECT_EQ(select_jobs(all, "", {Backend::reference}).size(), 0u);
  Property slow = property_of(fails);
  slow.long_running = true;
  all.back().property(slow);
  EXPECT_EQ(select_jobs(all, "te.ksg", {Backend::cpu}).size(), 1u);
  EXPECT_EQ(select_jobs(all, "te.ksg", {Backend::cpu}, true).size(), 2u);
  EXPECT_TRUE(matches("te.range_count", "te.knn,te.r?nge*"));
  EXPECT_TRUE(matches("abcbc", "a*bc"));
  EXPECT_FALSE(matches("abcb", "a*bc"));
  EXPECT_FALSE(matches("te.ksg", "te.ks"));
}

TEST(Runner, KeepsItsBudget) {
  std::vector<Property> properties;
  for (int i = 0; i < 4; ++i) {
    properties.push_back(property_of(
        [](Probe& probe) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
          probe.expect(true, "");
        },
        100));
    properties.back().name += std::to_string(i);
  }
  std::vector<Job> jobs;
  for (const Property& property : properties) jobs.push_back({"test.operation", &property, Backend::cpu});
  const auto start = std::chrono::steady_clock::now();
  const auto results = run_jobs(jobs, {}, std::chrono::milliseconds(400), run_property);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_LT(seconds, 1.0);
  ASSERT_EQ(results.size(), 4u);
  for (const CheckResult& result : results) {
    EXPECT_EQ(result.verdict, Verdict::pass);
    EXPECT_GE(result.cases, 10);
  }
  const auto none = run_jobs(jobs, {}, std::chrono::milliseconds(0), run_property);
  EXPECT_EQ(none.back().verdict, Verdict::not_executed);
  EXPECT_EQ(none.back().message, "the budget left no time for it");
}

TEST(Runner, LooksAtEveryOperationBeforeItsBudgetEnds) {
  const Property property = property_of([](Probe& probe) { probe.expect(true, ""); }, 100);
  std::vector<Job> jobs;
  for (const char* operation : {"test.first", "test.second", "test.third"})
    for (int i = 0; i < 3; ++i) jobs.push_back({operation, &property, Backend::cpu});
  std::vector<std::string> order;
  const auto slow = [&](const Job& job, const RunOptions&) {
    order.push_back(job.operation);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CheckResult made;
    made.operation = job.operation;
    made.verdict = Verdict::pass;
    return made;
  };
  const auto results = run_jobs(jobs, {}, std::chrono::milliseconds(50), slow);
  ASSERT_GE(order.size(), 3u);
  EXPECT_EQ(std::set<std::string>(order.begin(), order.begin() + 3).size(), 3u);
  ASSERT_EQ(results.size(), jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(results[i].operation, jobs[i].operation);
  EXPECT_EQ(results[8].verdict, Verdict::not_executed);
}

}  // namespace
}  // namespace assay::validation
