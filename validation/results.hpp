#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "validation/suite.hpp"

namespace assay::validation {

/// What a check came to. "Don't know" has names of its own and is never a pass.
enum class Verdict : std::uint8_t {
  pass,
  fail,
  xfail,         ///< fails as an open issue says it does
  xpass,         ///< no longer fails although the issue is open: red
  unsupported,   ///< the operation has no body for the backend
  not_executed,  ///< no device, or no time left
  vacuous,       ///< nothing was asserted in any case
  crashed,
  timeout
};

/// Which question a check asked: property (against itself), oracle (against the reference), golden (against
/// stored numbers), precondition (bad input is refused), mutant_control (the unmutated program under `assay
/// mutate`).
enum class CheckKind : std::uint8_t { property, oracle, golden, precondition, mutant_control };

std::string_view name_of(Verdict verdict);
std::string_view name_of(CheckKind kind);
/// Throws std::invalid_argument for an unknown name.
Verdict parse_verdict(std::string_view name);
CheckKind parse_check_kind(std::string_view name);
Backend parse_backend(std::string_view name);

/// Whether the verdict makes a run red.
bool is_red(Verdict verdict);

/// Error of one case beside what its bound allows.
struct UtilisationSample {
  std::string label;
  double observed = 0;
  double allowed = 0;
  double utilisation() const;
};

/// Everything that runs one failing case again, bit for bit.
struct Replay {
  std::string operation;
  std::string property;
  std::string backend;
  std::string version;  ///< of the program that wrote it
  std::uint64_t seed = 0;
  int cases = 0;
  int size = 0;                 ///< RapidCheck's size of the failing case
  unsigned threads = 0;         ///< of the CPU that it failed with; 0: one a core
  bool fixed_schedule = false;  ///< of those (engine/runtime/fixed_schedule.hpp)
  std::string reproduce;        ///< RapidCheck's own string: generator state, size and shrink path
  std::string golden;           ///< folder of a golden case (its id is the property); else empty
  std::string message;          ///< what failed, to be compared with what fails again
  std::vector<std::pair<std::string, std::string>>
      counterexample;  ///< (type or name, value) of what was drawn

  // What the smallest failing case was, and how it was found.
  std::string fingerprint;     ///< over its inputs, outputs and figures (CaseTrace); "" where unknown
  std::string inputs;          ///< "te.knn: points (7, 2)"
  std::int64_t elements = -1;  ///< of the floating-point inputs; -1: no operation was called
  std::int64_t non_zeros = 0;  ///< among them
  double shrink_seconds = 0;   ///< from the first failure to the smallest
  bool shrunk_to_end = true;   ///< every simpler case passes; false: the time for shrinking ran out
};

/// The result of one property, oracle or golden case on one backend.
struct CheckResult {
  std::string operation;
  std::string property;
  std::string backend;
  std::string against = "itself";
  CheckKind kind = CheckKind::property;
  Verdict verdict = Verdict::not_executed;
  std::int64_t cases = 0;       ///< that ran
  std::int64_t assertions = 0;  ///< that were made in them
  std::uint64_t seed = 0;
  std::optional<double> observed;  ///< of the case that used most of its bound
  std::optional<double> allowed;
  std::optional<double> utilisation;  ///< observed / allowed there
  std::vector<UtilisationSample> samples;
  std::string message;  ///< one line: why it is not a pass
  std::string issue;    ///< of an xfail or xpass: "#12"
  std::vector<std::pair<std::string, std::string>> notes;
  std::vector<Table> tables;
  std::vector<Plot> plots;
  double elapsed_ms = 0;
  std::optional<Replay> replay;
  bool mutant_reached = false;  ///< the selected planted fault was asked for where it takes effect

  /// "te.ksg/chain_rule/cpu"
  std::string name() const;
};

/// Adds a later run of the same check: cases add up, the worse verdict stays, tables and plots of the first
/// stay.
void merge(CheckResult& into, CheckResult&& later);

/// Keeps the `count` samples that used most of their bound, the worst first, and sets observed, allowed,
/// utilisation.
void keep_worst(CheckResult& result, std::size_t count);

void to_json(nlohmann::json& json, const Replay& replay);
void from_json(const nlohmann::json& json, Replay& replay);
void to_json(nlohmann::json& json, const CheckResult& result);
void from_json(const nlohmann::json& json, CheckResult& result);

}  // namespace assay::validation
