#include "kernels/checks/finite.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "engine/runtime/buffer.hpp"
#include "engine/runtime/context.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"

namespace assay {
namespace {

#ifdef ASSAY_HAVE_CUDA

// What Context::synchronize says after a look at the values; empty where it says nothing.
std::string said_of(Context& context, const std::vector<double>& values) {
  const std::size_t bytes = values.size() * sizeof(double);
  const DeviceBuffer buffer(context.device(), bytes);
  context.stream().copy(buffer.data(), values.data(), bytes);
  const DeviceScope scope(context.device());
  kernels::checks::check_finite_cuda(context.stream().handle(),
                                     reinterpret_cast<const double*>(buffer.data()),
                                     static_cast<std::int64_t>(values.size()), context.status().on_device());
  try {
    context.synchronize();
  } catch (const DeviceError& error) {
    EXPECT_FALSE(error.sticky());
    return error.what();
  }
  return "";
}

TEST(FiniteOnDevice, FindsTheOneValueThatIsNotWhereverItLies) {
  if (const Availability availability = cuda_available(); !availability)
    GTEST_SKIP() << "not executed: no device (" << availability.reason << ")";
  Context context = Context::cuda();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(said_of(context, {}), "");
  for (const std::size_t count : {1, 255, 257, 1024, 1025, 1'100'003}) {
    std::vector<double> values(count, std::numeric_limits<double>::max());
    EXPECT_EQ(said_of(context, values), "") << count;
    for (const std::size_t at : {std::size_t{0}, count / 2, count - 1})
      for (const double bad : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
        values[at] = bad;
        EXPECT_EQ(said_of(context, values), message_of(DeviceStatus::value_out_of_range))
            << count << " values, at " << at;
        values[at] = std::numeric_limits<double>::denorm_min();
      }
    EXPECT_EQ(said_of(context, values), "") << "the word is cleared once it has been read";
  }
}

#endif

}  // namespace
}  // namespace assay
