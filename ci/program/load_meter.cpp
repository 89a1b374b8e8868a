#include "ci/program/load_meter.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "ci/program/environment.hpp"

namespace assay::program {
namespace {

/// CPU seconds that anything spent on the CPUs that this process may use.
double busy_seconds() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 0;
  std::ifstream file("/proc/stat");
  double ticks = 0;
  for (std::string line; std::getline(file, line) && line.starts_with("cpu");) {
    std::istringstream words(line.substr(3));
    int cpu = 0;
    // The first line sums all CPUs and has no number.
    if (line[3] == ' ' || !(words >> cpu) || cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &allowed))
      continue;
    double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, stolen = 0;
    words >> user >> nice >> system >> idle >> waiting >> irq >> softirq >> stolen;
    ticks += user + nice + system + irq + softirq + stolen;
  }
  return ticks / static_cast<double>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
}

double seconds_of(const rusage& usage) {
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

double own_seconds() {
  rusage self{}, children{};
  ::getrusage(RUSAGE_SELF, &self);
  ::getrusage(RUSAGE_CHILDREN, &children);
  return seconds_of(self) + seconds_of(children);
}

}  // namespace

LoadMeter::LoadMeter()
    : busy_(busy_seconds()), own_(own_seconds()), start_(std::chrono::steady_clock::now()) {}

double LoadMeter::others() const {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const double available = elapsed * usable_cpus();
  if (available <= 0) return 0;
  return std::clamp(((busy_seconds() - busy_) - (own_seconds() - own_)) / available, 0.0, 1.0);
}

}  // namespace assay::program
