#include "benchmarks/instructions.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace assay::benchmarks {

InstructionCounter::InstructionCounter() {
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = PERF_TYPE_HARDWARE;
  wanted.config = PERF_COUNT_HW_INSTRUCTIONS;
  wanted.exclude_kernel = 1;
  wanted.exclude_hv = 1;
  wanted.inherit = 1;  // threads that start later are counted too
  file_ = static_cast<int>(::syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
  if (file_ < 0) {
    reason_ = std::string("perf_event_open: ") + std::strerror(errno);
    return;
  }
  // Some virtual machines open the counter and never count.
  volatile int work = 0;
  for (int i = 0; i < 1000; ++i) work = work + i;
  if (read() <= 0) {
    ::close(file_);
    file_ = -1;
    reason_ = "perf_event_open: the counter stays at 0";
  }
}

InstructionCounter::~InstructionCounter() {
  if (file_ >= 0) ::close(file_);
}

double InstructionCounter::read() const {
  std::uint64_t count = 0;
  if (file_ < 0 || ::read(file_, &count, sizeof count) != static_cast<ssize_t>(sizeof count)) return 0;
  return static_cast<double>(count);
}

}  // namespace assay::benchmarks
