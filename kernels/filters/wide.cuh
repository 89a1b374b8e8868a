#pragma once

// Steps on a row that the blocks of a cluster hold. A filter first asks how many tokens can pass it; where
// they are few, they go to the first block as a list, and it goes on alone (few.cuh). Otherwise the filter
// marks what it drops and the row stays where it is.
#include "kernels/filters/estimate.cuh"
#include "kernels/filters/few.cuh"
#include "kernels/filters/find_cut.cuh"
#include "kernels/filters/row_parameters.cuh"

namespace assay::kernels::filters {

/// How a filter ended.
enum class Way : std::uint8_t {
  wide,     ///< applied; the row is where it was
  listed,   ///< not applied yet: what may pass it is in the first block's list
  cut_list  ///< applied: the first tokens of the list, sorted, are what is left
};

class Wide {
 public:
  __device__ Wide(const Part& part, Peers& peers, Room& room, Faults faults)
      : part_(part), peers_(peers), room_(room), faults_(faults) {}

  __device__ const RowState& state() const { return state_; }
  /// After load(), whose exchange still holds the greatest logit of each warp.
  __device__ void loaded(RowState state) {
    state_ = state;
    fresh_ = true;
  }
  /// Length of the list, and after `cut_list` of what is left of it; known in all blocks.
  __device__ int listed() const { return listed_; }

  /// All that is left, as a list. Precondition: at most `most_few`.
  __device__ void list_all() {
    list([](float logit) { return is_left(logit); });
  }

  __device__ Way top_k(std::int64_t k) {
    if (k > 0 && faults_(Fault::top_k_one_more)) ++k;
    if (k <= 0 || k >= state_.count) return Way::wide;
    const std::uint32_t low = key_with(static_cast<int>(k));
    if (try_list(low, static_cast<int>(k))) return Way::listed;
    cut_by_count(static_cast<int>(k));
    return Way::wide;
  }

  __device__ Way top_p(double p, std::int64_t min_keep) {
    if (p >= 1 || state_.count == 0) return Way::wide;
    const int least = least_of(min_keep);
    if (state_.maximum == rows::minus_infinity()) return top_k(least);
    if (isfinite(state_.maximum)) {
      const Way way = top_p_of_head(p, least);
      if (way != Way::wide) return way;
    }
    const Word total = total_of(part_, peers_, state_.maximum, faults_);
    const auto weight = [=, maximum = state_.maximum, faults = faults_](float logit) {
      return weight_under(maximum, logit, faults);
    };
    const CudaCut cut = find_cut<3>(part_, peers_, room_, 1, key_of(state_.maximum), needed_of(p, total),
                                    LogitKey(), weight, faults_);
    keep_longer(cut, LogitKey(), weight, least, key_of(state_.maximum));
    return Way::wide;
  }

  __device__ Way min_p(const RowParameters& one) {
    if (!(one.min_p > 0) || state_.count == 0) return Way::wide;
    const double bound = static_cast<double>(state_.maximum) + one.log_min_p;
    const int least = least_of(one.min_keep);
    const bool strict = faults_(Fault::min_p_strict);
    const auto reaches = [=](float logit) {
      return strict ? static_cast<double>(logit) > bound : static_cast<double>(logit) >= bound;
    };
    const int reach = count(reaches);
    if (reach < least) return top_k(least);
    if (reach <= most_few) {
      list(reaches);
      return Way::listed;
    }
    part_.change([&](int, float(&four)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (!reaches(four[i])) four[i] = dropped();
    });
    state_.count = reach;
    fresh_ = false;
    return Way::wide;
  }

  __device__ Way typical(double p, std::int64_t min_keep) {
    if (p >= 1 || state_.count == 0) return Way::wide;
    const int least = least_of(min_keep);
    const float maximum = state_.maximum;
    if (maximum == rows::minus_infinity()) return top_k(least);
    Word mass = 0, surprise = 0;
    part_.walk([&](int, const float(&four)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        if (!is_left(four[i])) continue;
        const double distance = distribution::distance_below(maximum, four[i]);
        mass += weight_under(maximum, four[i], faults_);
        surprise += distribution::surprise_at(distance);
      }
    });
    const Word total = peers_.join(mass, Sum(), 0);
    surprise = peers_.join(surprise, Sum(), 0);
    const double center = faults_(Fault::typical_without_entropy) ? 0.0 : center_of(surprise, total);
    const auto key = [=](float logit) { return typical_key(maximum, logit, center); };
    const auto weight = [=, faults = faults_](float logit) { return weight_under(maximum, logit, faults); };
    const CudaCut cut =
        find_cut<3>(part_, peers_, room_, 1, ~Word{0}, needed_of(p, total), key, weight, faults_);
    keep_longer(cut, key, weight, least, ~Word{0});
    state_ = refresh(part_, peers_);
    fresh_ = true;
    return Way::wide;
  }

  __device__ void temperature(float t) {
    if (t > 0) {
      const auto divided = [&](float logit) {
        const float once = distribution::with_temperature(logit, t);
        return faults_(Fault::temperature_twice) ? distribution::with_temperature(once, t) : once;
      };
      part_.change([&](int, float(&four)[4]) {
#pragma unroll
        for (int i = 0; i < 4; ++i)
          if (is_left(four[i])) four[i] = divided(four[i]);
      });
      if (!faults_(Fault::stale_maximum)) state_.maximum = divided(state_.maximum);
      fresh_ = false;
      return;
    }
    if (state_.maximum == rows::minus_infinity()) return;
    const bool last = faults_(Fault::greedy_last_maximum);
    Word first = ~Word{0};
    part_.walk([&](int at, const float(&four)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const auto id = static_cast<Word>(part_.first + at + i);
        if (four[i] == state_.maximum) first = min(first, last ? ~Word{0} - 1 - id : id);
      }
    });
    first = peers_.join(first, Least(), ~Word{0});
    if (last) first = ~Word{0} - 1 - first;
    part_.change([&](int at, float(&four)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (is_left(four[i]) && static_cast<Word>(part_.first + at + i) != first)
          four[i] = rows::minus_infinity();
    });
    fresh_ = false;
  }

  __device__ void bias(const RowParameters& parameters) {
    __syncthreads();  // other warps' tokens are changed
    for (int i = static_cast<int>(threadIdx.x); i < parameters.bias_count; i += block_threads) {
      const std::int32_t id = parameters.bias_ids[i];
      float* const mine = own(id);
      // One thread a token: the others do not even look at it.
      bool first = mine != nullptr;
      for (std::int64_t j = 0; first && j < i; ++j) first = parameters.bias_ids[j] != id;
      if (!first || !is_left(*mine)) continue;
      float logit = *mine;
      for (int j = i; j < parameters.bias_count; ++j) {
        if (parameters.bias_ids[j] != id) continue;
        logit = distribution::with_bias(logit, parameters.biases[j]);
        if (faults_(Fault::bias_once)) break;
      }
      *mine = logit;
    }
    __syncthreads();
    state_ = refresh(part_, peers_);
    fresh_ = true;
  }

  /// Occurrences are counted for 2,048 tokens of this block at once, so that long histories are read a few
  /// times instead of being compared with themselves.
  __device__ void penalties(const RowParameters& parameters) {
    if (parameters.last_n <= 0) return;
    const Seen seen = seen_of(parameters, faults_);
    constexpr int at_once = 2 * most_few;
    const int held = part_.segment * block_warps;
    for (int begin = 0; begin < held; begin += at_once) {
      __syncthreads();
      for (int i = static_cast<int>(threadIdx.x); i < at_once; i += block_threads) room_.times[i] = 0;
      __syncthreads();
      for (std::int64_t i = seen.begin + threadIdx.x; i < seen.end; i += block_threads) {
        const std::int32_t id = parameters.previous[i];
        const int at = id - part_.first - begin;
        if (id >= 0 && at >= 0 && at < at_once) atomicAdd(&room_.times[at], 1u);
      }
      __syncthreads();
      for (int i = static_cast<int>(threadIdx.x); i < at_once && begin + i < held; i += block_threads)
        if (room_.times[i] > 0 && is_left(part_.values[begin + i]))
          part_.values[begin + i] = penalised(part_.values[begin + i], room_.times[i], parameters, faults_);
    }
    __syncthreads();
    state_ = refresh(part_, peers_);
    fresh_ = true;
  }

  /// Draws from all that is left.
  __device__ void draw(std::uint64_t random, std::int32_t* token, float* log_prob) {
    const float maximum = state_.maximum;
    Word mine = 0;
    part_.walk([&](int, const float(&four)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i) mine += weight_under(maximum, four[i], faults_);
    });
    mine = join_warp(mine, Sum());
    const Prefix prefix = peers_.prefix(mine);
    if (prefix.total == 0) {
      if (peers_.rank() == 0 && threadIdx.x == 0) {
        *token = -1;
        *log_prob = rows::minus_infinity();
      }
      return;
    }
    const Word point = distribution::point_in(random, prefix.total);
    Word before = prefix.before;
    if (!(before <= point && point < before + mine)) return;  // the same in all lanes
    part_.walk([&](int at, const float(&four)[4]) {
      Word weight[4];
      Word sum = 0;
#pragma unroll
      for (int i = 0; i < 4; ++i) sum += weight[i] = weight_under(maximum, four[i], faults_);
      Word start = before + sum_before(sum);
      before = __shfl_sync(0xFFFFFFFFu, start + sum, 31);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        if (start <= point && point < start + weight[i]) {
          *token = part_.first + at + i;
          *log_prob = distribution::log_prob_of(distribution::distance_below(maximum, four[i]), prefix.total);
        }
        start += weight[i];
      }
    });
  }

 private:
  /// Position of a token in this block's part; nullptr where another holds it, or none.
  __device__ float* own(std::int32_t id) const {
    const int at = id - part_.first;
    return id >= 0 && at >= 0 && at < part_.segment * block_warps ? part_.values + at : nullptr;
  }

  __device__ int least_of(std::int64_t min_keep) const {
    if (faults_(Fault::min_keep_ignored)) min_keep = 1;
    return static_cast<int>(min(max(std::int64_t{1}, min_keep), std::int64_t{state_.count}));
  }

  __device__ Word needed_of(double p, Word total) const {
    return mass_for(p, total, faults_);
  }

  template <typename Passes>
  __device__ int count(Passes passes) {
    Word found = 0;
    part_.walk([&](int, const float(&four)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i) found += passes(four[i]) ? 1 : 0;
    });
    fresh_ = false;
    const Prefix prefix = peers_.prefix(join_warp(found, Sum()));
    before_ = static_cast<int>(prefix.before);
    return listed_ = static_cast<int>(prefix.total);
  }

  /// Sends what passes to the first block, by rising id. Precondition: count() of the same was the last
  /// question, and said `most_few` or fewer. Ends with a barrier.
  template <typename Passes>
  __device__ void send(Passes passes) {
    Word* const list = peers_.at(room_.list, 0);
    int at = before_;
    const unsigned below = (1u << peers_.lane()) - 1;
    part_.walk([&](int position, const float(&four)[4]) {
      int own_before = 0, all = 0;
      bool own[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        own[i] = passes(four[i]);
        const unsigned votes = __ballot_sync(0xFFFFFFFFu, own[i]);
        own_before += __popc(votes & below);
        all += __popc(votes);
      }
      int to = at + own_before;
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (own[i]) list[to++] = entry_of(four[i], part_.first + position + i);
      at += all;
    });
    peers_.sync();
  }

  template <typename Passes>
  __device__ void list(Passes passes) {
    count(passes);
    send(passes);
  }

  /// Lists what has this key or a greater one where that is few, and `least` at least.
  __device__ bool try_list(std::uint32_t low, int least) {
    const auto passes = [=](float logit) { return key_of(logit) >= low; };
    const int found = count(passes);
    if (found < least || found > most_few) return false;
    send(passes);
    return true;
  }

  /// A key that k tokens or some more reach: of the greatest logits of the warps k are not below it. Where k
  /// is larger, from the counts of tokens near the maximum. 1, which all reach, where neither helps.
  __device__ std::uint32_t key_with(int k) {
    const int groups = peers_.blocks() * block_warps;
    if (k <= groups) {
      if (!fresh_) refresh(part_, peers_);
      const Word* const slots = peers_.last();
      const int thread = static_cast<int>(threadIdx.x);
      if (thread < groups) {
        const auto mine = static_cast<std::uint32_t>(slots[thread]);
        int rank = 0;
        for (int i = 0; i < groups; ++i) {
          const auto other = static_cast<std::uint32_t>(slots[i]);
          rank += other > mine || (other == mine && i < thread) ? 1 : 0;
        }
        if (rank == k - 1) room_.bound = mine;
      }
      __syncthreads();
      return max(room_.bound, 1u);
    }
    if (!isfinite(state_.maximum)) return 1;
    estimate(part_, peers_, room_, state_, faults_);
    fresh_ = false;
    find_bin(room_, peers_, static_cast<Word>(k));
    return key_below(room_.found_bin);
  }

  /// The key that tokens of this bin, and of all before it, reach.
  __device__ std::uint32_t key_below(int bin) const {
    if (bin < 0) return 1;
    return key_of(
        distribution::canonical(state_.maximum - (static_cast<float>(bin) + 1.01f) / bins_per_unit));
  }

  __device__ void cut_by_count(int k) {
    const CudaCut cut = find_cut<1>(part_, peers_, room_, 1, key_of(state_.maximum), static_cast<Word>(k),
                                    LogitKey(), One(), faults_);
    state_.count = keep_prefix<true>(part_, peers_, cut, LogitKey(), One(), faults_);
    fresh_ = false;
  }

  /// Keeps the prefix of that mass, or that of `least` tokens where it is longer.
  template <typename KeyOf, typename WeightOf>
  __device__ void keep_longer(CudaCut cut, KeyOf key, WeightOf weight, int least, Word high) {
    fresh_ = false;
    const bool shorter = faults_(Fault::exclusive_sum);
    int length = least > 1 || shorter ? keep_prefix<false>(part_, peers_, cut, key, weight, faults_) : least;
    if (shorter && length > least) {
      cut = find_cut<1>(part_, peers_, room_, 1, high, static_cast<Word>(length - 1), key, One(), faults_);
      state_.count = keep_prefix<true>(part_, peers_, cut, key, One(), faults_);
    } else if (length >= least) {
      state_.count = keep_prefix<true>(part_, peers_, cut, key, weight, faults_);
    } else {
      cut = find_cut<1>(part_, peers_, room_, 1, high, static_cast<Word>(least), key, One(), faults_);
      state_.count = keep_prefix<true>(part_, peers_, cut, key, One(), faults_);
    }
  }

  /// top_p where the head of the order, a list, decides it: the mass of the row is known within a band, and
  /// all masses in the band cut the list at the same token; or they do not, and the exact mass is added up
  /// after all. Way::wide: the head is too long for a list, and nothing has changed.
  __device__ Way top_p_of_head(double p, int least) {
    const Estimate estimated = estimate(part_, peers_, room_, state_, faults_);
    fresh_ = false;
    // Where the mass that is needed ends, and a little beyond: by the counts, which say it to a bin's width.
    __syncthreads();
    const double scale = 0x1p40 / estimated.mass;
    if (static_cast<int>(threadIdx.x) < bins) {
      const Word counted = room_.of_bins.merged[threadIdx.x];
      const double inside = exp2f(-1.442695f * (static_cast<float>(threadIdx.x) + 0.5f) / bins_per_unit);
      room_.of_bins.merged[threadIdx.x] = static_cast<Word>(static_cast<double>(counted) * inside * scale);
    }
    find_bin(room_, peers_, static_cast<Word>(fmax(1.0, fmin(p * 1.03, 0.9999) * 0x1p40)));
    if (room_.found_bin < 0 && state_.count > most_few) return Way::wide;
    if (!try_list(key_below(room_.found_bin), least)) return Way::wide;
    const double unit = 0x1p45;
    const Word lowest =
        estimated.mass > estimated.error ? static_cast<Word>((estimated.mass - estimated.error) * unit) : 0;
    const auto highest = static_cast<Word>((estimated.mass + estimated.error) * unit) + 1;
    int length = decide(needed_of(p, lowest), needed_of(p, highest));
    if (length == undecided) {
      const Word total = total_of(part_, peers_, state_.maximum, faults_);
      const Word needed = needed_of(p, total);
      length = decide(needed, needed);
    }
    if (length == too_short) return Way::wide;
    if (faults_(Fault::exclusive_sum) && length > 1) --length;
    listed_ = max(length, least);
    return Way::cut_list;
  }

  static constexpr int undecided = -1, too_short = -2;

  /// The first block looks where its list, which it sorts, reaches the two masses. The length of the prefix
  /// where they agree.
  __device__ int decide(Word lowest, Word highest) {
    if (peers_.rank() == 0) {
      Few few(room_.list, listed_, part_.values, peers_.alone(), faults_);
      few.sort();
      const Few::Pair masses = few.masses();
      const Few::Lengths lengths = few.lengths(masses, lowest, highest);
      int verdict = lengths.high;
      if (masses.total < highest)
        verdict = too_short;
      else if (lengths.low != lengths.high)
        verdict = undecided;
      const int thread = static_cast<int>(threadIdx.x);
      if (thread < peers_.blocks()) *peers_.at(&room_.verdict, thread) = verdict;
    }
    peers_.sync();
    return room_.verdict;
  }

  const Part& part_;
  Peers& peers_;
  Room& room_;
  Faults faults_;
  RowState state_{};
  bool fresh_ = false;
  int listed_ = 0;
  int before_ = 0;
};

}  // namespace assay::kernels::filters
