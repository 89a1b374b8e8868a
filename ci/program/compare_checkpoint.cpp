#include "ci/program/compare_checkpoint.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "ci/program/failure.hpp"

namespace assay::program {

CompareCheckpoint::CompareCheckpoint(const std::string& path, const nlohmann::json& header) : path_(path) {
  if (path_.empty()) return;
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) throw Failure(ExitCode::usage, path_ + ": cannot be opened: " + std::strerror(errno));
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0)
    throw Failure(ExitCode::usage, path_ + ": another comparison is writing to it");
  std::ostringstream text;
  text << std::ifstream(path_, std::ios::binary).rdbuf();
  const std::string content = text.str();
  std::size_t whole = 0;  // bytes of lines that are complete
  bool first = true;
  for (std::size_t end; (end = content.find('\n', whole)) != std::string::npos; whole = end + 1) {
    nlohmann::json line = nlohmann::json::parse(content.substr(whole, end - whole), nullptr, false);
    if (first) {
      if (!(line == header))  // what is no JSON compares as unequal only this way
        throw Failure(ExitCode::usage,
                      path_ + (line.is_object() && line.contains("comparison")
                                   ? ": belongs to a comparison of other programs or settings"
                                   : ": is no checkpoint of a comparison"));
      first = false;
      continue;
    }
    if (!line.is_object()) throw Failure(ExitCode::usage, path_ + ": is damaged before its end");
    steps_.push_back(std::move(line));
  }
  if (first && !content.empty() && content.front() != '{')
    throw Failure(ExitCode::usage, path_ + ": is no checkpoint of a comparison");
  if (::ftruncate(file_, static_cast<off_t>(whole)) != 0)
    throw Failure(ExitCode::tool_error, path_ + ": cannot be written: " + std::strerror(errno));
  if (first) {
    append(header);
    steps_.clear();
  }
}

CompareCheckpoint::~CompareCheckpoint() {
  if (file_ >= 0) ::close(file_);
}

void CompareCheckpoint::append(const nlohmann::json& step) {
  if (file_ < 0) return;
  const std::string line = step.dump() + '\n';
  for (std::size_t written = 0; written < line.size();) {
    const ssize_t took = ::write(file_, line.data() + written, line.size() - written);
    if (took < 0 && errno == EINTR) continue;
    if (took <= 0)
      throw Failure(ExitCode::tool_error, path_ + ": cannot be written: " + std::strerror(errno));
    written += static_cast<std::size_t>(took);
  }
  if (::fsync(file_) != 0 && errno != EINVAL)
    throw Failure(ExitCode::tool_error, path_ + ": cannot be written: " + std::strerror(errno));
}

}  // namespace assay::program
