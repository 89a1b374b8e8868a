// A library for LD_PRELOAD that tells a program another time: ASSAY_TEST_CLOCK_SHIFT seconds from now. Only
// the clock of the day is moved; the steady one, by which things are measured, is not. For the tests of what
// a clock that jumps does.

#include <dlfcn.h>
#include <time.h>

#include <cstdlib>

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  using Function = int (*)(clockid_t, timespec*);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = real(clock, now);
  const char* shift = std::getenv("ASSAY_TEST_CLOCK_SHIFT");
  if (result == 0 && clock == CLOCK_REALTIME && shift != nullptr) now->tv_sec += std::atol(shift);
  return result;
}
