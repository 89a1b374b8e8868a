#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "kernels/spatial/rows.hpp"
#include "kernels/te/ksg.hpp"

namespace assay {
class ThreadPool;
}

namespace assay::kernels::te {

/// m sources of n rows and d columns each, one after the other.
struct NetworkSources {
  const double* x = nullptr;  ///< (m, n, d)
  std::int64_t m = 0, n = 0, d = 0;
  spatial::Rows source(std::int64_t s) const { return {x + s * n * d, n, d}; }
};

struct NetworkTargets {
  const double* y = nullptr;  ///< (t, n, dy)
  const double* z = nullptr;  ///< (t, n, dz)
  std::int64_t t = 0, dy = 0, dz = 0;
};

/// Surrogates of every source (kernels/resampling): `seeds` holds one a source.
struct NetworkDraws {
  std::int64_t count = 0;
  bool shift = false;
  std::span<const std::uint64_t> seeds = {};
};

struct CountedPair {
  std::int64_t source = 0, target = 0;
};

/// Null pointers are not written.
struct NetworkResult {
  double* values = nullptr;        ///< (m, t)
  double* surrogates = nullptr;    ///< (m, t, count)
  std::int64_t* counts = nullptr;  ///< (counted, n, 3)
  std::span<const CountedPair> counted = {};
};

/// Every source with every target (engine/te/network.hpp). Sources, trial lengths and seeds are copied. Every
/// point has at least k admissible neighbours, with the trials and without them.
class NetworkPlan {
 public:
  NetworkPlan(ThreadPool& pool, const NetworkSources& sources, std::span<const std::int64_t> trial_lengths,
              const KsgOptions& options, const NetworkDraws& draws);
  NetworkPlan(NetworkPlan&&) noexcept;
  NetworkPlan& operator=(NetworkPlan&&) noexcept;
  ~NetworkPlan();

  /// `skip` is empty or holds a source, or -1, for each target.
  void evaluate(ThreadPool& pool, const NetworkTargets& targets, std::span<const std::int64_t> skip,
                const NetworkResult& result);
  std::int64_t working_bytes(std::int64_t targets, std::int64_t dy, std::int64_t dz) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay::kernels::te
