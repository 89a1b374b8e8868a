#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/measurement.hpp"
#include "benchmarks/suite.hpp"
#include "engine/runtime/context.hpp"

namespace assay::benchmarks {

struct Options {
  std::function<bool(const std::string& operation)> wanted;  ///< empty: all
  std::string named;     ///< only this case ("te.ksg/n=10000,k=4"), also where `quick` would leave it out
  bool quick = false;    ///< only the quick cases, and shorter
  bool peers = false;    ///< run the peers beside the cases they name
  double seconds = 0.5;  ///< time spent on each case: 30 to 20,000 samples
  std::uint64_t seed = 1;
  /// Called when a case begins: (done so far, of how many, name).
  std::function<void(int, int, const std::string&)> progress;
};

/// "te.ksg/n=10000,k=4/cpu".
std::string name_of(const std::string& operation, const Case& item, Backend backend);

/// The cases that `run` would run on that backend.
std::vector<std::string> names(const Options& options, Backend backend);

/// Holds the answer for these arguments, or for the case's own smaller ones, to the reference. Empty where it
/// is right; else why not.
std::string wrong_answer(Context& context, const Operation& operation, const Case& item,
                         const HostArguments& arguments, std::uint64_t seed);

/// Whether the case is measured on that backend.
bool runs_on(const Operation& operation, const Case& item, Backend backend);

/// The first output whose bits differ; empty where none does.
std::string unequal_output(const std::map<std::string, Tensor>& before,
                           const std::map<std::string, Tensor>& after);

/// Checks one case and measures it; `operation` need not be the listed one (a test passes wrong ones).
Measurement measure(Context& context, const Operation& operation, const Case& item,
                    const std::vector<Ceiling>& ceilings, const Options& options);

/// One call of the case of that name ("te.ksg/n=10000,k=4"), after one to warm up, in a profiler's range
/// "assay once". False where no case has that name on the context's backend.
bool call_once(Context& context, const std::string& name, std::uint64_t seed);

/// Checks and measures the cases on the context's backend, through Google Benchmark. A case whose answer is
/// wrong is not timed: it comes back with `failure`. Peers that are not there come back with
/// `invalid_reason`.
std::vector<Measurement> run(Context& context, const Options& options);

/// Runs the same cases under Google Benchmark's own command line and console output (its flags choose the
/// cases). Returns the number that ran.
std::size_t run_google_benchmark(Context& context, const Options& options, int* argc, char** argv);

}  // namespace assay::benchmarks
