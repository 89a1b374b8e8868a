#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ci/program/invocation.hpp"
#include "engine/analysis/estimator.hpp"
#include "engine/operation.hpp"
#include "engine/runtime/context.hpp"

namespace assay::program {

/// --threads, checked.
unsigned threads_of(const Invocation& invocation);

/// Where --backend and --device send an operation. `auto` takes CUDA where the operation has a body for it
/// and a device works, else the CPU. Throws BackendUnavailable (exit 7) where the backend that was named is
/// not there.
struct ChosenBackend {
  Backend backend = Backend::cpu;
  Context context;     ///< for the reference: the CPU's
  std::string device;  ///< for people: the CPU's model or the GPU's name
};
ChosenBackend choose_backend(const Invocation& invocation, const Operation& operation);

/// te.ksg on the chosen backend: the engine's, or the literal reference.
analysis::Estimator estimator_on(ChosenBackend& chosen);

/// Runs an operation on host arrays: by the engine, or by its reference.
std::map<std::string, Tensor> run_on(ChosenBackend& chosen, const Operation& operation,
                                     const Arguments& arguments);

/// The operation of that name, which the program itself needs. Throws Failure (tool error) where it is not
/// compiled in.
const Operation& required_operation(std::string_view name);

/// The model name of this machine's CPU.
std::string cpu_model();

}  // namespace assay::program
