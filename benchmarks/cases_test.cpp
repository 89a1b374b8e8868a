// What the benchmarks measure is what their labels say, and the same for the same seed.

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "benchmarks/prepared_points.hpp"
#include "benchmarks/suite.hpp"
#include "engine/tensors/block_format.hpp"

namespace assay::benchmarks {
namespace {

/// "n=1000,k=4,search=tree,f32" as {n: 1000, k: 4, search=tree: -1, f32: -1}.
std::map<std::string, std::int64_t, std::less<>> parts_of(std::string_view label) {
  std::map<std::string, std::int64_t, std::less<>> parts;
  while (!label.empty()) {
    const std::string_view part = label.substr(0, label.find(','));
    label.remove_prefix(std::min(part.size() + 1, label.size()));
    const std::size_t equals = part.find('=');
    std::int64_t value = -1;
    const bool number =
        equals != std::string_view::npos &&
        std::from_chars(part.data() + equals + 1, part.data() + part.size(), value).ec == std::errc();
    parts.emplace(number ? part.substr(0, equals) : part, value);
  }
  return parts;
}

bool same(const HostArguments& a, const HostArguments& b) {
  return a.parameters == b.parameters && std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(),
                                                    b.inputs.end(), [](const auto& one, const auto& other) {
                                                      const ConstTensorView x = one.second.view();
                                                      const ConstTensorView y = other.second.view();
                                                      return one.first == other.first && x.dtype == y.dtype &&
                                                             x.shape == y.shape &&
                                                             std::memcmp(x.data, y.data, x.bytes()) == 0;
                                                    });
}

/// The width that a label's d means: of the points that go in or of the embedding that comes out.
std::int64_t dimensions(const Operation& operation, const Arguments& arguments) {
  if (arguments.has("points")) return arguments.input("points").extent(1);
  return operation.output_shapes(arguments).front().shape.at(1);
}

void expect_what_the_label_says(const Operation& operation, const Case& item, const Arguments& arguments) {
  const auto parts = parts_of(item.label);
  const ConstTensorView& first = arguments.input(operation.inputs.front().name);
  // Of blocks and what they are multiplied with, the latter has the type and the width that are said.
  const ConstTensorView& typed = arguments.has("weights") ? arguments.input("x") : first;
  for (const auto& [name, value] : parts) {
    SCOPED_TRACE(name);
    // A network's sources stand one after the other.
    const std::size_t rows = first.rank() == 3 && !arguments.has("draft_tokens") ? 1 : 0;
    if (name == "n" || name == "rows" || name == "variables") {
      // A smaller case stands for a large one while its answer is checked: fewer rows or variables, all else
      // alike.
      const std::int64_t held = first.extent(name == "variables" ? 0 : rows);
      if (item.check_with)
        EXPECT_LE(held, value);
      else
        EXPECT_EQ(held, value);
    } else if (name.starts_with("search=")) {
      EXPECT_EQ("search=" + arguments.text("search"), name);
    } else if (name == "d") {
      EXPECT_EQ(dimensions(operation, arguments), value);
    } else if (name == "k" || name == "algorithm") {
      EXPECT_EQ(arguments.integer(name), value);
    } else if (name.starts_with("first=")) {
      EXPECT_TRUE(("first=" + arguments.text("order")).starts_with("first=temperature," + name.substr(6)));
    } else if (name == "tokens") {
      EXPECT_EQ(first.extent(first.rank() - 1), value);
    } else if (name == "steps") {
      EXPECT_EQ(arguments.input("draft_tokens").extent(1), value);
    } else if (name == "columns" && arguments.has("blocks")) {
      EXPECT_EQ(arguments.integer("columns"), value);
    } else if (name == "columns" || name == "histories") {
      EXPECT_EQ(typed.extent(1), value);
    } else if (name == "batch") {
      EXPECT_EQ(typed.extent(0), value);
    } else if (name == "warm") {
      EXPECT_TRUE(item.warm);
    } else if (block_format_named(name)) {
      EXPECT_EQ(arguments.text("format"), name);
    } else {
      EXPECT_EQ(name_of(typed.dtype), name);
    }
  }
}

TEST(Cases, AreWhatTheirLabelsSayAndTheSameForTheSameSeed) {
  for (const Suite& suite : suites()) {
    const Operation* operation = find_operation(suite.operation());
    ASSERT_NE(operation, nullptr) << suite.operation();
    EXPECT_FALSE(suite.cases().empty()) << suite.operation();
    for (const Case& item : suite.cases()) {
      SCOPED_TRACE(suite.operation() + "/" + item.label);
      const auto& make = item.check_with ? item.check_with : item.make;
      const HostArguments arguments = make(3);
      const Arguments resolved = resolve(*operation, arguments.view());
      expect_what_the_label_says(*operation, item, resolved);
      EXPECT_GT(operation->work(resolved).bytes, 0);
      if (&item != &suite.cases().front()) continue;  // the draws of a slice's cases are the same code
      EXPECT_TRUE(same(arguments, make(3)));
      EXPECT_FALSE(same(arguments, make(4)));
    }
  }
}

TEST(Cases, PeersStandBesideACaseThatIsThere) {
  for (const Suite& suite : suites())
    for (const Peer& peer : suite.peers())
      EXPECT_TRUE(std::any_of(suite.cases().begin(), suite.cases().end(),
                              [&](const Case& item) { return item.label == peer.label; }))
          << suite.operation() << ": " << peer.name << " beside " << peer.label;
}

double transfer_entropy(const HostArguments& arguments) {
  Context context = Context::cpu(2);
  return run_on_host(context, *find_operation("te.ksg"), arguments.view()).at("value").as<double>()[0];
}

TEST(PreparedPoints, HoldTheInfluenceThatTheyAreQuotedFor) {
  const analysis::TeSpec forward{.sources = {0}, .targets = {1}};
  const analysis::TeSpec backward{.sources = {1}, .targets = {0}};
  const HostArguments points = transfer_entropy_points(3000, forward, 4, 1, 1);
  EXPECT_EQ(points.inputs.at("z").shape(), (Shape{3000, 1}));
  // The exact value is 0.0923 nats, and 0 back; the estimate's deviation is about 0.012.
  EXPECT_NEAR(transfer_entropy(points), 0.0923, 0.04);
  EXPECT_NEAR(transfer_entropy(transfer_entropy_points(3000, backward, 4, 1, 1)), 0, 0.04);
}

TEST(PreparedPoints, ADelayAndLongHistoriesKeepTheNumberOfPoints) {
  const analysis::TeSpec spec{
      .sources = {0}, .targets = {1}, .k_history = 3, .k_tau = 2, .l_history = 2, .l_tau = 4, .delay = 5};
  const HostArguments points = transfer_entropy_points(500, spec, 6, 2, 1);
  EXPECT_EQ(points.inputs.at("x").shape(), (Shape{500, 2}));
  EXPECT_EQ(points.inputs.at("y").shape(), (Shape{500, 1}));
  EXPECT_EQ(points.inputs.at("z").shape(), (Shape{500, 3}));
  EXPECT_EQ(points.parameters.at("k"), Value(std::int64_t{6}));
  EXPECT_EQ(points.parameters.at("algorithm"), Value(std::int64_t{2}));
}

TEST(PreparedPoints, JointPointsAreThePartsSideBySide) {
  const analysis::TeSpec spec{.sources = {0}, .targets = {1}, .k_history = 2, .l_history = 2};
  const HostArguments parts = transfer_entropy_points(200, spec, 4, 1, 9);
  const HostArguments joint = joint_points(200, 2, 9);
  const auto together = joint.inputs.at("points").as<double>();
  ASSERT_EQ(joint.inputs.at("points").shape(), (Shape{200, 5}));
  std::int64_t first = 0;
  for (const char* name : {"x", "y", "z"}) {
    const Tensor& part = parts.inputs.at(name);
    const std::int64_t width = part.shape().at(1);
    for (std::int64_t row = 0; row < 200; ++row)
      for (std::int64_t column = 0; column < width; ++column)
        ASSERT_EQ(together[row * 5 + first + column], part.as<double>()[row * width + column])
            << name << " " << row << " " << column;
    first += width;
  }
  EXPECT_EQ(first, 5);
}

}  // namespace
}  // namespace assay::benchmarks
