#include "engine/operation.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/runtime/error.hpp"

namespace assay {
namespace {

ParameterInfo parameter(std::string name, ParameterType type) {
  ParameterInfo info;
  info.name = std::move(name);
  info.summary = "a parameter of that type";
  info.type = type;
  return info;
}

// A parameter of each type and an input each that may and that must be given: enough of a description to show
// what `resolve` does with one. It computes nothing.
Operation described() {
  Operation operation;
  operation.name = "test.described";
  operation.inputs = {{"x", "numbers", {DType::f32, DType::f64}, "(n)"},
                      {"lengths", "rows of each trial", {DType::i64}, "(trials)", true}};
  ParameterInfo k = parameter("k", ParameterType::integer);
  k.minimum = 1;
  ParameterInfo noise = parameter("noise", ParameterType::real);
  noise.fallback = 0.5;
  noise.maximum = 1;
  ParameterInfo strict = parameter("strict", ParameterType::flag);
  strict.fallback = true;
  ParameterInfo search = parameter("search", ParameterType::text);
  search.fallback = std::string("sorted");
  search.choices = {"sorted", "tree"};
  ParameterInfo delays = parameter("delays", ParameterType::integers);
  delays.fallback = std::vector<std::int64_t>{1};
  delays.minimum = 0;
  delays.maximum = 9;
  operation.parameters = {k, noise, strict, search, delays};
  return operation;
}

const std::vector<double> numbers = {1, 2, 3};

Arguments complete() {
  Arguments arguments;
  arguments.inputs.emplace("x", view_of(numbers.data(), {3}));
  arguments.parameters.emplace("k", std::int64_t{4});
  return arguments;
}

Arguments with(const std::string& name, Value value) {
  Arguments arguments = complete();
  arguments.parameters.insert_or_assign(name, std::move(value));
  return arguments;
}

template <typename Call>
std::string refusal_of(const Call& call) {
  try {
    call();
  } catch (const ContractError& error) {
    return error.what();
  }
  return "accepted";
}

void expect_refused(const Arguments& arguments, const std::string& expected) {
  const std::string refusal = refusal_of([&] { resolve(described(), arguments); });
  EXPECT_TRUE(refusal.starts_with("test.described: ")) << refusal;
  EXPECT_NE(refusal.find(expected), std::string::npos) << refusal << "\nexpected: " << expected;
}

TEST(Resolve, FillsInDefaultsAndKeepsWhatIsGiven) {
  const Arguments resolved = resolve(described(), with("search", std::string("tree")));
  EXPECT_EQ(resolved.integer("k"), 4);
  EXPECT_EQ(resolved.real("noise"), 0.5);
  EXPECT_TRUE(resolved.flag("strict"));
  EXPECT_EQ(resolved.text("search"), "tree");
  EXPECT_EQ(resolved.integers("delays"), (std::vector<std::int64_t>{1}));
  EXPECT_FALSE(resolved.has("lengths"));
}

TEST(Resolve, NamesWhatIsUnknownOrMissing) {
  Arguments extra = complete();
  extra.inputs.emplace("y", view_of(numbers.data(), {3}));
  expect_refused(extra, "y: is no input; expected: x, lengths");
  Arguments less = complete();
  less.inputs.clear();
  expect_refused(less, "x: is missing; expected (n), numbers");
  Arguments integers = complete();
  const std::vector<std::int64_t> whole = {1, 2, 3};
  integers.inputs.insert_or_assign("x", view_of(whole.data(), {3}));
  expect_refused(integers, "x: holds i64; expected f32 or f64");
  expect_refused(with("q", true), "q: is no parameter; expected: k, noise, strict, search, delays");
  less = complete();
  less.parameters.clear();
  expect_refused(less, "k: is missing; a parameter of that type");
}

TEST(Resolve, RefusesValuesOfAnotherTypeOutOfRangeOrUnknown) {
  expect_refused(with("k", std::int64_t{0}), "k: is 0; expected an integer of at least 1");
  expect_refused(with("k", 4.0), "expected an integer");
  expect_refused(with("noise", 1.5), "noise: is 1.5; expected a number of at most 1");
  expect_refused(with("noise", std::numeric_limits<double>::quiet_NaN()), "noise: is nan");
  expect_refused(with("noise", std::int64_t{1}), "noise: is '1'; expected a number");
  expect_refused(with("strict", std::string("true")), "strict: is 'true'; expected true or false");
  expect_refused(with("search", std::string("hash")), "search: is 'hash'; expected one of: sorted, tree");
  expect_refused(with("search", false), "search: is 'false'; expected a word");
  expect_refused(with("delays", std::vector<std::int64_t>{0, 9, 10}),
                 "delays: is 10; expected integers separated by commas from 0 to 9");
  expect_refused(with("delays", std::int64_t{3}), "delays: is '3'; expected integers separated by commas");
}

Value parsed(const std::string& name, std::string_view text) {
  const Operation operation = described();
  for (const ParameterInfo& info : operation.parameters)
    if (info.name == name) return parse_value(operation, info, text);
  throw std::out_of_range(name);
}

TEST(ParseValue, ReadsEachType) {
  EXPECT_EQ(parsed("k", "-12"), Value(std::int64_t{-12}));
  EXPECT_EQ(parsed("noise", "1e-3"), Value(1e-3));
  for (const char* yes : {"true", "1"}) EXPECT_EQ(parsed("strict", yes), Value(true));
  for (const char* no : {"false", "0"}) EXPECT_EQ(parsed("strict", no), Value(false));
  EXPECT_EQ(parsed("search", "tree"), Value(std::string("tree")));
  EXPECT_EQ(parsed("delays", "1,2,-3"), Value(std::vector<std::int64_t>{1, 2, -3}));
  EXPECT_EQ(parsed("delays", ""), Value(std::vector<std::int64_t>{}));
}

TEST(ParseValue, RefusesWhatIsNotWhollyOfTheType) {
  const auto refused = [](const char* name, const char* text) {
    return refusal_of([&] { parsed(name, text); });
  };
  EXPECT_NE(refused("k", "4.5").find("k: is '4.5'; expected an integer"), std::string::npos);
  EXPECT_NE(refused("k", "99999999999999999999").find("expected an integer"), std::string::npos);
  EXPECT_NE(refused("noise", "1e").find("noise: is '1e'; expected a number"), std::string::npos);
  EXPECT_NE(refused("strict", "yes").find("strict: is 'yes'; expected true or false"), std::string::npos);
  EXPECT_NE(refused("delays", "1,,2").find("expected integers separated by commas"), std::string::npos);
}

// What an operation says of itself has to lead to a call of it: shapes of its outputs, its work.
TEST(Operations, ComputeThroughTheirDescription) {
  const Operation* knn = find_operation("te.knn");
  ASSERT_NE(knn, nullptr);
  EXPECT_EQ(find_operation("te.kn"), nullptr);
  const std::vector<double> points = {0, 1, 3, 7, 20};
  Arguments arguments;
  arguments.inputs.emplace("points", view_of(points.data(), {5, 1}));
  arguments.parameters.emplace("k", std::int64_t{1});
  Context context = Context::cpu(1);
  const auto outputs = run_on_host(context, *knn, arguments);
  EXPECT_EQ(outputs.at("distances").shape(), (Shape{5, 1}));
  const auto distances = outputs.at("distances").as<double>();
  EXPECT_EQ(std::vector<double>(distances.begin(), distances.end()), (std::vector<double>{1, 1, 2, 4, 13}));
  const auto indices = outputs.at("indices").as<std::int64_t>();
  EXPECT_EQ(std::vector<std::int64_t>(indices.begin(), indices.end()),
            (std::vector<std::int64_t>{1, 0, 1, 2, 3}));

  const Operation* embed = find_operation("te.embed");
  ASSERT_NE(embed, nullptr);
  const std::vector<double> series = {1, 2, 3, 4};
  Arguments delayed;
  delayed.inputs.emplace("series", view_of(series.data(), {4, 1}));
  const std::map<std::string, std::int64_t> lags = {
      {"columns", 0}, {"histories", 2}, {"taus", 2}, {"delays", 0}};
  for (const auto& [name, value] : lags) delayed.parameters.emplace(name, std::vector<std::int64_t>{value});
  const auto embedded = run_on_host(context, *embed, delayed);
  const auto rows = embedded.at(embed->outputs.front().name).as<double>();
  EXPECT_EQ(std::vector<double>(rows.begin(), rows.end()), (std::vector<double>{3, 1, 4, 2}));
}

}  // namespace
}  // namespace assay
