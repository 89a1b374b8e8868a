// Wrong kernels that a weaker harness lets through: each has to be rejected, and the right one accepted.

#include "validation/preconditions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/comparison.hpp"
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

TEST(Preconditions, RejectEveryOtherRunWrong) {
  int runs = 0;
  EXPECT_NE(verdict([&](auto x, auto y) {
              twice(x, y);
              if (++runs % 2 == 0) y[0] += 1;
            }),
            "");
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
