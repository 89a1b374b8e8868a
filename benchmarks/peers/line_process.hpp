#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace assay::benchmarks::peers {

/// Another program that answers each line on its standard input with one on its standard output, and ends
/// when there are no more. It is started here and ended with this object. Its standard error is ours.
class LineProcess {
 public:
  /// `command`: a program, which is looked up in PATH, and its arguments. Throws std::runtime_error.
  explicit LineProcess(std::vector<std::string> command);
  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  /// The answer to `line`, without its newline. Throws std::runtime_error where it has ended, or takes longer
  /// than `limit`; after that the process is gone, and `alive` false.
  std::string ask(const std::string& line, std::chrono::milliseconds limit);
  bool alive() const { return process_ > 0; }

 private:
  void end() noexcept;

  std::string program_;
  pid_t process_ = 0;
  int socket_ = -1;
  std::string read_;  // beyond the last answer
};

}  // namespace assay::benchmarks::peers
