#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/operation.hpp"
#include "engine/te/knn.hpp"

namespace assay::te {

struct KsgParameters {
  std::int64_t k = 4;
  int algorithm = 1;
  std::int64_t theiler_window = 0;
  Search search = Search::automatic;
};

/// Outputs of `ksg`; a view with a null pointer is not written.
struct KsgOutputs {
  TensorView value;   ///< (1) f64, nats
  TensorView local;   ///< (n) f64, nats, constant terms included; their mean is `value`
  TensorView radii;   ///< (n, 3) f64: eps_x, eps_y, eps_z (algorithm 1: the joint eps three times)
  TensorView counts;  ///< (n, 3) i64: n_xz, n_yz, n_z (without z: n_x, n_y and n - 1)
};

/// Conditional mutual information I(x; y | z) by nearest neighbours in Kraskov's form, on prepared points
/// (embedded, normalised, with noise added: engine/analysis). Transfer entropy is I(source past; target next
/// | target past); without z it is mutual information, and active information storage is I(past; next).
///
/// Kraskov, Stoegbauer, Grassberger 2004 (PRE 69, 066138), eqs. 8 and 9; Frenzel, Pompe 2007 (PRL 99,
/// 204101), eq. 7; algorithm 2 with a condition as in Lizier 2014 (JIDT). Maximum norm throughout; neighbours
/// and counts leave out the point itself and rows of its trial within the Theiler window. eps: distance to
/// the k-th neighbour in (x, y, z).
///
///   algorithm 1: psi(k) + < psi(n_z + 1) - psi(n_xz + 1) - psi(n_yz + 1) >, counts strictly below eps;
///                without z: psi(k) + psi(n) - < psi(n_x + 1) + psi(n_y + 1) >
///   algorithm 2: psi(k) - 2/k + < psi(n_z) - psi(n_xz) + 1/n_xz - psi(n_yz) + 1/n_yz >, counts with <=,
///   within eps_x,
///                eps_y and eps_z, the largest x, y and z distance among the k nearest (Ties, below);
///                without z: psi(k) - 1/k + psi(n) - < psi(n_x) + psi(n_y) >
///
/// Ties. Algorithm 1 needs only the k-th smallest distance, which ties do not blur; a zero k-th distance
/// gives zero counts and a local value of psi(k) - psi(1). Algorithm 2 needs to know which neighbours are the
/// k nearest. Among those tied at the k-th joint distance (the largest of their x, y and z distances) the one
/// with the smaller second largest of the three comes first, then the one with the smaller least; all that
/// still share the k-th place are taken. That depends neither on the order of the points nor on that of x, y
/// and z, compares distances without any arithmetic, and takes the nearer of two tied points, as a ball in
/// any smoother norm would. (Taking all the tied points makes the rectangle, and with it the bias on
/// quantised data, as large as can be.)
///
/// input   x: (n, dx), y: (n, dy), z: (n, dz) f64, finite; z optional; trial_lengths: (num_trials) i64,
/// optional, on the
///         host, summing to n
/// params  k from 1; algorithm 1 or 2; theiler_window >= 0
/// Refused (ContractError): n of x, y and z that differ, a point with fewer than k admissible neighbours. On
/// CUDA values that are not finite are refused at the next synchronisation (DeviceError).
///
/// Counts and radii are exact. What is left of an estimate is a sum of psi at whole numbers from 1 to n,
/// composed in `ksg_error` (engine/error_bounds.hpp), u = 2^-53:
///  1. Each psi is off by at most the largest digamma_error up to n, which has the reference's own error in
///     it, and no larger than max(0.58, ln n). Algorithm 2 adds 1/k or 2/k and 1/counts, each at most 2 and
///     one rounding.
///  2. A local value adds at most seven of these terms, in any order, in no more than 6 additions; so does
///  the
///     reference, in double.
///  3. The mean. A term passes through at most h = 40 + log2 n additions: on the CPU those of a tree, on CUDA
///     at most 16 of a thread (kernels/lists/count.cu), trees of a warp, a block and all blocks, or 15 warps
///     in turn. Then a division, and the constant where it was left out. The reference's mean is a running
///     sum of n values in 80 bits, rounded once.
///
/// The result does not depend on the number of threads, bit for bit.
void ksg(Context& context, const ConstTensorView& x, const ConstTensorView& y, const ConstTensorView& z,
         std::span<const std::int64_t> trial_lengths, const KsgParameters& parameters,
         const KsgOutputs& outputs);

/// What is allowed of a local value (or, `mean`, of the estimate itself) at n points: points 1 to 3.
double ksg_error(std::int64_t n, std::int64_t k, int algorithm, bool mean);

/// `ksg` for many x with the same y, z, trials and parameters, as surrogates and networks have them: what
/// depends on y and z alone is prepared once. Results equal those of `ksg` bit for bit. y and z are copied; x
/// may have another dx at each call. Used by one thread at a time.
class KsgPlan {
 public:
  /// Throws as `ksg` does.
  KsgPlan(Context& context, const ConstTensorView& y, const ConstTensorView& z,
          std::span<const std::int64_t> trial_lengths, const KsgParameters& parameters);
  KsgPlan(KsgPlan&&) noexcept;
  KsgPlan& operator=(KsgPlan&&) noexcept;
  ~KsgPlan();

  void evaluate(Context& context, const ConstTensorView& x, const KsgOutputs& outputs);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Operation describe_ksg();

}  // namespace assay::te
