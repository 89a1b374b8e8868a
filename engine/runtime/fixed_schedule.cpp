#include "engine/runtime/fixed_schedule.hpp"

#include <atomic>

namespace assay {

namespace {
std::atomic<int> alive{0};
}

FixedSchedule::FixedSchedule() {
  alive.fetch_add(1);
}
FixedSchedule::~FixedSchedule() {
  alive.fetch_sub(1);
}
bool FixedSchedule::active() {
  return alive.load() > 0;
}

}  // namespace assay
