#include "engine/io/bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace assay::io {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

InputError failure(InputError::Code code, std::string message) {
  return {code, std::move(message), {}, {}, {}};
}

InputError too_large(const std::string& path) {
  return failure(
      InputError::Code::too_large,
      path + ": larger than the " + std::to_string(max_file_bytes >> 30) + " GiB that are read at once");
}

}  // namespace

Result<FileBytes> read_file(const std::string& path) {
  if (path.empty()) return failure(InputError::Code::not_found, "an empty file name: expected a path");
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return failure(InputError::Code::not_found, path + ": no such file");
    }
    return failure(InputError::Code::unreadable, path + ": cannot be read (" + std::strerror(errno) + ")");
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) {
    return failure(InputError::Code::unreadable, path + ": cannot be read (" + std::strerror(errno) + ")");
  }
  if (S_ISDIR(facts.st_mode)) {
    return failure(InputError::Code::unreadable, path + ": is a directory, expected a file");
  }
  const bool regular = S_ISREG(facts.st_mode);
  if (regular && static_cast<std::size_t>(facts.st_size) > max_file_bytes) return too_large(path);

  // One byte more than the file has, so that the last read sees its end without growing.
  std::size_t capacity = regular ? static_cast<std::size_t>(facts.st_size) + 1 : std::size_t{1} << 20;
  std::unique_ptr<char[]> memory(new (std::nothrow) char[capacity]);
  std::size_t size = 0;
  while (memory) {
    if (size == capacity) {
      if (capacity >= max_file_bytes) return too_large(path);
      std::unique_ptr<char[]> larger(new (std::nothrow) char[capacity * 2]);
      if (!larger) break;
      std::memcpy(larger.get(), memory.get(), size);
      memory = std::move(larger);
      capacity *= 2;
    }
    const ssize_t got =
        ::read(file.get(), memory.get() + size, std::min(capacity - size, std::size_t{1} << 30));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return failure(InputError::Code::unreadable, path + ": cannot be read (" + std::strerror(errno) + ")");
    }
    if (got == 0) return FileBytes(std::move(memory), size);
    size += static_cast<std::size_t>(got);
  }
  return failure(InputError::Code::too_large, path + ": does not fit into memory");
}

std::string printable(std::string_view text, std::size_t limit) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char letter : text) {
    if (out.size() >= limit) {
      out += "...";
      break;
    }
    const auto byte = static_cast<unsigned char>(letter);
    if (byte >= 0x20 && byte < 0x7f) {
      out += letter;
    } else {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

}  // namespace assay::io
