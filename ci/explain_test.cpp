#include <gtest/gtest.h>

#include "ci/test_process.hpp"
#include "reports/comparison/comparison.hpp"
#include "reports/gate.hpp"
#include "reports/record.hpp"
#include "validation/mutate.hpp"

namespace assay::program {
namespace {

class Explain : public InFolder {};

// Every word that a check, a gate or a mutant may come to has an explanation.
TEST_F(Explain, KnowsEveryVerdict) {
  std::vector<std::string> words;
  for (int verdict = 0; verdict <= static_cast<int>(reports::Verdict::timeout); ++verdict)
    words.emplace_back(reports::to_string(static_cast<reports::Verdict>(verdict)));
  for (int verdict = 0; verdict <= static_cast<int>(reports::GateVerdict::same); ++verdict)
    words.emplace_back(reports::to_string(static_cast<reports::GateVerdict>(verdict)));
  for (int verdict = 0; verdict <= static_cast<int>(reports::ComparisonVerdict::same); ++verdict)
    words.emplace_back(reports::to_string(static_cast<reports::ComparisonVerdict>(verdict)));
  for (int status = 0; status <= static_cast<int>(validation::MutantStatus::not_executed); ++status)
    words.emplace_back(validation::name_of(static_cast<validation::MutantStatus>(status)));
  for (const std::string& word : words) {
    const Outcome outcome = run({"explain", word});
    EXPECT_EQ(outcome.code, 0) << word << ": " << outcome.err;
    EXPECT_EQ(outcome.out.substr(0, word.size()), word);
  }
  const Outcome all = run({"explain"});
  EXPECT_EQ(all.code, 0);
  for (const std::string& word : words) EXPECT_NE(all.out.find(word), std::string::npos) << word;
}

TEST_F(Explain, SuggestsWhatWasMeant) {
  const Outcome outcome = run({"explain", "vacous"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "assay explain: no verdict is called 'vacous', did you mean 'vacuous'?\n");
  EXPECT_EQ(outcome.out, "");
}

}  // namespace
}  // namespace assay::program
