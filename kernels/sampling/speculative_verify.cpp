// sampling.speculative_verify on the CPU: the steps of a row one after the other, as far as their tokens are
// taken, then one draw. All comparisons and sums are of integers (kernels/distribution/verification.hpp).
#include "kernels/sampling/speculative_verify.hpp"

#include <algorithm>
#include <utility>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/distribution/verification.hpp"
#include "kernels/distribution/weight.hpp"
#include "kernels/filters/filters.hpp"
#include "kernels/filters/left.hpp"
#include "kernels/filters/passes.hpp"

namespace assay::kernels::sampling {

namespace {

using distribution::Wide128;

/// A worker's scratch: a row with its weights, and the weights of a second one.
struct Room {
  filters::RowScratch row;
  std::uint64_t* target;
  std::uint64_t* draft;

  Room(std::byte* memory, std::int64_t tokens)
      : row(memory, tokens),
        target(row.weights),
        draft(reinterpret_cast<std::uint64_t*>(memory + filters::RowScratch::bytes(tokens))) {}
};

class Row {
 public:
  Row(const SpeculativeCall& call, std::int64_t row, Room& room)
      : call_(call),
        row_(row),
        room_(room),
        drafted_(call.drafted == nullptr || mutant("sampling.speculative_verify.length_ignored")
                     ? call.steps
                     : call.drafted[row]),
        seed_(static_cast<std::uint64_t>(call.seed[row])) {}

  void run() {
    std::int64_t step = 0;
    while (step < drafted_ && takes(step)) ++step;
    call_.accepted[row_] = static_cast<std::int32_t>(step);
    std::int32_t* const out = call_.out + row_ * (call_.steps + 1);
    const std::int32_t* const proposed = call_.draft_tokens + row_ * call_.steps;
    const bool kept = mutant("sampling.speculative_verify.rejected_kept");
    std::fill_n(out, call_.steps + 1, -1);
    std::copy_n(proposed, kept ? drafted_ : step, out);
    out[step] = drawn_at(step);
  }

 private:
  std::uint64_t position(std::int64_t step) const {
    if (mutant("sampling.speculative_verify.counter_reused")) step = 0;
    return static_cast<std::uint64_t>(call_.position[row_]) + static_cast<std::uint64_t>(step);
  }

  /// Writes a row's weights; returns their sum.
  std::uint64_t weigh(const StepLogits& logits, std::int64_t step, std::uint64_t* weights) const {
    const auto width = static_cast<std::int64_t>(size_of(call_.dtype));
    LogitRows one;
    one.dtype = call_.dtype;
    one.data = logits.data + logits.element(row_, step) * width;
    one.row_stride = one.tokens = call_.tokens;
    one.rows = 1;
    const filters::Left left = filters::load_row(one, 0, room_.row);
    return filters::weigh(left.logits, left.count, filters::greatest(left.logits, left.count), weights);
  }

  /// Whether the draft token of the step is taken. The step's weights are in the room afterwards.
  bool takes(std::int64_t step) {
    target_total_ = weigh(call_.target, step, room_.target);
    draft_total_ = weigh(call_.draft, step, room_.draft);
    const std::int32_t token = call_.draft_tokens[row_ * call_.steps + step];
    std::uint64_t target = room_.target[token], draft = room_.draft[token];
    if (mutant("sampling.speculative_verify.ratio_inverted")) std::swap(target, draft);
    const std::uint64_t random =
        distribution::stream_bits(seed_, distribution::acceptance_stream, position(step));
    if (mutant("sampling.speculative_verify.totals_left_out"))
      return distribution::accepts(random, target, 1, draft, 1);
    if (mutant("sampling.speculative_verify.always_taken") && target > 0) return true;
    return distribution::accepts(random, target, target_total_, draft, draft_total_);
  }

  std::int32_t drawn_at(std::int64_t step) {
    if (step == drafted_) {  // all were taken: one more, of the target's own
      const bool stale = mutant("sampling.speculative_verify.stale_bonus") && step > 0;
      target_total_ = weigh(call_.target, stale ? step - 1 : step, room_.target);
      draft_total_ = 0;
    }
    const std::uint64_t stream = mutant("sampling.speculative_verify.stream_reused")
                                     ? distribution::acceptance_stream
                                     : distribution::residual_stream;
    const std::uint64_t random = distribution::stream_bits(seed_, stream, position(step));
    if (mutant("sampling.speculative_verify.target_for_residual")) draft_total_ = 0;
    Wide128 total = residual_total();
    if (total == 0) {  // nothing of the target is beyond the draft
      draft_total_ = 0;
      total = residual_total();
    }
    const Wide128 point = distribution::wide_point_in(random, total);
    Wide128 sum = 0;
    for (std::int64_t id = 0; id < call_.tokens; ++id) {
      sum += residual(id);
      if (point < sum) return static_cast<std::int32_t>(id);
    }
    return -1;
  }

  Wide128 residual(std::int64_t id) const {
    if (draft_total_ > 0 && mutant("sampling.speculative_verify.residual_of_both")) {
      const Wide128 missed =
          distribution::residual_weight(room_.target[id], target_total_, room_.draft[id], draft_total_);
      return missed > 0 ? missed
                        : distribution::residual_weight(room_.draft[id], draft_total_, room_.target[id],
                                                        target_total_);
    }
    return distribution::residual_weight(room_.target[id], target_total_, room_.draft[id], draft_total_);
  }

  Wide128 residual_total() const {
    Wide128 sum = 0;
    for (std::int64_t id = 0; id < call_.tokens; ++id) sum += residual(id);
    return sum;
  }

  const SpeculativeCall& call_;
  std::int64_t row_;
  Room& room_;
  std::int64_t drafted_;
  std::uint64_t seed_;
  std::uint64_t target_total_ = 0;
  std::uint64_t draft_total_ = 0;  ///< 0 where the draft has no part in the draw
};

}  // namespace

std::size_t speculative_scratch(std::int64_t tokens) {
  // Weights are written in whole vectors.
  const auto weights = static_cast<std::size_t>((tokens + 127) / 64 * 64) * sizeof(std::uint64_t);
  return filters::RowScratch::bytes(tokens) + weights;
}

void speculative_verify_cpu(ThreadPool& pool, const SpeculativeCall& call, std::span<std::byte> scratch) {
  pool.parallel_for(call.rows, 1, [&](std::int64_t begin, std::int64_t end, unsigned worker) {
    Room room(scratch.data() + worker * speculative_scratch(call.tokens), call.tokens);
    for (std::int64_t row = begin; row < end; ++row) Row(call, row, room).run();
  });
}

}  // namespace assay::kernels::sampling
