#include "benchmarks/runner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "benchmarks/ceilings.hpp"

namespace assay::benchmarks {
namespace {

Case digamma_case() {
  return {.label = "n=1000",
          .size = 1000,
          .make =
              [](std::uint64_t seed) {
                std::vector<double> x(1000);
                for (std::size_t i = 0; i < x.size(); ++i)
                  x[i] = 0.5 + static_cast<double>((seed + i * 7919) % 5000);
                HostArguments arguments;
                arguments.inputs.emplace("x", Tensor::from(x, {1000}));
                return arguments;
              },
          .ceiling = "memory"};
}

const std::vector<Ceiling> ceilings = {{"copy rate", 10.0, "GB/s", "given"},
                                       {"fma rate", 20.0, "GFLOP/s", "given"}};

TEST(Runner, MeasuresACheckedCase) {
  Context context = Context::cpu(2);
  const Measurement made =
      measure(context, *find_operation("te.digamma"), digamma_case(), ceilings, {.seconds = 0.02});
  EXPECT_EQ(made.failure, "");
  EXPECT_TRUE(made.checked);
  ASSERT_GE(made.samples_ns.size(), 3u);
  EXPECT_GT(made.median_ns(), 0);
  EXPECT_EQ(made.bytes, 16000.0);
  EXPECT_NEAR(made.roofline_share, made.bytes / 10.0 / made.median_ns(), 1e-12);
  EXPECT_TRUE(made.telemetry.contains("cpu_ns_per_call"));
}

TEST(Runner, AWrongAnswerGetsNoTime) {
  Context context = Context::cpu(1);
  Operation wrong = *find_operation("te.digamma");
  wrong.run = [](Context&, const Arguments&, const Outputs& outputs) {
    for (double& value : outputs.at("psi").as<double>()) value = 0;
  };
  const Measurement made = measure(context, wrong, digamma_case(), ceilings, {.seconds = 0.02});
  EXPECT_FALSE(made.checked);
  EXPECT_TRUE(made.samples_ns.empty());
  EXPECT_NE(made.failure.find("psi"), std::string::npos) << made.failure;
}

TEST(Runner, AnAnswerThatChangesWhileItIsTimedIsRejected) {
  Context context = Context::cpu(1);
  Operation drifting = *find_operation("te.digamma");
  int calls = 0;
  drifting.run = [&calls, right = drifting.run](Context& on, const Arguments& arguments,
                                                const Outputs& outputs) {
    right(on, arguments, outputs);
    if (++calls > 3) outputs.at("psi").as<double>()[7] += 1e-3;
  };
  const Measurement made = measure(context, drifting, digamma_case(), ceilings, {.seconds = 0.02});
  EXPECT_FALSE(made.checked);
  EXPECT_TRUE(made.samples_ns.empty());
  EXPECT_NE(made.failure.find("changed while it was timed"), std::string::npos) << made.failure;
}

TEST(Runner, AFilterThatMatchesNothingRunsNothing) {
  Context context = Context::cpu(1);
  const Options none{.wanted = [](const std::string& operation) { return operation == "no.such"; }};
  EXPECT_TRUE(names(none, Backend::cpu).empty());
  EXPECT_TRUE(run(context, none).empty());
}

TEST(Runner, ListsEveryOperation) {
  const std::vector<std::string> listed = names({}, Backend::cpu);
  for (const Operation& operation : operations())
    EXPECT_TRUE(std::any_of(listed.begin(), listed.end(),
                            [&](const std::string& name) { return name.starts_with(operation.name + "/"); }))
        << operation.name << " has no benchmark case";
}

TEST(Labels, NameTheAxes) {
  using Axes = std::map<std::string, double>;
  EXPECT_EQ(axes_of("variables=20,n=1000,search=tree"), (Axes{{"variables", 20}, {"n", 1000}}));
  EXPECT_EQ(axes_of("p=0.5,=3,q=,r=1x,plain"), (Axes{{"p", 0.5}}));
  EXPECT_TRUE(axes_of("").empty());
}

TEST(Runner, RecordsAxesAndWhatAutoCameTo) {
  Context context = Context::cpu(1);
  Operation choosing = *find_operation("te.digamma");
  choosing.choices = [](Backend, const Arguments&) {
    return std::map<std::string, std::string>{{"search", "tree"}};
  };
  const Measurement made = measure(context, choosing, digamma_case(), ceilings, {.seconds = 0.01});
  EXPECT_EQ(made.axes, (std::map<std::string, double>{{"n", 1000}}));
  EXPECT_EQ(made.size_name, "N");
  EXPECT_EQ(made.chosen.at("search"), "tree");
}

TEST(Suites, PredictAlongAxesThatTheirCasesHave) {
  for (const Suite& suite : suites())
    for (const Scaling& scaling : suite.scalings()) {
      EXPECT_FALSE(scaling.why.empty());
      EXPECT_TRUE(std::any_of(suite.cases().begin(), suite.cases().end(),
                              [&](const Case& item) { return axes_of(item.label).contains(scaling.axis); }))
          << suite.operation() << " " << scaling.axis;
    }
}

TEST(Ceilings, FloorIsTheWorkOverTheRate) {
  EXPECT_DOUBLE_EQ(floor_ns(ceilings, "memory", 100, 500), 50);
  EXPECT_DOUBLE_EQ(floor_ns(ceilings, "compute", 100, 500), 5);
  EXPECT_DOUBLE_EQ(floor_ns(ceilings, "none", 100, 500), 0);
}

TEST(Ceilings, TheCpuHasThemAndTheyArePlausible) {
  Context context = Context::cpu(2);
  const auto measured = measure_ceilings(context);
  ASSERT_EQ(measured.size(), 2u);
  EXPECT_GT(measured[0].value, 0.5);   // GB/s: slower than any memory that runs this program
  EXPECT_LT(measured[0].value, 5000);  // and no faster than the fastest
  EXPECT_GT(measured[1].value, 0.1);
}

TEST(MeasurementMedian, IsTheMiddle) {
  Measurement made;
  EXPECT_EQ(made.median_ns(), 0);
  made.samples_ns = {3, 1, 2};
  EXPECT_EQ(made.median_ns(), 2);
  made.samples_ns = {4, 1, 2, 3};
  EXPECT_EQ(made.median_ns(), 2.5);
}

}  // namespace
}  // namespace assay::benchmarks
