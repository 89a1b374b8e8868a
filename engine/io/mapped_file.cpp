#include "engine/io/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace assay::io {
namespace {

InputError failure(InputError::Code code, std::string message) {
  return {code, std::move(message), {}, {}, {}};
}

}  // namespace

MappedFile::~MappedFile() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

void MappedFile::release(std::string_view part) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory_);
  const auto first = reinterpret_cast<std::uintptr_t>(part.data());
  if (memory_ == nullptr || first < begin || first - begin > size_ || part.size() > size_ - (first - begin))
    return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t from = (first + page - 1) / page * page, to = (first + part.size()) / page * page;
  if (from < to) ::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
}

Result<MappedFile> MappedFile::open(const std::string& path) {
  using Code = InputError::Code;
  if (path.empty()) return failure(Code::not_found, "an empty file name: expected a path");
  // Without O_NONBLOCK the opening of a pipe waits for its writer.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return failure(Code::not_found, path + ": no such file");
    return failure(Code::unreadable, path + ": cannot be read (" + std::strerror(errno) + ")");
  }
  struct stat facts {};
  const int told = ::fstat(file, &facts);
  const bool regular = told == 0 && S_ISREG(facts.st_mode);
  const bool folder = told == 0 && S_ISDIR(facts.st_mode);
  const std::size_t size = regular ? static_cast<std::size_t>(facts.st_size) : 0;
  void* memory = nullptr;
  int code = 0;
  if (size != 0) {
    memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    code = memory == MAP_FAILED ? errno : 0;
  }
  ::close(file);
  if (!regular) {
    return failure(Code::unreadable, path + (folder ? ": is a directory, expected a file"
                                                    : ": is no regular file, expected one"));
  }
  if (code != 0) {
    return failure(
        code == ENOMEM ? Code::too_large : Code::unreadable,
        path + ": its " + std::to_string(size) + " bytes cannot be mapped (" + std::strerror(code) + ")");
  }
  return MappedFile(memory, size);
}

}  // namespace assay::io
