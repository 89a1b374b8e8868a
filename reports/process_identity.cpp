#include "reports/process_identity.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace assay::reports {
namespace {

std::string first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("unknown");
}

std::string boot() {
  return first_line("/proc/sys/kernel/random/boot_id");
}

std::string pid_namespace() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
}

/// Field 22 of /proc/PID/stat, in clock ticks since boot; "" where there is no such process, or only what is
/// left of one until its parent collects it.
std::string start_time(const std::string& pid) {
  const std::string stat = first_line("/proc/" + pid + "/stat");
  const auto name_end = stat.rfind(')');  // the name may itself hold blanks and brackets
  if (name_end == std::string::npos) return {};
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22 && fields >> field; ++number)
    if (number == 3 && (field == "Z" || field == "X")) return {};
  return field;
}

std::vector<std::string> parts_of(const std::string& identity) {
  std::vector<std::string> parts;
  std::istringstream in(identity);
  for (std::string part; std::getline(in, part, '|');) parts.push_back(part);
  return parts;
}

}  // namespace

std::string own_identity() {
  const std::string pid = std::to_string(getpid());
  return host_name() + '|' + boot() + '|' + pid_namespace() + '|' + pid + '|' + start_time(pid);
}

bool is_gone(const std::string& identity) {
  const auto parts = parts_of(identity);
  if (parts.size() != 5 || parts[0] != host_name()) return false;
  if (parts[1] != boot()) return true;
  if (parts[2] != pid_namespace()) return false;
  return start_time(parts[3]) != parts[4];
}

}  // namespace assay::reports
