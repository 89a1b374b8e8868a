#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/instructions.hpp"
#include "engine/runtime/context.hpp"

/// The suite measured once and briefly: what one process of `assay compare` does. The process is the unit
/// there, so a few samples of each case are enough, and many processes are what takes time.
namespace assay::benchmarks {

/// What processes of one block take turns by, so that only one of them works at a time: a machine that
/// becomes slower for a while is slower for all of them.
class Turns {
 public:
  virtual ~Turns() = default;
  /// Waits for this process's turn.
  virtual void take() = 0;
  /// Ends it.
  virtual void pass() = 0;
};

struct BriefOptions {
  std::function<bool(const std::string& operation)> wanted;  ///< empty: all
  std::vector<std::string> names;                            ///< of cases (name_of), in order; empty: all
  std::map<std::string, int> samples;  ///< of those that are named here; of others by time
  Turns* turns = nullptr;              ///< for the preparation of a case, each sample and the end; not owned
  double seconds = 0.008;              ///< of samples a case, three at least
  double sample_seconds = 0.001;       ///< a sample takes at least
  double longest_call = 0.02;          ///< a case of longer calls is left out; 0: none is
  bool check = false;                  ///< hold the answers to the reference first
  std::uint64_t seed = 1;
};

/// What one case came to. Times are of one call.
struct BriefMeasurement {
  std::string name;
  double too_long = 0;  ///< seconds of a call that is longer than it may be; then nothing else is known
  std::string failure;  ///< why the answer is wrong; then it has no times
  std::map<std::string, double> medians;      ///< "wall" and "cpu" in ns, "instructions"
  std::map<std::string, double> resolutions;  ///< of the same, of one call
  std::string answer;                         ///< a digest of the outputs' bits
  std::string launches;                       ///< on a device: what one sample launches, in order
  std::int64_t planted_steps = 0;             ///< of a slowdown on the CPU, in one call (slowdown.hpp)
  std::int64_t calls = 0;                     ///< a sample
  int samples = 0;
  double seconds = 0;  ///< that the case took in all, its check apart
};

/// Names of the cases that would be measured on that backend.
std::vector<std::string> brief_names(const BriefOptions& options, Backend backend);

/// Measures the cases. Wall time is the steady clock's, or between two device events; CPU time is that of all
/// threads of the process; instructions where the counter works. On a device there is wall time alone, of the
/// samples that hygiene.hpp leaves; where it leaves too few the case has failed. Under `assay-mutants` a
/// slowdown may be planted in every sample (slowdown.hpp, device_slowdown.hpp). Output bits must be the same
/// before and after timing.
std::vector<BriefMeasurement> measure_briefly(Context& context, const BriefOptions& options,
                                              const InstructionCounter& instructions);

}  // namespace assay::benchmarks
