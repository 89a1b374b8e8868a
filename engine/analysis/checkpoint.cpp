#include "engine/analysis/checkpoint.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/analysis/fingerprint.hpp"
#include "engine/io/atomic_write.hpp"

namespace assay::analysis {

namespace {

constexpr std::uint64_t magic = 0x3154504B4E544541;  // "AETNKPT1"
constexpr std::uint64_t version = 1;

struct Header {
  std::uint64_t magic_word = magic, version_word = version;
  std::uint64_t digest[2] = {};
  std::int64_t source_block = 0, target_batch = 0;
  std::uint64_t checksum = 0;
};
static_assert(sizeof(Header) == 56);

struct RecordHead {
  std::int64_t part = 0;
  std::uint64_t bytes = 0;
};

std::uint64_t checksum_of(const Header& header) {
  Fingerprint print;
  print.add_bytes(&header, offsetof(Header, checksum));
  return print.digest()[0];
}

std::uint64_t checksum_of(const RecordHead& head, std::span<const std::byte> bytes) {
  Fingerprint print;
  print.add(static_cast<std::uint64_t>(head.part));
  print.add_bytes(bytes.data(), bytes.size());
  return print.digest()[0];
}

InputError failure(const std::string& path, const char* what) {
  return {InputError::Code::write_failed, path + ": " + what + " (" + std::strerror(errno) + ")", {}, {}, {}};
}

InputError refuse(const std::string& path, const std::string& what) {
  return {InputError::Code::malformed, path + ": " + what, {}, {}, {}};
}

/// As many bytes as there are, at most those asked for; -1 with errno.
ssize_t read_all(int file, void* to, std::size_t bytes) {
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t some = ::read(file, static_cast<char*>(to) + got, bytes - got);
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) return -1;
    if (some == 0) break;
    got += static_cast<std::size_t>(some);
  }
  return static_cast<ssize_t>(got);
}

bool write_all(int file, const void* from, std::size_t bytes) {
  const auto* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t put = ::write(file, at, bytes);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    at += put;
    bytes -= static_cast<std::size_t>(put);
  }
  return true;
}

/// The name of a new file is durable once its folder is.
void synchronise_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);
  ::close(file);
}

std::optional<InputError> create(const std::string& path, const CheckpointKey& key) {
  Header header;
  header.digest[0] = key.digest[0];
  header.digest[1] = key.digest[1];
  header.source_block = key.source_block;
  header.target_batch = key.target_batch;
  header.checksum = checksum_of(header);
  const Result<std::uint64_t> written =
      io::write_file(path, {{reinterpret_cast<const char*>(&header), sizeof header}});
  if (!written) return written.error();
  synchronise_folder(path);
  return std::nullopt;
}

}  // namespace

Result<Checkpoint> Checkpoint::open(const std::string& path, CheckpointKey& key) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    if (auto error = create(path, key)) return *error;
  } else if (!S_ISREG(facts.st_mode)) {
    return refuse(path, "is not a file, expected the name of a checkpoint");
  }
  Checkpoint made(path, ::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (made.file_ < 0) return failure(path, "cannot be opened for reading and writing");
  if (::flock(made.file_, LOCK_EX | LOCK_NB) != 0)
    return refuse(path, "is the checkpoint of a run that is still going on, expected one run a checkpoint");
  Header header;
  const ssize_t got = read_all(made.file_, &header, sizeof header);
  if (got < 0) return failure(path, "cannot be read");
  if (got != sizeof header || header.magic_word != magic || header.checksum != checksum_of(header))
    return refuse(path, "is not a checkpoint of a network, expected a new name or one of an earlier run");
  if (header.version_word != version)
    return refuse(path, "is a checkpoint of another version of the program, expected version " +
                            std::to_string(version));
  if (header.digest[0] != key.digest[0] || header.digest[1] != key.digest[1])
    return refuse(
        path, "is the checkpoint of other data or options, expected those it was made with or a new name");
  if (header.source_block < 1 || header.target_batch < 1) return refuse(path, "is damaged");
  key.source_block = header.source_block;
  key.target_batch = header.target_batch;
  return made;
}

Checkpoint::Checkpoint(Checkpoint&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}

Checkpoint& Checkpoint::operator=(Checkpoint&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  return *this;
}

Checkpoint::~Checkpoint() {
  if (file_ >= 0) ::close(file_);
}

std::optional<InputError> Checkpoint::load(
    const std::function<bool(std::int64_t part, std::span<const std::byte> bytes)>& visit) {
  struct stat facts {};
  if (::fstat(file_, &facts) != 0) return failure(path_, "cannot be read");
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  std::uint64_t whole = sizeof(Header);
  std::vector<std::byte> bytes;
  for (;;) {
    RecordHead head;
    std::uint64_t checksum = 0;
    const ssize_t got = read_all(file_, &head, sizeof head);
    if (got < 0) return failure(path_, "cannot be read");
    if (got != sizeof head || head.bytes > size - whole) break;
    bytes.resize(head.bytes);
    const ssize_t body = read_all(file_, bytes.data(), bytes.size());
    const ssize_t tail = body < 0 ? -1 : read_all(file_, &checksum, sizeof checksum);
    if (tail < 0) return failure(path_, "cannot be read");
    if (static_cast<std::uint64_t>(body) != head.bytes || tail != sizeof checksum) break;
    if (checksum != checksum_of(head, bytes) || !visit(head.part, bytes)) break;
    whole += sizeof head + head.bytes + sizeof checksum;
  }
  if (::ftruncate(file_, static_cast<off_t>(whole)) != 0 ||
      ::lseek(file_, static_cast<off_t>(whole), SEEK_SET) < 0)
    return failure(path_, "cannot be cut to its whole records");
  return std::nullopt;
}

std::optional<InputError> Checkpoint::append(std::int64_t part, std::span<const std::byte> bytes) {
  const RecordHead head{part, bytes.size()};
  const std::uint64_t checksum = checksum_of(head, bytes);
  if (!write_all(file_, &head, sizeof head) || !write_all(file_, bytes.data(), bytes.size()) ||
      !write_all(file_, &checksum, sizeof checksum) || ::fdatasync(file_) != 0)
    return failure(path_, "cannot be written");
  return std::nullopt;
}

}  // namespace assay::analysis
