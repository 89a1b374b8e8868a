#include <gtest/gtest.h>

#include <set>

#include "validation/calibrate.hpp"
#include "validation/runner.hpp"

namespace assay::validation {
namespace {

// The reference gives doubles where the bodies give floats: a property that can read only those is red on it,
// and says nothing of a reference that is wrong. Negative controls are held too.
TEST(OnTheReference, PropertiesOfFloatsHold) {
  RunOptions options;
  options.cases = 3;
  const std::vector<Suite> all = suites();
  std::set<std::string> families;
  for (const Job& job : random_jobs(all, "dense.*,sampling.*,quant.*", {Backend::reference})) {
    const CheckResult result = run_property(job, options);
    EXPECT_EQ(result.verdict, Verdict::pass) << job.name() << ": " << result.message;
    families.insert(family_of(job.operation));
  }
  EXPECT_TRUE(families.contains("sampling"));
  EXPECT_TRUE(families.contains("quant"));
}

}  // namespace
}  // namespace assay::validation
