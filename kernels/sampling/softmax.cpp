// sampling.softmax on the CPU: a row's maximum, the sum of its integer weights, and the share of each token.
#include "kernels/sampling/softmax.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/share.hpp"
#include "kernels/filters/passes.hpp"
#include "kernels/filters/row_loop.hpp"
#include "kernels/filters/shares.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;

void run_row(const SoftmaxCall& call, std::int64_t row, const Left& left, RowScratch& scratch) {
  float* const out = call.probabilities + row * call.in.tokens;
  const float maximum = greatest(left.logits, left.count);
  std::uint64_t total = weigh(left.logits, left.count, maximum, scratch.weights);
  if (mutant("sampling.softmax.single_precision_total"))
    total = static_cast<std::uint64_t>(static_cast<float>(total));
  if (mutant("sampling.softmax.total_of_maximum") && total > 0)
    total = std::uint64_t{1} << distribution::weight_bits;
  const double inverse = distribution::inverse_mass(total);
  // A whole row goes where it belongs at once; what a mask has left is spread out.
  float* const shares = left.whole ? out : reinterpret_cast<float*>(scratch.items);
  write_shares(left.logits, left.count, maximum, inverse, shares);
  if (mutant("sampling.softmax.weight_for_share"))
    for (std::int64_t at = 0; at < left.count; ++at)
      shares[at] = static_cast<float>(static_cast<double>(scratch.weights[at]) * 0x1p-45 * inverse);
  if (total == 0 && mutant("sampling.softmax.uniform_of_nothing"))
    std::fill_n(shares, left.count, 1.0F / static_cast<float>(left.count));
  if (left.whole) return;
  std::fill_n(out, call.in.tokens, 0.0F);
  for (std::int64_t at = 0; at < left.count; ++at) out[left.id(at)] = shares[at];
}

}  // namespace

void softmax_cpu(ThreadPool& pool, const SoftmaxCall& call, std::span<std::byte> scratch) {
  LogitRows in = call.in;
  if (mutant("sampling.softmax.mask_ignored")) in.mask = nullptr;
  for_each_row(pool, in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    if (mutant("sampling.softmax.infinity_unshared")) {
      const float most = greatest(left.logits, left.count);
      bool met = false;
      for (std::int64_t at = 0; at < left.count && most == std::numeric_limits<float>::infinity(); ++at)
        if (left.logits[at] == most && std::exchange(met, true)) left.logits[at] = -most;
    }
    run_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::sampling
