#include "engine/te/embed.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/runtime/error.hpp"

namespace assay::te {
namespace {

/// Row t, column c holds 100 t + c: a value says where it came from.
Tensor series(std::int64_t rows, std::int64_t columns) {
  std::vector<double> values;
  for (std::int64_t t = 0; t < rows; ++t)
    for (std::int64_t c = 0; c < columns; ++c) values.push_back(static_cast<double>(100 * t + c));
  return Tensor::from(values, {rows, columns});
}

TEST(Embed, LagsOfEveryVariableInOrder) {
  Context context = Context::cpu(1);
  const std::vector<EmbeddedVariable> variables{{.column = 1, .history = 1, .tau = 1, .delay = 0},
                                                {.column = 0, .history = 2, .tau = 3, .delay = 2},
                                                {.column = 2, .history = 0, .tau = 9, .delay = 50}};
  EXPECT_EQ(embedding_reach(variables), 5);
  Tensor embedded(DType::f64, {3, 3}), times(DType::i64, {3});
  embed(context, assay::as_const(series(8, 3).view()), {}, variables, embedded.view(), times.view());
  const double expected[] = {501, 300, 0, 601, 400, 100, 701, 500, 200};
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(embedded.as<double>()[i], expected[i]) << i;
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(times.as<std::int64_t>()[i], static_cast<std::int64_t>(5 + i));
}

TEST(Embed, NeverCrossesATrial) {
  Context context = Context::cpu(2);
  const std::vector<EmbeddedVariable> variables{{.column = 0, .history = 2, .tau = 1, .delay = 1}};
  const std::vector<std::int64_t> trials{3, 2, 1, 4};
  EXPECT_EQ(embedded_trial_lengths(trials, 2), (std::vector<std::int64_t>{1, 0, 0, 2}));
  Tensor embedded(DType::f64, {3, 2}), times(DType::i64, {3});
  embed(context, assay::as_const(series(10, 1).view()), trials, variables, embedded.view(), times.view());
  const double expected[] = {100, 0, 700, 600, 800, 700};
  const std::int64_t at[] = {2, 8, 9};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(embedded.as<double>()[i], expected[i]) << i;
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(times.as<std::int64_t>()[i], at[i]);
}

TEST(Embed, TooShortASeriesGivesNoObservation) {
  Context context = Context::cpu(1);
  const std::vector<EmbeddedVariable> variables{{.column = 0, .history = 2, .tau = 5, .delay = 0}};
  Tensor embedded(DType::f64, {0, 2}), times(DType::i64, {0});
  EXPECT_NO_THROW(
      embed(context, assay::as_const(series(5, 1).view()), {}, variables, embedded.view(), times.view()));
}

std::string refusal(const std::vector<EmbeddedVariable>& variables,
                    const std::vector<std::int64_t>& trials = {}) {
  Context context = Context::cpu(1);
  Tensor embedded(DType::f64, {10, 1}), times(DType::i64, {10});
  try {
    embed(context, assay::as_const(series(10, 2).view()), trials, variables, embedded.view(), times.view());
  } catch (const ContractError& error) {
    return error.what();
  }
  return "";
}

TEST(Embed, RefusesBrokenContracts) {
  EXPECT_EQ(refusal({{.column = 1}}), "");
  EXPECT_EQ(refusal({{.column = 2}}), "te.embed: columns: of variable 0 is 2; expected 0 to 1");
  EXPECT_EQ(refusal({{.column = 0}, {.column = 0, .history = -1}}),
            "te.embed: histories: of variable 1 is -1; expected 0 to 1000000000");
  EXPECT_EQ(refusal({{.column = 0, .tau = 0}}),
            "te.embed: taus: of variable 0 is 0; expected 1 to 1000000000");
  EXPECT_EQ(refusal({{.column = 0, .delay = -3}}),
            "te.embed: delays: of variable 0 is -3; expected 0 to 1000000000");
  EXPECT_EQ(refusal({{.column = 0, .history = 0}}),
            "te.embed: histories: sum to 0; expected at least one embedded column");
  EXPECT_EQ(refusal({}), "te.embed: histories: sum to 0; expected at least one embedded column");
  EXPECT_EQ(refusal({{.column = 0}}, {4, 5}), "te.embed: trial_lengths: sum to 9; expected the 10 rows");
}

TEST(Embed, RefusesListsOfUnequalLength) {
  Context context = Context::cpu(1);
  HostArguments arguments;
  arguments.inputs.emplace("series", series(10, 2));
  arguments.parameters = {{"columns", std::vector<std::int64_t>{0, 1}},
                          {"histories", std::vector<std::int64_t>{1, 1}},
                          {"taus", std::vector<std::int64_t>{1}},
                          {"delays", std::vector<std::int64_t>{0, 0}}};
  const Operation operation = describe_embed();
  try {
    operation.output_shapes(resolve(operation, arguments.view()));
    FAIL() << "not refused";
  } catch (const ContractError& error) {
    EXPECT_STREQ(error.what(), "te.embed: taus: has 1 entries; expected 2, one for each of columns");
  }
}

}  // namespace
}  // namespace assay::te
