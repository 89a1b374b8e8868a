#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "benchmarks/hygiene.hpp"
#include "engine/operation.hpp"

namespace assay {
class Stream;
}

namespace assay::benchmarks {

/// CPU time of all threads of this process, in seconds.
struct CpuClock {
  double seconds = 0;
  static CpuClock now();
};

/// How a device's cache is kept from serving what memory should.
enum class CacheState : std::uint8_t {
  rotated,  ///< as many copies of the buffers, used in turn, as exceed the cache five times over
  /// A copy for every call of a sample, and before each sample the cache is overwritten: less to prepare
  /// where buffers are small and samples few.
  overwritten,
  warm  ///< the same buffers again
};

/// One call of an operation with everything in place to be timed again and again: arguments and outputs where
/// the backend computes, on a device so that every call finds its data in memory, or as `cache` says. On the
/// CPU the same buffers are used again ("warm").
class PreparedCall {
 public:
  PreparedCall(Context& context, const Operation& operation, const HostArguments& arguments,
               CacheState cache = CacheState::rotated);
  ~PreparedCall();
  PreparedCall(const PreparedCall&) = delete;
  PreparedCall& operator=(const PreparedCall&) = delete;

  /// Warms up by time, then finds how many calls make a sample that the clock resolves to better than 0.1 %,
  /// or one that takes at least `sample_seconds` where that is longer.
  std::int64_t calibrate(double warm_up_seconds = 0.05, double sample_seconds = 0);
  /// One call, not waited for.
  void run();
  /// Seconds that one sample of that many calls takes: device events on CUDA, the steady clock on the CPU. On
  /// a device the clock that its multiprocessors had meanwhile comes along, and what the management library
  /// says of it. What `behind` puts on a device's stream is timed too: for slowdowns that are planted.
  Sample sample(const std::function<void(Stream&)>& behind = {});
  /// Why the management library says nothing; empty where it does, and on the CPU.
  std::string unmonitored() const;
  /// The outputs of a call made now, on the host.
  std::map<std::string, Tensor> outputs();
  std::string cache() const;
  /// On a device, after `calibrate`: what one call launches and copies, with numbers. Empty on the CPU.
  std::string launches() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay::benchmarks
