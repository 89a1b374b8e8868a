#include "engine/io/atomic_write.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace assay::io {
namespace {

InputError failure(const std::string& path, const char* what, int code) {
  return {InputError::Code::write_failed, path + ": " + what + " (" + std::strerror(code) + ")", {}, {}, {}};
}

/// 0, or the error number.
int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

/// Ends what produces a file that can no longer be written.
struct Stopped {};

}  // namespace

Result<std::uint64_t> write_file(const std::string& path, const std::function<void(const Sink&)>& produce) {
  struct stat facts {};
  const bool exists = ::stat(path.c_str(), &facts) == 0;
  if (exists && S_ISDIR(facts.st_mode)) return failure(path, "is a directory, expected a file name", EISDIR);
  const bool in_place = exists && !S_ISREG(facts.st_mode);

  std::string name = path;
  int file = -1;
  if (in_place) {
    file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    const std::string stem = slash == std::string::npos ? path : path.substr(slash + 1);
    for (int attempt = 0; attempt < 100 && file < 0; ++attempt) {
      name = folder + "." + stem + "." + std::to_string(::getpid()) + "-" + std::to_string(attempt) + ".tmp";
      file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (file < 0 && errno != EEXIST) break;
    }
  }
  if (file < 0) return failure(path, "cannot be written", errno);

  constexpr std::size_t gathered = 1 << 20;
  std::string held;
  std::uint64_t total = 0;
  int code = 0;
  const auto flush = [&](std::string_view bytes) {
    if (code == 0) code = write_all(file, bytes);
  };
  try {
    produce([&](std::string_view piece) {
      total += piece.size();
      if (held.size() + piece.size() > gathered) {
        flush(held);
        held.clear();
      }
      if (piece.size() > gathered)
        flush(piece);
      else
        held += piece;
      if (code != 0) throw Stopped{};
    });
  } catch (const Stopped&) {
    held.clear();
  } catch (...) {
    ::close(file);
    if (!in_place) ::unlink(name.c_str());
    throw;
  }
  flush(held);
  if (::close(file) != 0 && code == 0) code = errno;
  if (code == 0 && !in_place && std::rename(name.c_str(), path.c_str()) != 0) code = errno;
  if (code != 0) {
    if (!in_place) ::unlink(name.c_str());
    return failure(path, "cannot be written", code);
  }
  return total;
}

Result<std::uint64_t> write_file(const std::string& path, std::initializer_list<std::string_view> pieces) {
  return write_file(path, [&](const Sink& put) {
    for (const std::string_view piece : pieces) put(piece);
  });
}

}  // namespace assay::io
