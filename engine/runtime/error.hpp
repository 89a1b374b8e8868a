#pragma once

#include <stdexcept>
#include <string>

namespace assay {

/// A broken contract of an operation: which operation, which argument, and what was expected of it.
class ContractError : public std::invalid_argument {
 public:
  ContractError(std::string operation, std::string argument, std::string expected)
      : std::invalid_argument(operation + ": " + argument + ": " + expected),
        operation_(std::move(operation)),
        argument_(std::move(argument)) {}
  const std::string& operation() const { return operation_; }
  const std::string& argument() const { return argument_; }

 private:
  std::string operation_;
  std::string argument_;
};

/// The backend that was asked for is not there: not compiled in, or no working device.
class BackendUnavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A failed call of the device's runtime. `sticky` errors outlive the call: the process cannot use the device
/// again.
class DeviceError : public std::runtime_error {
 public:
  DeviceError(const std::string& what, bool sticky) : std::runtime_error(what), sticky_(sticky) {}
  bool sticky() const { return sticky_; }

 private:
  bool sticky_;
};

}  // namespace assay
