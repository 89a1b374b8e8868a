#include "benchmarks/device_slowdown.hpp"
#include "engine/runtime/error.hpp"

namespace assay::benchmarks {

struct DeviceTimeSpender::State {};

DeviceTimeSpender::DeviceTimeSpender(SlowdownKind, Stream&) {
  throw BackendUnavailable("this program was built without CUDA");
}
DeviceTimeSpender::~DeviceTimeSpender() = default;
void DeviceTimeSpender::spend(double, Stream&) {}

}  // namespace assay::benchmarks
