#include "ci/program/backend_choice.hpp"

#include <fstream>

#include "ci/program/failure.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "reference/estimator.hpp"
#include "reference/operations.hpp"

namespace assay::program {
namespace {

constexpr std::int64_t most_threads = 4096;

}  // namespace

unsigned threads_of(const Invocation& invocation) {
  return static_cast<unsigned>(invocation.integer("threads", 0, most_threads));
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

ChosenBackend choose_backend(const Invocation& invocation, const Operation& operation) {
  const std::string name = invocation.choice("backend", {"auto", "cpu", "cuda", "reference"});
  const auto device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  const unsigned threads = threads_of(invocation);
  const bool has_cuda = operation.has(Backend::cuda);
  if (name == "cuda" && !has_cuda) {
    throw BackendUnavailable(invocation.source("backend") + ": " + operation.name +
                             " has no CUDA body in this build, expected cpu, reference or auto");
  }
  if (name == "cuda" || (name == "auto" && has_cuda && cuda_available())) {
    try {
      return {Backend::cuda, Context::cuda(device, threads),
              cuda_devices().at(static_cast<std::size_t>(device)).name};
    } catch (const BackendUnavailable&) {
      if (name == "cuda") throw;
    }
  }
  return {name == "reference" ? Backend::reference : Backend::cpu, Context::cpu(threads), cpu_model()};
}

analysis::Estimator estimator_on(ChosenBackend& chosen) {
  if (chosen.backend == Backend::reference) return reference::estimator();
  return analysis::engine_estimator(chosen.context);
}

std::map<std::string, Tensor> run_on(ChosenBackend& chosen, const Operation& operation,
                                     const Arguments& arguments) {
  if (chosen.backend == Backend::reference) return reference::run(operation, arguments);
  return run_on_host(chosen.context, operation, arguments);
}

const Operation& required_operation(std::string_view name) {
  const Operation* operation = find_operation(name);
  if (operation == nullptr) {
    throw Failure(ExitCode::tool_error, "the operation " + std::string(name) + " is not in this build");
  }
  return *operation;
}

}  // namespace assay::program
