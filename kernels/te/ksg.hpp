#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "kernels/spatial/rows.hpp"
#ifdef ASSAY_HAVE_CUDA
#include "kernels/windows/evaluate.hpp"
#endif

namespace assay {
class ThreadPool;
}

namespace assay::kernels::te {

struct KsgOptions {
  std::int64_t k = 4;
  int algorithm = 1;
  std::int64_t theiler_window = 0;
  spatial::Search search = spatial::Search::automatic;
};

/// Empty spans are not written.
struct KsgResult {
  std::span<double> value;         ///< 1
  std::span<double> local;         ///< n
  std::span<double> radii;         ///< (n, 3): eps_x, eps_y, eps_z
  std::span<std::int64_t> counts;  ///< (n, 3): n_xz, n_yz, n_z
};

/// Kraskov's estimate for many x with the same y, z and trials (engine/te/ksg.hpp): what depends on y and z
/// alone is built by the constructor. `z` without data: no condition. Every point has at least k admissible
/// neighbours.
class KsgPlan {
 public:
  KsgPlan(ThreadPool& pool, spatial::Rows y, spatial::Rows z, std::span<const std::int64_t> trial_lengths,
          const KsgOptions& options);
  KsgPlan(KsgPlan&&) noexcept;
  KsgPlan& operator=(KsgPlan&&) noexcept;
  ~KsgPlan();

  void evaluate(ThreadPool& pool, spatial::Rows x, const KsgResult& result);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

#ifdef ASSAY_HAVE_CUDA
/// The same on CUDA: points and results lie in device memory, trial lengths on the host. What is prepared
/// stays in `memory`, in whose open frame the plan lives; every call puts its work on the stream, whose
/// device is current.
class KsgCudaPlan {
 public:
  KsgCudaPlan(CUstream_st* stream, Workspace& memory, spatial::Rows y, spatial::Rows z,
              std::span<const std::int64_t> trial_lengths, const KsgOptions& options);

  void evaluate(CUstream_st* stream, Workspace& scratch, spatial::Rows x, const KsgResult& result) const;

 private:
  windows::Options options_;
  windows::Targets targets_;
  const double* psi_ = nullptr;
};
#endif

}  // namespace assay::kernels::te
