#include "reports/record.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "reports/test_records.hpp"

namespace assay::reports {
namespace {

using nlohmann::json;

template <typename T>
void expect_round_trip(const T& value) {
  const std::string text = json(value).dump();
  EXPECT_EQ(json::parse(text).get<T>(), value) << text;
}

TEST(Record, EveryStructSurvivesJson) {
  const RunRecord full = test::full_record();
  expect_round_trip(full.run);
  expect_round_trip(full.run.environment);
  expect_round_trip(full.operations[0]);
  expect_round_trip(full.checks[0]);
  expect_round_trip(*full.checks[0].table);
  expect_round_trip(full.checks[0].series[0]);
  expect_round_trip(full.checks[0].samples[0]);
  expect_round_trip(full.benchmarks[0]);
  expect_round_trip(full.benchmarks[0].ceilings[0]);
  expect_round_trip(full.mutants[0]);
  expect_round_trip(full.operations[0].scalings[0]);
}

TEST(Record, DefaultsSurviveJson) {
  reports::Run run;
  run.id = "x";
  expect_round_trip(run);
  Check check;
  expect_round_trip(check);
  expect_round_trip(Benchmark{});
  expect_round_trip(Mutant{});
  expect_round_trip(OperationInfo{});
}

TEST(Record, NonFiniteNumbersSurviveJson) {
  Check check = test::check("p", Verdict::fail);
  check.observed_error = std::numeric_limits<double>::infinity();
  check.utilisation = std::numeric_limits<double>::quiet_NaN();
  check.allowed_error = -std::numeric_limits<double>::infinity();
  const auto back = json::parse(json(check).dump()).get<Check>();
  EXPECT_EQ(back.observed_error, check.observed_error);
  EXPECT_EQ(back.allowed_error, check.allowed_error);
  ASSERT_TRUE(back.utilisation.has_value());
  EXPECT_TRUE(std::isnan(*back.utilisation));
}

TEST(Record, UnknownKeysAreIgnoredAndNullIsMissing) {
  const auto check = json::parse(R"({"operation":"a","name":"b","backend":"cpu","verdict":"pass",
                                    "utilisation":null,"a later field":[1,2]})")
                         .get<Check>();
  EXPECT_EQ(check.verdict, Verdict::pass);
  EXPECT_FALSE(check.utilisation.has_value());
}

TEST(Record, WhatIsNoRecordIsRefused) {
  EXPECT_THROW(json::parse(R"({"operation":"a","name":"b","backend":"c"})").get<Check>(), json::exception);
  EXPECT_THROW(json::parse(R"({"operation":"a","name":"b","backend":"c","verdict":"maybe"})").get<Check>(),
               std::invalid_argument);
  EXPECT_THROW(
      json::parse(R"({"operation":"a","label":"b","backend":"c","median_ns":"fast"})").get<Benchmark>(),
      std::invalid_argument);
  EXPECT_THROW(json::parse(R"({"title":"t","columns":["a","b"],"rows":[["1"]]})").get<Table>(),
               std::invalid_argument);
  EXPECT_THROW(json::parse(R"({"name":"s","points":[[1,2]],"y_error":[1,2]})").get<Series>(),
               std::invalid_argument);
  EXPECT_THROW(json::parse(R"({"started_at":"now"})").get<reports::Run>(), json::exception);
}

TEST(Record, NamesOfEnumerationsAreParsedBack) {
  for (int i = 0; i < verdict_count; ++i) {
    const auto verdict = static_cast<Verdict>(i);
    EXPECT_EQ(parse_verdict(to_string(verdict)), verdict);
  }
  EXPECT_EQ(parse_check_kind("mutant-control"), CheckKind::mutant_control);
  EXPECT_EQ(parse_run_state("interrupted"), RunState::interrupted);
  EXPECT_EQ(parse_validity("invalid"), Validity::invalid);
  EXPECT_EQ(parse_mutant_status("not_reached"), MutantStatus::not_reached);
  EXPECT_EQ(parse_verdict("green"), std::nullopt);
  EXPECT_EQ(to_string(static_cast<Verdict>(99)), "unknown");
}

TEST(Record, KeysNameARecordAcrossRuns) {
  Check check = test::check("symmetry");
  EXPECT_EQ(check_key(check), "te.ksg/symmetry/cpu");
  check.kind = CheckKind::golden;
  EXPECT_EQ(check_key(check), "te.ksg/golden:symmetry/cpu");
  Benchmark benchmark = test::benchmark("n=10", 1.0);
  EXPECT_EQ(benchmark_key(benchmark), "te.ksg/n=10/cpu");
  benchmark.peer = "jidt";
  EXPECT_EQ(benchmark_key(benchmark), "te.ksg/n=10/cpu@jidt");
}

TEST(Record, OnlyMissedAndUnreachedMutantsAreNotCaught) {
  EXPECT_TRUE(counts_as_caught(MutantStatus::caught));
  EXPECT_TRUE(counts_as_caught(MutantStatus::crashed));
  EXPECT_TRUE(counts_as_caught(MutantStatus::timeout));
  EXPECT_FALSE(counts_as_caught(MutantStatus::missed));
  EXPECT_FALSE(counts_as_caught(MutantStatus::not_reached));
}

TEST(Fingerprint, EveryComparableFactDecides) {
  const Environment base = test::environment();
  std::set<std::string> seen{base.fingerprint()};
  for (const auto& key : fingerprint_keys()) {
    Environment other = base;
    other.facts[key] = "something else";
    EXPECT_TRUE(seen.insert(other.fingerprint()).second) << key;
  }
}

TEST(Fingerprint, OtherFactsDoNot) {
  Environment other = test::environment();
  other.facts["hostname"] = "bench-2";
  other.facts["os"] = "Debian 12.1";
  EXPECT_EQ(other.fingerprint(), test::environment().fingerprint());
  other.facts.erase("device");  // a machine without a device may say so or say nothing
  EXPECT_EQ(other.fingerprint(), test::environment().fingerprint());
}

TEST(Fingerprint, IsStableAndCannotRunTogether) {
  EXPECT_TRUE(std::regex_match(test::environment().fingerprint(), std::regex("[0-9a-f]{16}")));
  Environment a, b;
  a.facts = {{"compiler", "x\nflags=1:y"}};
  b.facts = {{"compiler", "x"}, {"flags", "y"}};
  EXPECT_NE(a.fingerprint(), b.fingerprint());
  EXPECT_EQ(a.get("flags"), "");
  EXPECT_EQ(b.get("flags"), "y");
}

TEST(Record, IdsAndTimesHaveTheirForm) {
  const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const std::string id = make_run_id();
    EXPECT_TRUE(std::regex_match(id, uuid)) << id;
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 100u);
  EXPECT_TRUE(std::regex_match(utc_now(), std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")))
      << utc_now();
}

}  // namespace
}  // namespace assay::reports
