#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/operation.hpp"
#include "engine/te/ksg.hpp"

namespace assay::te {

/// How rows of a source are put into another order, so that what it says about the target is destroyed.
enum class Resampling : std::uint8_t {
  permute,  ///< a random permutation of the n rows
  shift     ///< a circular shift within each trial, by a random lag of at least a tenth of the trial
};

struct NetworkSurrogates {
  std::int64_t count = 0;  ///< a source; 0: none
  Resampling method = Resampling::permute;
  /// One seed a source: surrogate s of a source is a function of its seed and s alone, the same for every
  /// target.
  std::vector<std::uint64_t> seeds = {};
};

/// One entry of the matrix whose counts are asked for.
struct NetworkPair {
  std::int64_t source = 0;
  std::int64_t target = 0;  ///< among the targets of the call
};

/// Outputs of one call for t targets; a view with a null pointer is not written.
struct NetworkOutputs {
  TensorView values;      ///< (m, t) f64, nats; NaN where the source is skipped
  TensorView surrogates;  ///< (m, t, count) f64, nats; NaN where the source is skipped
  TensorView counts;      ///< (pairs, n, 3) i64: n_xz, n_yz, n_z of `counted`, as in te.ksg
  std::span<const NetworkPair> counted = {};  ///< on the host, each once; a skipped one gets zeros
};

/// te.ksg of every source with every target: I(x_s; y_t | z_t) for m sources and t targets over the same n
/// observations and trials. For transfer entropy between all pairs of a table, x_s is the past of column s,
/// y_t the next value and z_t the past of column t. Definition, ties and exactness of counts are those of
/// te.ksg (engine/te/ksg.hpp): every entry equals that of `ksg` to the rounding of one sum, every count
/// equals its counts.
///
/// What depends on sources alone is prepared when the plan is made, what depends on a target once for all of
/// its sources. Surrogates replace row i of x_s by its row r_i; as in JIDT their row numbers act as times,
/// and the trials are dropped: the exclusion window looks at |i - j| alone.
///
/// input   sources: (m, n, dx) f64, finite; trial_lengths as in te.ksg; y: (t, n, dy), z: (t, n, dz) f64,
/// finite;
///         z without a pointer or with dz = 0: no condition
/// params  those of te.ksg; `search` auto chooses by size, `sorted` searches every pair on its own (the
/// oracle) Refused (ContractError): n of sources, y and z that differ, a point with fewer than k admissible
/// neighbours, as many seeds as not one a source where surrogates are asked for.
///
/// |error| of an entry: the bound of te.ksg's value. The result does not depend, bit for bit within one
/// backend, on the number of threads or on the other targets of the call, and on the CPU not on the other
/// sources: a pair alone has the value that it has in a network. On CUDA the counts do not depend on them
/// either, but the order in which a value's terms are added may: ties in one of 32 neighbouring sources send
/// all of them the way of tied data (kernels/lists/walk.cuh), where the count of y and z is not known yet
/// and is added last; and beyond 2,048 points few sources are searched in another way than many.
class NetworkPlan {
 public:
  NetworkPlan(Context& context, const ConstTensorView& sources, std::span<const std::int64_t> trial_lengths,
              const KsgParameters& parameters, const NetworkSurrogates& surrogates = {});
  NetworkPlan(NetworkPlan&&) noexcept;
  NetworkPlan& operator=(NetworkPlan&&) noexcept;
  ~NetworkPlan();

  /// `skip[j]`: the source that target j is not asked about (itself), or -1; empty: none.
  void evaluate(Context& context, const ConstTensorView& y, const ConstTensorView& z,
                std::span<const std::int64_t> skip, const NetworkOutputs& outputs);

  /// Bytes of memory (of the backend) that `evaluate` takes for a call with `targets` targets beside its
  /// arguments and outputs: what a plan of a large network is made from.
  std::int64_t working_bytes(std::int64_t targets, std::int64_t dy, std::int64_t dz) const;

 private:
  friend Operation describe_network();
  /// `in_context_memory`: what is prepared lies in a frame of the context's workspace, which the plan must
  /// not outlive.
  NetworkPlan(Context& context, const ConstTensorView& sources, std::span<const std::int64_t> trial_lengths,
              const KsgParameters& parameters, const NetworkSurrogates& surrogates, bool in_context_memory);

  struct State;
  std::unique_ptr<State> state_;
};

Operation describe_network();

}  // namespace assay::te
