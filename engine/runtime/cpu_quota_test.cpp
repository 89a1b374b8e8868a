#include "engine/runtime/cpu_quota.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

namespace assay {
namespace {

class CpuQuota : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(testing::TempDir()) /
            ("cpu_quota_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + "." +
             std::to_string(::getpid()));
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }
  std::filesystem::path root_;
};

TEST_F(CpuQuota, NoLimitIsNone) {
  EXPECT_EQ(cgroup_cpu_limit(root_, "0::/\n"), std::nullopt);
  write("cpu.max", "max 100000");
  EXPECT_EQ(cgroup_cpu_limit(root_, "0::/\n"), std::nullopt);
  EXPECT_EQ(cgroup_cpu_limit(root_, ""), std::nullopt);
  EXPECT_EQ(cgroup_cpu_limit(root_, "nonsense\n"), std::nullopt);
}

TEST_F(CpuQuota, Version2TakesTheSmallestOnTheWayUpAndRoundsUp) {
  write("a/b/cpu.max", "max 100000");
  write("a/cpu.max", "250000 100000");
  EXPECT_EQ(cgroup_cpu_limit(root_, "0::/a/b\n"), 3u);
  write("a/b/cpu.max", "50000 100000");
  EXPECT_EQ(cgroup_cpu_limit(root_, "0::/a/b\n"), 1u);
  EXPECT_EQ(cgroup_cpu_limit(root_, "0::/a\n"), 3u);
}

TEST_F(CpuQuota, Version2LooksAtTheRootWhereTheContainerMountsItsOwnGroupThere) {
  write("cpu.max", "400000 100000");
  EXPECT_EQ(cgroup_cpu_limit(root_, "0::/docker/0123\n"), 4u);
}

TEST_F(CpuQuota, Version1ReadsTheCpuControllersGroup) {
  write("cpu/x/cpu.cfs_quota_us", "150000");
  write("cpu/x/cpu.cfs_period_us", "100000");
  EXPECT_EQ(cgroup_cpu_limit(root_, "3:memory:/y\n4:cpu,cpuacct:/x\n"), 2u);
  write("cpu/x/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(cgroup_cpu_limit(root_, "4:cpu,cpuacct:/x\n"), std::nullopt);
  EXPECT_EQ(cgroup_cpu_limit(root_, "4:cpuset:/x\n"), std::nullopt);
}

TEST(UsableCpus, FollowsTheAffinityMask) {
  EXPECT_GE(usable_cpus(), 1u);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  // The mask is a thread's own: narrowed on a thread of this test's, it ends with it.
  std::thread([&] {
    int first = 0;
    while (!CPU_ISSET(first, &before)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(usable_cpus(), 1u);
  }).join();
}

}  // namespace
}  // namespace assay
