#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "kernels/spatial/rows.hpp"
#include "kernels/te/ksg.hpp"
#ifdef ASSAY_HAVE_CUDA
#include "kernels/lists/long_lists.hpp"
#endif

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

#ifdef ASSAY_HAVE_CUDA
/// The same on CUDA: sources, targets and results lie in device memory, trial lengths, seeds, skips and the
/// list of counted pairs on the host. What is prepared stays in `memory`, in whose open frame the plan lives.
class NetworkCudaPlan {
 public:
  NetworkCudaPlan(CUstream_st* stream, Workspace& memory, const NetworkSources& sources,
                  std::span<const std::int64_t> trial_lengths, const KsgOptions& options,
                  const NetworkDraws& draws);
  void evaluate(CUstream_st* stream, Workspace& scratch, const NetworkTargets& targets,
                std::span<const std::int64_t> skip, const NetworkResult& result) const;
  std::int64_t working_bytes(std::int64_t targets, std::int64_t dy, std::int64_t dz) const;

 private:
  void draw_surrogates(CUstream_st* stream, Workspace& memory, const NetworkSources& sources,
                       std::span<const std::int64_t> trial_lengths, const NetworkDraws& draws,
                       double* all) const;
  void prepare_lists(CUstream_st* stream, Workspace& memory);
  /// Bytes of what the plan holds, about: the trials of an exclusion window may need more.
  std::int64_t held_bytes() const;
  /// Targets of a batch of the search by lists, which is as large as the other batches of t targets.
  std::int64_t list_targets(std::int64_t t) const;
  /// Sources whose pairs with `targets` targets are searched at a time, at most.
  std::int64_t list_sources(std::int64_t targets) const;
  std::int64_t target_bytes(std::int64_t dy, std::int64_t dz) const;
  /// Of each pair of a batch of targets, where its counts go: (some, m) in device memory.
  const std::int32_t* slots_of(CUstream_st* stream, Workspace& scratch, std::int64_t first, std::int64_t some,
                               std::span<const std::int64_t> skip, const NetworkResult& result) const;
  /// y and z of all targets, (t, n) each in device memory, with the rows in their orders.
  struct SortedTargets {
    double *y = nullptr, *z = nullptr;
    std::int32_t *y_order = nullptr, *z_order = nullptr;
  };
  void search_by_lists(CUstream_st* stream, Workspace& scratch, const NetworkTargets& targets,
                       const SortedTargets& sorted, std::int64_t first, std::int64_t some,
                       std::span<const std::int64_t> skip, const NetworkResult& result) const;
  void search_by_long_lists(CUstream_st* stream, Workspace& scratch, const NetworkTargets& targets,
                            std::int64_t target, std::span<const std::int64_t> skip,
                            const NetworkResult& result) const;
  void search_by_windows(CUstream_st* stream, Workspace& scratch, const NetworkTargets& targets,
                         std::int64_t first, std::int64_t some, std::span<const std::int64_t> skip,
                         const NetworkResult& result) const;

  KsgOptions options_;
  std::int64_t m_;
  std::int32_t n_, d_;
  std::int64_t count_;  ///< surrogates of a source
  spatial::ExclusionView with_trials_, without_trials_;
  const double* psi_ = nullptr;
  /// (m, n, d), and from column first_surrogate_ on the surrogates of each source (m, count, n, d).
  const double* sources_ = nullptr;
  std::int64_t first_surrogate_ = 0;
  bool by_lists_ = false, by_long_lists_ = false;
  lists::Columns columns_;
  lists::LongSources long_sources_;
};
#endif

}  // namespace assay::kernels::te
