#include "reports/record.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>

namespace assay::reports {
namespace {

template <typename Enum>
struct Named {
  Enum value;
  std::string_view name;
};

constexpr std::array<Named<RunState>, 3> run_states{{
    {RunState::running, "running"},
    {RunState::complete, "complete"},
    {RunState::interrupted, "interrupted"},
}};

constexpr std::array<Named<CheckKind>, 5> check_kinds{{
    {CheckKind::property, "property"},
    {CheckKind::oracle, "oracle"},
    {CheckKind::golden, "golden"},
    {CheckKind::precondition, "precondition"},
    {CheckKind::mutant_control, "mutant-control"},
}};

constexpr std::array<Named<Verdict>, verdict_count> verdicts{{
    {Verdict::pass, "pass"},
    {Verdict::fail, "fail"},
    {Verdict::xfail, "xfail"},
    {Verdict::xpass, "xpass"},
    {Verdict::unsupported, "unsupported"},
    {Verdict::not_executed, "not_executed"},
    {Verdict::vacuous, "vacuous"},
    {Verdict::crashed, "crashed"},
    {Verdict::timeout, "timeout"},
}};

constexpr std::array<Named<Validity>, 2> validities{{
    {Validity::valid, "valid"},
    {Validity::invalid, "invalid"},
}};

constexpr std::array<Named<MutantStatus>, 5> mutant_statuses{{
    {MutantStatus::caught, "caught"},
    {MutantStatus::missed, "missed"},
    {MutantStatus::not_reached, "not_reached"},
    {MutantStatus::crashed, "crashed"},
    {MutantStatus::timeout, "timeout"},
}};

constexpr std::array<Named<CalibrationSubject>, 9> calibration_subjects{{
    {CalibrationSubject::false_reds, "false_reds"},
    {CalibrationSubject::replay, "replay"},
    {CalibrationSubject::budget, "budget"},
    {CalibrationSubject::validate, "validate"},
    {CalibrationSubject::mechanical, "mechanical"},
    {CalibrationSubject::exploit, "exploit"},
    {CalibrationSubject::false_changes, "false_changes"},
    {CalibrationSubject::slowdowns, "slowdowns"},
    {CalibrationSubject::filters, "filters"},
}};

template <typename Names, typename Enum>
std::string_view name_of(const Names& names, Enum value) {
  for (const auto& entry : names)
    if (entry.value == value) return entry.name;
  return "unknown";
}

template <typename Enum, std::size_t n>
std::optional<Enum> value_of(const std::array<Named<Enum>, n>& names, std::string_view name) {
  for (const auto& entry : names)
    if (entry.name == name) return entry.value;
  return std::nullopt;
}

/// FNV-1a, 64 bits: a name for a set of facts, not a defence against anybody.
std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

}  // namespace

std::string Environment::get(std::string_view key) const {
  const auto found = facts.find(std::string(key));
  return found == facts.end() ? std::string() : found->second;
}

const std::vector<std::string>& fingerprint_keys() {
  static const std::vector<std::string> keys{"device", "driver",   "cuda",       "cpu",
                                             "cores",  "compiler", "build_type", "flags"};
  return keys;
}

std::string Environment::fingerprint() const {
  // Lengths go in as well, so that no two sets of facts run together to the same text.
  std::string text;
  for (const auto& key : fingerprint_keys()) {
    std::string value = get(key);
    if (key == "device" && value.empty()) value = "none";
    text += key + '=' + std::to_string(value.size()) + ':' + value + '\n';
  }
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(fnv1a(text)));
  return hex;
}

std::string check_key(const Check& check) {
  std::string key = check.operation + '/';
  if (check.kind == CheckKind::golden || check.kind == CheckKind::precondition ||
      check.kind == CheckKind::mutant_control)
    key += std::string(to_string(check.kind)) + ':';
  return key + check.name + '/' + check.backend;
}

std::string benchmark_key(const Benchmark& benchmark) {
  std::string key = benchmark.operation + '/' + benchmark.label + '/' + benchmark.backend;
  if (!benchmark.peer.empty()) key += '@' + benchmark.peer;
  return key;
}

bool counts_as_caught(MutantStatus status) {
  return status == MutantStatus::caught || status == MutantStatus::crashed || status == MutantStatus::timeout;
}

std::string make_run_id() {
  std::random_device device;
  std::array<unsigned, 4> words{device(), device(), device(), device()};
  words[1] = (words[1] & 0xffff0fffu) | 0x00004000u;  // version 4
  words[2] = (words[2] & 0x3fffffffu) | 0x80000000u;  // the variant of RFC 4122
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%04x%08x", words[0], words[1] >> 16,
                words[1] & 0xffffu, words[2] >> 16, words[2] & 0xffffu, words[3]);
  return text;
}

std::string utc_now() {
  using namespace std::chrono;
  const auto now = floor<milliseconds>(system_clock::now());
  const std::time_t seconds_part = system_clock::to_time_t(floor<seconds>(now));
  std::tm parts{};
  gmtime_r(&seconds_part, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(now.time_since_epoch().count() % 1000));
  return text;
}

std::string_view to_string(RunState value) {
  return name_of(run_states, value);
}
std::string_view to_string(CheckKind value) {
  return name_of(check_kinds, value);
}
std::string_view to_string(Verdict value) {
  return name_of(verdicts, value);
}
std::string_view to_string(Validity value) {
  return name_of(validities, value);
}
std::string_view to_string(MutantStatus value) {
  return name_of(mutant_statuses, value);
}
std::string_view to_string(CalibrationSubject value) {
  return name_of(calibration_subjects, value);
}

std::optional<RunState> parse_run_state(std::string_view name) {
  return value_of(run_states, name);
}
std::optional<CheckKind> parse_check_kind(std::string_view name) {
  return value_of(check_kinds, name);
}
std::optional<Verdict> parse_verdict(std::string_view name) {
  return value_of(verdicts, name);
}
std::optional<Validity> parse_validity(std::string_view name) {
  return value_of(validities, name);
}
std::optional<MutantStatus> parse_mutant_status(std::string_view name) {
  return value_of(mutant_statuses, name);
}
std::optional<CalibrationSubject> parse_calibration_subject(std::string_view name) {
  return value_of(calibration_subjects, name);
}

}  // namespace assay::reports
