// Wrong kernels that a weaker harness lets through: each has to be rejected, and the right one accepted.

#include "validation/preconditions.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

#include "engine/comparison.hpp"
#include "validation/generators.hpp"
#include "validation/runner.hpp"
#include "validation/suite.hpp"

namespace assay::validation {
namespace {

// y = 2 x, of n doubles: one rounding, exact here. The body is what a test plants.
using Body = std::function<void(std::span<const double> x, std::span<double> y)>;

Operation doubling(Body body) {
  Operation operation;
  operation.name = "test.doubling";
  operation.inputs = {{"x", "numbers", {DType::f64}, "(n)"}};
  operation.outputs = {{"y", "2 x", {DType::f64}, "(n)"}};
  operation.output_shapes = [](const Arguments& arguments) {
    return std::vector<OutputShape>{{"y", DType::f64, arguments.input("x").shape}};
  };
  operation.error_bound = [](const Arguments&, std::string_view, std::span<const double> reference) {
    std::vector<double> allowed;
    for (const double r : reference) allowed.push_back(0x1p-53 * std::abs(r));
    return allowed;
  };
  operation.run = [body = std::move(body)](Context&, const Arguments& arguments, const Outputs& outputs) {
    body(arguments.input("x").as<double>(), outputs.at("y").as<double>());
  };
  return operation;
}

// Empty where the kernel is accepted; else why not.
std::string verdict(const Body& body, std::vector<double> x = {1, 2, 3, 4, 5}) {
  Context context = Context::cpu(1);
  const Operation operation = doubling(body);
  HostArguments arguments;
  const auto n = static_cast<std::int64_t>(x.size());
  arguments.inputs.emplace("x", Tensor::from(x, {n}));
  std::map<std::string, Tensor> expected;
  for (double& value : x) value *= 2;
  expected.emplace("y", Tensor::from(x, {n}));
  try {
    const auto outputs = run_checked(context, operation, arguments.view());
    const Comparison comparison = compare_outputs(operation, arguments.view(), outputs, expected);
    return comparison.pass() ? "" : comparison.reason();
  } catch (const Failed& failure) {
    return failure.what();
  }
}

void twice(std::span<const double> x, std::span<double> y) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
}

TEST(Preconditions, AcceptTheRightKernel) {
  EXPECT_EQ(verdict(twice), "");
  EXPECT_EQ(verdict(twice, {}), "");
  EXPECT_EQ(verdict(twice, {std::numeric_limits<double>::infinity(), std::nan("")}), "");
}

TEST(Preconditions, RejectAllZeros) {
  EXPECT_NE(verdict([](auto, std::span<double> y) { std::fill(y.begin(), y.end(), 0.0); }), "");
}

TEST(Preconditions, RejectTheInputReturned) {
  EXPECT_NE(verdict([](std::span<const double> x, std::span<double> y) {
              std::copy(x.begin(), x.end(), y.begin());
            }),
            "");
}

TEST(Preconditions, RejectNaNEverywhere) {
  EXPECT_NE(verdict([](auto, std::span<double> y) { std::fill(y.begin(), y.end(), std::nan("")); }), "");
}

TEST(Preconditions, RejectOneWrongElement) {
  EXPECT_NE(verdict([](auto x, auto y) {
              twice(x, y);
              y[4] = std::nextafter(std::nextafter(y[4], 0), 0);
            }),
            "");
}

TEST(Preconditions, RejectWritesPastTheEnd) {
  EXPECT_EQ(verdict([](auto x, auto y) {
              twice(x, y);
              const_cast<volatile double*>(y.data())[y.size()] = 1.0;
            }),
            "test.doubling: wrote out of bounds, 0 bytes past the end of output 'y'");
}

TEST(Preconditions, RejectWritesBeforeTheStart) {
  EXPECT_EQ(verdict([](auto x, auto y) {
              twice(x, y);
              double* volatile start = y.data();
              start[-1] = 1.0;
            }),
            "test.doubling: wrote out of bounds, 8 bytes before the start of output 'y'");
}

TEST(Preconditions, RejectATailThatIsNeverWritten) {
  EXPECT_EQ(verdict([](auto x, auto y) { twice(x.first(4), y.first(4)); }),
            "test.doubling: element 4 of output 'y' (5) was never written");
}

TEST(Preconditions, RejectAnEarlyReturn) {
  EXPECT_EQ(verdict([](auto, auto) {}), "test.doubling: element 0 of output 'y' (5) was never written");
}

TEST(Preconditions, RejectAChangedInput) {
  EXPECT_EQ(verdict([](auto x, auto y) {
              twice(x, y);
              const_cast<double&>(x[2]) = 0;
            }),
            "test.doubling: changed its input 'x'");
}

TEST(Preconditions, RejectAddingToWhatIsThere) {
  EXPECT_NE(verdict([](auto x, auto y) {
              for (std::size_t i = 0; i < x.size(); ++i) y[i] += 2 * x[i];
            }),
            "");
}

TEST(Preconditions, RejectUninitialisedMemory) {
  // Elements that a reader takes from just past its input differ between the two runs.
  EXPECT_NE(verdict([](auto x, auto y) {
              twice(x, y);
              const double* volatile start = x.data();
              double beyond = 0;
              std::memcpy(&beyond, start + x.size(), sizeof beyond);
              std::uint64_t bits = 0;
              std::memcpy(&bits, &beyond, sizeof bits);
              y[0] += static_cast<double>(bits % 2);
            }),
            "");
}

TEST(Preconditions, RejectACachedAnswer) {
  std::vector<double> cached;
  const Body caching = [&](auto x, auto y) {
    if (cached.empty()) {
      twice(x, y);
      cached.assign(y.begin(), y.end());
    } else {
      std::copy(cached.begin(), cached.end(), y.begin());
    }
  };
  EXPECT_EQ(verdict(caching), "");
  EXPECT_NE(verdict(caching, {5, 4, 3, 2, 1}), "");
}

// It has the answers of the sizes that tests are usually written with, and of no other.
TEST(Preconditions, RejectWhatKnowsTheTestShapes) {
  const Body knowing = [](auto x, auto y) {
    const std::size_t n = x.size();
    const bool known = n <= 5 || (n & (n - 1)) == 0 || n % 100 == 0;
    twice(known ? x : x.first(n - 1), known ? y : y.first(n - 1));
    if (!known) y.back() = x.back();
  };
  for (const std::size_t n : {1, 4, 5, 64, 100, 1000})
    EXPECT_EQ(verdict(knowing, std::vector<double>(n, 3)), "");
  const Property property{.name = "doubles",
                          .summary = "",
                          .body =
                              [&](Probe& probe) {
                                const auto n = static_cast<std::size_t>(*integers(1, 130, "n"));
                                probe.expect(verdict(knowing, std::vector<double>(n, 3)).empty(),
                                             "y is not 2 x");
                              },
                          .cases = 100,
                          .backends = {},
                          .negative_control = [](Probe& probe) { probe.expect(false, "planted"); }};
  const CheckResult result = run_property({"test.doubling", &property, Backend::cpu}, {});
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_NE(result.message.find("n = 6)"), std::string::npos)
      << result.message;  // the smallest it does not know
}

// What the reference computes is not there before the kernel has run: it finds the answer of the case before.
TEST(Preconditions, RejectWhatReadsTheReference) {
  std::vector<double> of_reference;
  const auto judged = [&](std::vector<double> x) {
    const std::string said = verdict(
        [&](auto in, auto y) {
          for (std::size_t i = 0; i < in.size(); ++i) y[i] = i < of_reference.size() ? of_reference[i] : 0;
        },
        x);
    for (double& value : x) value *= 2;
    of_reference = x;
    return said;
  };
  EXPECT_NE(judged({1, 2, 3}), "");
  EXPECT_NE(judged({4, 5, 6}), "");
}

// It fills the buffer of the call before, and leaves the one of this call as it was.
TEST(Preconditions, RejectAStaleBuffer) {
  std::vector<double> before(5);
  EXPECT_EQ(
      verdict([&](auto x, auto y) {
        std::vector<double> now(y.size());
        twice(x, std::span<double>(now));
        before.swap(now);
        if (now.front() != 0) std::copy(now.begin(), now.end(), y.begin());
      }),
      "test.doubling: element 0 of output 'y' (5) differs between two runs on the same input: it depends "
      "on uninitialised memory or on timing");
}

// Two threads write their halves of a sum into one place, the later one last.
TEST(Preconditions, RejectARace) {
  EXPECT_NE(verdict([](auto x, auto y) {
              twice(x, y);
              const auto half = [&](std::size_t begin, std::size_t end) {
                double sum = 0;
                for (std::size_t i = begin; i < end; ++i) sum += x[i];
                std::atomic_ref<double>(y[0]).store(sum);
              };
              std::thread other(half, 0, x.size() / 2);
              half(x.size() / 2, x.size());
              other.join();
            }),
            "");
}

TEST(Preconditions, RejectSubnormalsFlushedToZero) {
  EXPECT_EQ(verdict(twice, {0x1p-1060, 1}), "");
  EXPECT_NE(verdict(
                [](auto x, auto y) {
                  twice(x, y);
                  for (double& value : y)
                    if (std::abs(value) < 0x1p-1022) value = 0;
                },
                {0x1p-1060, 1}),
            "");
}

TEST(Preconditions, RejectAnInfinityWhereAnotherIs) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(verdict(twice, {infinity, -infinity}), "");
  EXPECT_NE(verdict(
                [](auto x, auto y) {
                  for (std::size_t i = 0; i < x.size(); ++i) y[i] = std::abs(2 * x[i]);
                },
                {infinity, -infinity}),
            "");
}

TEST(Preconditions, RejectEveryOtherRunWrong) {
  int runs = 0;
  EXPECT_NE(verdict([&](auto x, auto y) {
              twice(x, y);
              if (++runs % 2 == 0) y[0] += 1;
            }),
            "");
}

// y = 2 x over rows that may lie apart, at any element.
Operation doubling_rows(std::function<void(const ConstTensorView& x, const TensorView& y)> body) {
  Operation operation = doubling({});
  operation.run = [body = std::move(body)](Context&, const Arguments& arguments, const Outputs& outputs) {
    body(arguments.input("x"), outputs.at("y"));
  };
  return operation;
}

double* element(const ConstTensorView& view, std::int64_t row, std::int64_t column) {
  return const_cast<double*>(reinterpret_cast<const double*>(view.data)) + row * view.strides[0] + column;
}

void twice_rows(const ConstTensorView& x, const TensorView& y) {
  for (std::int64_t row = 0; row < x.extent(0); ++row)
    for (std::int64_t column = 0; column < x.extent(1); ++column)
      y.as<double>()[static_cast<std::size_t>(row * x.extent(1) + column)] = 2 * *element(x, row, column);
}

std::string placed_verdict(const std::function<void(const ConstTensorView&, const TensorView&)>& body,
                           const Placements& placements) {
  Context context = Context::cpu(1);
  const Tensor x = Tensor::from(std::vector<double>{1, 2, 3, 4, 5, 6}, {3, 2});
  Arguments arguments;
  arguments.inputs.emplace("x", x.view());
  try {
    const auto outputs = run_checked(context, doubling_rows(body), arguments, placements);
    const std::vector<double> y = to_doubles(std::as_const(outputs.at("y")).view());
    return y == std::vector<double>{2, 4, 6, 8, 10, 12} ? "" : "y is not 2 x";
  } catch (const Failed& failure) {
    return failure.what();
  }
}

TEST(Preconditions, PlaceTensorsOffTheirAlignmentAndRowsApart) {
  for (const std::int64_t offset : {0, 1, 3, 7})
    for (const std::int64_t gap : {0, 1, 5}) {
      const auto placed = [&](const ConstTensorView& x, const TensorView& y) {
        EXPECT_EQ(x.strides, (std::vector<std::int64_t>{2 + gap, 1}));
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x.data) % 4096, static_cast<std::uintptr_t>(8 * offset));
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(y.data) % 4096, 8u);
        twice_rows(x, y);
      };
      EXPECT_EQ(placed_verdict(placed, {{"x", {offset, gap}}, {"y", {1, 0}}}), "");
    }
}

TEST(Preconditions, RejectWhatTakesMisplacedTensorsForPlacedOnes) {
  const Placements placements = {{"x", {1, 3}}, {"y", {1, 0}}};
  EXPECT_NE(placed_verdict(
                [](const ConstTensorView& x, const TensorView& y) {  // rows side by side
                  for (std::size_t i = 0; i < 6; ++i) y.as<double>()[i] = 2 * *(element(x, 0, 0) + i);
                },
                placements),
            "");
  EXPECT_EQ(placed_verdict(
                [](const ConstTensorView& x, const TensorView& y) {
                  twice_rows(x, y);
                  *element(x, 1, 3) = 0;
                },
                placements),
            "test.doubling: wrote between the rows of input 'x', after row 1");
  EXPECT_EQ(placed_verdict(
                [](const ConstTensorView& x, const TensorView& y) {  // the start taken for an aligned one
                  twice_rows(x, y);
                  double* volatile start = y.as<double>().data();
                  start[-1] = 0;
                },
                placements),
            "test.doubling: wrote out of bounds, 8 bytes before the start of output 'y'");
  EXPECT_THROW(placed_verdict(twice_rows, {{"z", {1, 0}}}), std::invalid_argument);
  EXPECT_THROW(placed_verdict(twice_rows, {{"y", {0, 1}}}), std::invalid_argument);
  EXPECT_THROW(placed_verdict(twice_rows, {{"x", {-1, 0}}}), std::invalid_argument);
}

TEST(Preconditions, ExactSizeAllocationsHaveNoGuardBands) {
  setenv("ASSAY_GUARD", "exact", 1);
  EXPECT_EQ(verdict(twice), "");
  EXPECT_EQ(verdict([](auto x, auto y) { twice(x.first(4), y.first(4)); }),
            "test.doubling: element 4 of output 'y' (5) was never written");
  unsetenv("ASSAY_GUARD");
}

}  // namespace
}  // namespace assay::validation
