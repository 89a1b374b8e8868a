#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/analysis/prepare.hpp"
#include "engine/runtime/context.hpp"
#include "engine/te/ksg.hpp"
#include "engine/te/network.hpp"

namespace assay::analysis {

/// Points by reference: what an estimator reads.
struct PointsView {
  ConstTensorView x, y, z;  ///< (n, dx), (n, dy), (n, dz); dz may be 0
  std::span<const std::int64_t> trial_lengths;
};
PointsView view_of(const Points& points);

/// The estimate in nats; `local` is filled where it was asked for: (n), its mean is `value`.
struct KsgResult {
  double value = 0;
  std::vector<double> local;
};

/// Evaluates one x-part against fixed y, z, trials and parameters: nats.
using SourceEvaluator = std::function<double(const ConstTensorView& x)>;

/// Something that evaluates te.ksg on prepared points: a backend, or the reference. It is a value so that the
/// layer above can hand in a body that the engine must not know.
struct Estimator {
  std::string name;  ///< "cpu", "cuda" or "reference"
  /// Called by one thread at a time; may use every core itself.
  std::function<KsgResult(const PointsView&, const te::KsgParameters&, bool local)> evaluate;
  /// Prepares what depends on y and z alone, for many x (surrogates). `x` of the points is not read.
  /// The points must outlive the evaluator, and so must the estimator's context. Values equal those
  /// of `evaluate` bit for bit.
  std::function<SourceEvaluator(const PointsView&, const te::KsgParameters&)> plan;
  /// Makes an estimator of the same kind that runs on the calling thread alone, so that a loop over
  /// surrogates or pairs can give one to each worker. Empty: no such thing (CUDA), the loop is then serial.
  std::function<Estimator()> serial;
  /// All surrogates of one x at once, as te::NetworkPlan draws them from the seed. Empty: they are drawn and
  /// evaluated one by one.
  std::function<std::vector<double>(const PointsView&, const te::KsgParameters&, te::Resampling,
                                    std::int64_t count, std::uint64_t seed)>
      resample;
};

/// te::ksg on the context's backend. The context must outlive the estimator.
Estimator engine_estimator(Context& context);

/// Calls task(i, estimator) for i in [0, count): on all workers of the pool, a serial estimator each,
/// where the estimator has those; else one after the other. Results must not depend on the order.
/// Rethrows the first exception.
void for_each(ThreadPool& pool, const Estimator& estimator, std::int64_t count,
              const std::function<void(std::int64_t index, const Estimator&)>& task);

}  // namespace assay::analysis
