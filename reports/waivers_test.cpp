#include "reports/waivers.hpp"

#include "reports/test_inputs.hpp"

#include <gtest/gtest.h>

namespace assay::reports {
namespace {

RunRecord record_with(std::vector<Benchmark> benchmarks, std::vector<Check> checks) {
  RunRecord record;
  record.run = test::run();
  record.run.state = RunState::complete;
  record.benchmarks = std::move(benchmarks);
  record.checks = std::move(checks);
  return record;
}

class Waivers : public testing::Test {
 protected:
  GateResult judge(std::vector<Waiver> waivers) const {
    GateOptions options;
    options.waivers = std::move(waivers);
    return gate(now_, &before_, options);
  }

  RunRecord before_ = record_with({test::benchmark("n=1", 1e6), test::benchmark("n=2", 1e6)},
                                  {test::check("p"), test::check("q")});
  RunRecord now_ =
      record_with({test::benchmark("n=1", 2e6)}, {test::check("p", Verdict::fail), test::check("q")});
  const Waiver regressed_{"te.ksg/n=1/cpu", "#1", "2030-01-01"};
  const Waiver vanished_{"te.ksg/n=2/cpu", "#2", "2030-01-01"};
  const Waiver failed_{"te.ksg/p/cpu", "#3: the <b> bound", "2030-01-01"};
};

TEST_F(Waivers, LetOnlyWhatTheyNamePass) {
  EXPECT_EQ(judge({}).exit_code, 3);
  EXPECT_EQ(judge({failed_}).exit_code, 4);
  EXPECT_EQ(judge({failed_, regressed_}).exit_code, 6);
  const GateResult all = judge({failed_, regressed_, vanished_});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_EQ(all.count(GateVerdict::waived), 3);
  EXPECT_EQ(all.count(GateVerdict::regressed), 0);
  EXPECT_EQ(all.count(Verdict::fail), 1);  // the check itself is no better for it
  EXPECT_TRUE(all.unused_waivers.empty());
  EXPECT_EQ(all.headline(), "Green, with 3 waived reds");
  for (const GateItem& item : all.items) {
    if (item.key != "te.ksg/n=1/cpu") continue;
    EXPECT_TRUE(item.reason.starts_with("waived until 2030-01-01: #1 (regressed: ")) << item.reason;
    EXPECT_TRUE(item.ratio.has_value());
  }
}

TEST_F(Waivers, AreShownWithTheirReasonEverywhere) {
  const GateResult result = judge({failed_, regressed_, vanished_});
  EXPECT_NE(result.markdown().find("waived | check te.ksg/p/cpu"), std::string::npos) << result.markdown();
  EXPECT_NE(result.markdown().find("#3"), std::string::npos);
  ReportInput input;
  input.run = now_;
  input.gate = result;
  const std::string junit = junit_report(input);
  EXPECT_EQ(junit.find("<failure"), std::string::npos) << junit;
  EXPECT_NE(junit.find("waived until 2030-01-01: #3: the &lt;b&gt; bound"), std::string::npos) << junit;
  const std::string page = html_report(input);
  EXPECT_NE(page.find("waived until 2030-01-01: #3: the &lt;b&gt; bound"), std::string::npos);
  EXPECT_NE(page.find("<li class=\"tile warn\"><b>3</b> <span>waived</span></li>"), std::string::npos);
}

TEST_F(Waivers, ThatMeetNothingAreReported) {
  const Waiver green{"te.ksg/q/cpu", "#4", "2030-01-01"}, unknown{"te.ksg/r/cpu", "#5", "2030-01-01"};
  const GateResult result = judge({failed_, regressed_, vanished_, green, unknown});
  EXPECT_EQ(result.exit_code, 0);
  ASSERT_EQ(result.unused_waivers.size(), 2u);
  EXPECT_NE(result.unused_waivers[0].find("te.ksg/q/cpu"), std::string::npos);
  EXPECT_NE(result.markdown().find("te.ksg/r/cpu"), std::string::npos);
}

TEST_F(Waivers, DoNotReachTheRunAsAWhole) {
  const GateResult alone = [&] {
    GateOptions options;
    options.waivers = {{now_.run.id, "no baseline", "2030-01-01"}};
    return gate(record_with({}, {test::check("p")}), nullptr, options);
  }();
  EXPECT_EQ(alone.exit_code, 6);
  now_.run.state = RunState::interrupted;
  EXPECT_EQ(
      judge({failed_, regressed_, vanished_, {now_.run.id, "it was cut short", "2030-01-01"}}).exit_code, 7);
}

}  // namespace
}  // namespace assay::reports
