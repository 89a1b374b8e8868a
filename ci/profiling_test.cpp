#include "ci/program/profiling.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "ci/test_process.hpp"

namespace assay::program {
namespace {

// Two kernels as Nsight Compute 2025.3 prints them, and what the program says before.
const char* const csv =
    "case te.ksg/n=10000,k=4\n"
    "==PROF== Connected to process 1\n"
    "\"ID\",\"Kernel Name\",\"gpu__time_duration.sum\",\"sm__inst_issued.avg.pct_of_peak_sustained_active\","
    "\"dram__throughput.avg.pct_of_peak_sustained_elapsed\",\"lts__throughput.avg.pct_of_peak_sustained_"
    "elapsed\","
    "\"sm__warps_active.avg.pct_of_peak_sustained_active\",\"launch__registers_per_thread\"\n"
    "\"\",\"\",\"ns\",\"%\",\"%\",\"%\",\"%\",\"register/thread\"\n"
    "\"0\",\"void assay::kernels::windows::<unnamed>::sweep_pairs<(int)4, "
    "(bool)0>(Task)\",\"1,774,688\",\"40.25\","
    "\"6.43\",\"92.78\",\"92.80\",\"64\"\n"
    "\"1\",\"assay::kernels::lists::<unnamed>::walk(Task)\",\"225,312\",\"82.00\",\"5.00\",\"10.00\",\"37."
    "50\",\"80\"\n";

TEST(Profile, ReadsWhatTheProfilerPrints) {
  const std::vector<KernelProfile> kernels = parse_profile(csv);
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].name, "windows::sweep_pairs<4, 0>");
  EXPECT_DOUBLE_EQ(kernels[0].microseconds, 1774.688);
  EXPECT_DOUBLE_EQ(kernels[0].l2, 92.78);
  EXPECT_EQ(kernels[0].bound(), "L2");
  EXPECT_EQ(kernels[1].name, "lists::walk");
  EXPECT_EQ(kernels[1].registers, 80);
  EXPECT_EQ(kernels[1].bound(), "instructions");
  EXPECT_EQ(KernelProfile{.compute = 59}.bound(), "latency");
}

TEST(Profile, TheTableHasTheSlowestFirstAndTheSum) {
  std::vector<KernelProfile> kernels = parse_profile(csv);
  std::swap(kernels[0], kernels[1]);
  kernels.push_back(kernels[0]);
  const std::string table = profile_table(kernels);
  EXPECT_LT(table.find("windows::sweep_pairs"), table.find("lists::walk"));
  EXPECT_NE(table.find("1774.7 us   80 %"), std::string::npos) << table;
  EXPECT_NE(table.find("2225.3 us"), std::string::npos) << table;
}

TEST(Profile, WhatIsNoProfileIsRefused) {
  EXPECT_TRUE(parse_profile("").empty());
  EXPECT_THROW((void)parse_profile("\"ID\",\"Kernel Name\"\n\"\",\"\"\n\"0\",\"k\"\n"), std::runtime_error);
  EXPECT_THROW((void)parse_profile("\"ID\",\"Kernel Name\"\n\"\"\n"), std::runtime_error);
}

class BenchCase : public InFolder {};

TEST_F(BenchCase, OneCallOfACaseRunsByItsName) {
  EXPECT_EQ(run({"bench", "--case", "te.digamma/n=10000", "--once", "--backend", "cpu"}).code, 0);
  const Outcome unknown = run({"bench", "--case", "te.digamma/n=7", "--once", "--backend", "cpu"});
  EXPECT_EQ(unknown.code, 6);
  EXPECT_NE(unknown.err.find("no case is called 'te.digamma/n=7'"), std::string::npos) << unknown.err;
  EXPECT_EQ(run({"bench", "--once"}).code, 2);
}

TEST_F(BenchCase, ItAloneIsMeasured) {
  const std::vector<std::string> command{"bench",     "--quick", "--seconds", "0.02",
                                         "--backend", "cpu",     "--json",    "--case"};
  const auto with = [&](const char* name) {
    std::vector<std::string> whole = command;
    whole.emplace_back(name);
    return whole;
  };
  const nlohmann::json measured = document(with("te.digamma/n=100000"));
  ASSERT_EQ(measured["benchmarks"].size(), 1u);
  EXPECT_EQ(measured["benchmarks"][0]["name"], "te.digamma/n=100000/cpu");
  EXPECT_EQ(run(with("te.digamma/n=7")).code, 6);
}

TEST_F(BenchCase, AProfileWithoutAProfilerSaysSo) {
  const Outcome outcome = run({"bench", "--case", "te.digamma/n=10000", "--profile"}, {{"PATH", "/nowhere"}});
  if (fs::exists("/usr/local/cuda/bin/ncu")) GTEST_SKIP() << "not executed: the profiler is installed";
  EXPECT_EQ(outcome.code, 7);
  EXPECT_NE(outcome.err.find("Nsight Compute (ncu) is not installed here"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace assay::program
