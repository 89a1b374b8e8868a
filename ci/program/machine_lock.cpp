#include "ci/program/machine_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "ci/program/failure.hpp"
#include "fmt/format.h"
#include "reports/record.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

std::string lock_path() {
  if (const char* folder = std::getenv("ASSAY_LOCK_FOLDER"); folder != nullptr && *folder != '\0')
    return (fs::path(folder) / "measuring.lock").string();
  // The same file for every user, and so one that all may write to, not one that this user may.
  struct stat folder {};
  const bool for_all =
      stat("/run/lock", &folder) == 0 && S_ISDIR(folder.st_mode) && (folder.st_mode & S_IWOTH) != 0;
  return for_all ? "/run/lock/assay-measuring.lock" : "/tmp/assay-measuring.lock";
}

/// Opens the file, or makes it for every user of the machine. The kernel may refuse O_CREAT on a file of
/// another user in a folder that everybody writes to, hence the two steps.
int open_lock(const std::string& path) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW); file >= 0) return file;
    if (errno == EACCES) {
      // flock needs no right to write; only the holder's name cannot be left then.
      if (const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); file >= 0) return file;
    }
    if (errno != ENOENT) break;
    if (const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666); file >= 0) {
      fchmod(file, 0666);  // whatever the umask says
      return file;
    }
    if (errno != EEXIST) break;
  }
  throw Failure(ExitCode::tool_error,
                fmt::format("{}: the machine lock cannot be opened ({}); --lock none does without", path,
                            std::strerror(errno)));
}

std::string holder(int file) {
  std::array<char, 200> text{};
  const ssize_t length = pread(file, text.data(), text.size() - 1, 0);
  std::string who(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  who.erase(std::min(who.find('\n'), who.size()));
  return who.empty() ? "another process" : who;
}

void leave_name(int file, const Invocation& invocation) {
  const std::string who = fmt::format("process {} ({}, since {} UTC)\n", getpid(),
                                      invocation.console().command(), reports::utc_now().substr(0, 19));
  // Without the name the lock is as good: others then say "another process".
  if (ftruncate(file, 0) == 0 && pwrite(file, who.data(), who.size(), 0) < 0) return;
}

}  // namespace

Option lock_option() {
  return {"lock", "WHAT", "while another run measures on this machine: wait, refuse (exit 7) or none",
          "wait"};
}

MachineLock::MachineLock(const Invocation& invocation) {
  const std::string what = invocation.choice("lock", {"wait", "refuse", "none"});
  if (what == "none") return;
  const std::string path = lock_path();
  file_ = open_lock(path);
  if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
    const std::string who = holder(file_);
    if (errno != EWOULDBLOCK || what == "refuse") {
      const int problem = errno;
      close(file_);
      file_ = -1;
      if (problem != EWOULDBLOCK)
        throw Failure(ExitCode::tool_error, path + ": cannot be locked (" + std::strerror(problem) + ")");
      throw Failure(ExitCode::invalid,
                    who + " measures on this machine: two at once would measure each other");
    }
    invocation.console().note(who + " measures on this machine: waiting until it ends");
    while (flock(file_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      const int problem = errno;
      close(file_);
      file_ = -1;
      throw Failure(ExitCode::tool_error, path + ": cannot be locked (" + std::strerror(problem) + ")");
    }
  }
  leave_name(file_, invocation);
  setenv("ASSAY_LOCK", "none", 1);
}

MachineLock::~MachineLock() {
  if (file_ < 0) return;
  if (ftruncate(file_, 0) != 0) errno = 0;  // a name left behind misleads nobody: the lock is what counts
  close(file_);
  unsetenv("ASSAY_LOCK");
}

}  // namespace assay::program
