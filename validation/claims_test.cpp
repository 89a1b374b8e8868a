// Operations that break what they claim: each is found, and one that keeps it is accepted.

#include "validation/claims.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "validation/preconditions.hpp"
#include "validation/probe.hpp"
#include "validation/runner.hpp"

namespace assay::validation {
namespace {

using Body = std::function<void(std::span<const double> x, std::int64_t rows, std::span<double> y)>;

// y_r = sum of row r of x (rows, columns), plus an optional (rows) offset.
Operation row_sums(Body body) {
  Operation operation;
  operation.name = "test.row_sums";
  operation.inputs = {{"x", "numbers", {DType::f64}, "(rows, columns)"}};
  operation.outputs = {{"y", "sums", {DType::f64}, "(rows)"}};
  operation.parameters = {{"first", "number of the first row", ParameterType::integer, std::int64_t{0}}};
  operation.batches = {{.name = "rows", .inputs = {{"x", 0}}, .outputs = {{"y", 0}}}};
  operation.output_shapes = [](const Arguments& arguments) {
    return std::vector<OutputShape>{{"y", DType::f64, {arguments.input("x").extent(0)}}};
  };
  operation.run = [body = std::move(body)](Context&, const Arguments& arguments, const Outputs& outputs) {
    const ConstTensorView& x = arguments.input("x");
    body(x.as<double>(), x.extent(0), outputs.at("y").as<double>());
    for (double& value : outputs.at("y").as<double>())
      value += static_cast<double>(arguments.integer("first"));
  };
  return operation;
}

double sum_of(std::span<const double> row, std::size_t running_sums) {
  std::vector<double> sums(running_sums, 0.0);
  for (std::size_t i = 0; i < row.size(); ++i) sums[i % running_sums] += row[i];
  double sum = 0;
  for (const double each : sums) sum += each;
  return sum;
}

/// A body that adds row r with as many running sums as `how` says.
Body adding(std::function<std::size_t(std::int64_t row, std::int64_t rows)> how) {
  return [how = std::move(how)](auto x, std::int64_t rows, auto y) {
    const std::size_t columns = rows == 0 ? 0 : x.size() / static_cast<std::size_t>(rows);
    for (std::int64_t r = 0; r < rows; ++r)
      y[static_cast<std::size_t>(r)] =
          sum_of(x.subspan(static_cast<std::size_t>(r) * columns, columns), how(r, rows));
  };
}

HostArguments call_with(std::int64_t rows) {
  std::vector<double> x;
  for (std::int64_t i = 0; i < rows * 37; ++i) x.push_back(std::sin(static_cast<double>(i * i)));
  HostArguments arguments;
  arguments.inputs.emplace("x", Tensor::from(x, {rows, 37}));
  return arguments;
}

enum class Claimed { batch, reruns };

// Empty where the claim is kept over some cases; else why not.
std::string verdict(const Operation& operation, Claimed claimed, std::int64_t rows = 9) {
  Context context = Context::cpu(1);
  Record record;
  const Call call = [&](const HostArguments& arguments) {
    return run_checked(context, operation, arguments.view());
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CaseProbe probe(context, Backend::cpu, seed, record);
    HostArguments arguments = call_with(rows);
    arguments.parameters.emplace("first", std::int64_t{0});
    try {
      if (claimed == Claimed::batch)
        expect_batch_invariant(probe, call, arguments, operation.batches);
      else
        expect_deterministic(probe, call, arguments);
    } catch (const Failed& failure) {
      return failure.what();
    }
  }
  EXPECT_GT(record.assertions, 0);
  return "";
}

std::string batch_verdict(const Body& body, std::int64_t rows = 9) {
  return verdict(row_sums(body), Claimed::batch, rows);
}

TEST(Claims, ARowThatDependsOnItselfAloneIsAccepted) {
  for (const std::int64_t rows : {1, 2, 9})
    EXPECT_EQ(batch_verdict(adding([](auto, auto) { return 4; }), rows), "");
}

TEST(Claims, AnOrderThatFollowsTheNumberOfRowsIsFound) {
  // as where few rows are split among more threads each
  EXPECT_NE(batch_verdict(adding([](auto, std::int64_t rows) { return rows < 4 ? 8 : 1; })), "");
  // or only where there are very many: more than were drawn
  EXPECT_NE(batch_verdict(adding([](auto, std::int64_t rows) { return rows > 9 ? 8 : 1; })), "");
}

TEST(Claims, AnOrderThatFollowsTheRowsPlaceIsFound) {
  EXPECT_NE(batch_verdict(adding([](std::int64_t row, auto) { return row % 4 == 3 ? 2 : 1; })), "");
  // the last row of a tile, whatever lies behind it
  EXPECT_NE(
      batch_verdict(adding([](std::int64_t row, std::int64_t rows) { return row + 1 == rows ? 2 : 1; })), "");
}

TEST(Claims, ARowThatSeesItsNeighbourIsFound) {
  const Body leaking = [](auto x, std::int64_t rows, auto y) {
    adding([](auto, auto) { return 1; })(x, rows, y);
    for (std::size_t r = 1; r < y.size(); ++r) y[r] += x[r * 37 - 1] * 0x1p-52;
  };
  EXPECT_NE(batch_verdict(leaking), "");
}

TEST(Claims, TheMessageSaysWhichPartAndWhere) {
  const std::string said = batch_verdict(adding([](auto, std::int64_t rows) { return rows == 1 ? 8 : 1; }));
  EXPECT_NE(said.find("y of rows 0 of 9, alone, and in all of them: element 0 of (1) is"), std::string::npos)
      << said;
}

TEST(Claims, APartMayBeCountedFromAParameter) {
  Operation counted = row_sums([](auto x, std::int64_t rows, auto y) {
    adding([](auto, auto) { return 1; })(x, rows, y);
    for (std::size_t r = 0; r < y.size(); ++r) y[r] = std::floor(y[r]) + static_cast<double>(r);
  });
  EXPECT_NE(verdict(counted, Claimed::batch), "");  // it depends on the place
  counted.batches.front().counted_from = "first";
  EXPECT_EQ(verdict(counted, Claimed::batch), "");  // and the parameter says so
}

TEST(Claims, TwoAxesAreHeldTogether) {
  // y[s][t] = a[s] + b[t]; wrong only for one s and one t alone, which neither axis shows by itself.
  bool broken = false;
  Operation operation;
  operation.name = "test.pairs";
  operation.inputs = {{"a", "", {DType::f64}, "(m)"}, {"b", "", {DType::f64}, "(t)"}};
  operation.outputs = {{"y", "", {DType::f64}, "(m, t)"}};
  operation.output_shapes = [](const Arguments& arguments) {
    return std::vector<OutputShape>{
        {"y", DType::f64, {arguments.input("a").extent(0), arguments.input("b").extent(0)}}};
  };
  operation.run = [&](Context&, const Arguments& arguments, const Outputs& outputs) {
    const auto a = arguments.input("a").as<double>(), b = arguments.input("b").as<double>();
    for (std::size_t i = 0; i < a.size(); ++i)
      for (std::size_t j = 0; j < b.size(); ++j)
        outputs.at("y").as<double>()[i * b.size() + j] =
            a[i] + b[j] + (broken && a.size() * b.size() == 1 ? 1 : 0);
  };
  operation.batches = {{.name = "a", .inputs = {{"a", 0}}, .outputs = {{"y", 0}}},
                       {.name = "b", .inputs = {{"b", 0}}, .outputs = {{"y", 1}}}};
  const auto judged = [&] {
    Context context = Context::cpu(1);
    Record record;
    CaseProbe probe(context, Backend::cpu, 5, record);
    HostArguments arguments;
    arguments.inputs.emplace("a", Tensor::from(std::vector<double>{1, 2, 3}, {3}));
    arguments.inputs.emplace("b", Tensor::from(std::vector<double>{10, 20}, {2}));
    try {
      expect_batch_invariant(
          probe, [&](const HostArguments& given) { return run_checked(context, operation, given.view()); },
          arguments, operation.batches);
    } catch (const Failed& failure) {
      return std::string(failure.what());
    }
    return std::string();
  };
  EXPECT_EQ(judged(), "");
  broken = true;
  EXPECT_NE(judged().find("one part of each"), std::string::npos) << judged();
}

TEST(Claims, ADependenceOnTheRunIsFound) {
  EXPECT_EQ(verdict(row_sums(adding([](auto, auto) { return 1; })), Claimed::reruns), "");
  // The two runs of one call agree, which the preconditions compare; a later call does not.
  int runs = 0;
  const Body drifting = [&](auto x, std::int64_t rows, auto y) {
    const bool later = ++runs > 8;
    adding([&](auto, auto) { return later ? 2 : 1; })(x, rows, y);
  };
  EXPECT_NE(verdict(row_sums(drifting), Claimed::reruns), "");
}

TEST(Claims, EveryOperationThatClaimsHasItsProperties) {
  int batches = 0;
  for (const Suite& suite : suites()) {
    const Operation* operation = find_operation(suite.operation());
    ASSERT_NE(operation, nullptr);
    const auto has = [&](std::string_view name) {
      return std::any_of(suite.properties().begin(), suite.properties().end(),
                         [&](const Property& property) { return property.name == name; });
    };
    EXPECT_EQ(has("claim_deterministic"), operation->deterministic) << operation->name;
    EXPECT_EQ(has("claim_batch_invariant"), !operation->batches.empty()) << operation->name;
    EXPECT_TRUE(suite.drawn_calls()) << operation->name;
    batches += !operation->batches.empty();
  }
  EXPECT_GE(batches, 3);
}

TEST(Claims, ASuiteThatDrawsNoCallsOfWhatIsClaimedFails) {
  Suite suite("te.digamma");
  add_claim_properties(suite, *find_operation("te.digamma"));
  ASSERT_EQ(suite.properties().size(), 2u);
  for (const Property& property : suite.properties()) {
    const CheckResult result = run_property({"te.digamma", &property, Backend::cpu}, {});
    EXPECT_EQ(result.verdict, Verdict::fail);
    EXPECT_NE(result.message.find("its suite draws none"), std::string::npos) << result.message;
  }
}

TEST(Claims, WhatIsClaimedOfOneBackendIsHeldThereAlone) {
  Operation operation = row_sums(adding([](auto, auto) { return 1; }));
  operation.cuda_body = CudaBody::cuda_only;
  operation.batches.front().backends = {Backend::cpu};
  Suite suite(operation.name);
  add_claim_properties(suite, operation);
  ASSERT_EQ(suite.properties().size(), 1u);
  EXPECT_EQ(suite.properties().front().backends, std::vector<Backend>{Backend::cpu});
}

}  // namespace
}  // namespace assay::validation
