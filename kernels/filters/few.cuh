#pragma once

// Steps on a row of which so few tokens are left that one block goes on with them as a list. An entry is one
// word: the complement of the key above the id, so that rising entries are the order of tokens.
#include "kernels/filters/part.cuh"
#include "kernels/filters/room.cuh"
#include "kernels/filters/row_parameters.cuh"

namespace assay::kernels::filters {

__device__ inline Word entry_of(float logit, int id) {
  return Word{~key_of(logit)} << 32 | static_cast<unsigned>(id);
}
__device__ inline float logit_in(Word entry) {
  return logit_of(~static_cast<std::uint32_t>(entry >> 32));
}
__device__ inline int id_in(Word entry) {
  return static_cast<int>(static_cast<std::uint32_t>(entry));
}

/// Of one block. All threads call every member.
class Few {
 public:
  /// `scratch`: most_few words and as many doubles.
  __device__ Few(Word* list, int count, void* scratch, Peers peers, Faults faults)
      : list_(list),
        weights_(static_cast<Word*>(scratch)),
        away_(reinterpret_cast<double*>(weights_ + most_few)),
        count_(count),
        peers_(peers),
        faults_(faults) {}

  __device__ int count() const { return count_; }
  __device__ Word entry(int i) const { return list_[i]; }
  /// Of the sorted list.
  __device__ float maximum() const { return count_ > 0 ? logit_in(list_[0]) : rows::minus_infinity(); }
  __device__ void keep_first(int count) { count_ = min(count, count_); }

  /// Into rising order of the entries.
  __device__ __noinline__ void sort() {
    // In registers: writes to the list do not make the compiler read them again.
    Word* const list = list_;
    const int count = count_, own = thread();
    __syncthreads();
    if (count <= by_rank) {
      // Two lanes an entry: its place is the number of smaller ones.
      const Word mine = own / 2 < count ? list[own / 2] : ~Word{0};
      int place = 0;
      if (own / 32 * 16 < count) {
#pragma unroll 8
        for (int j = own % 2; j < count; j += 2) place += list[j] < mine ? 1 : 0;
      }
      place += __shfl_xor_sync(0xFFFFFFFFu, place, 1);
      __syncthreads();
      if (own / 2 < count && own % 2 == 0) list[place] = mine;
      __syncthreads();
      return;
    }
    // Bitonic (Batcher 1968), filled up with what is greater than all entries.
    int size = 2 * by_rank;
    while (size < count) size *= 2;
    for (int i = count + own; i < size; i += block_threads) list[i] = ~Word{0};
    __syncthreads();
    for (int run = 2; run <= size; run *= 2)
      for (int distance = run / 2; distance > 0; distance /= 2) {
        for (int pair = own; pair < size / 2; pair += block_threads) {
          const int low = 2 * pair - (pair & (distance - 1));
          const int high = low + distance;
          const Word a = list[low], b = list[high];
          if ((a > b) == ((low & run) == 0)) {
            list[low] = b;
            list[high] = a;
          }
        }
        __syncthreads();
      }
  }

  /// What stands before each of the two entries of a thread, behind them, and in all.
  struct Pair {
    Word first, second, end, total;
  };
  /// Masses of the sorted list.
  __device__ Pair masses() {
    return masses_under(maximum());
  }
  /// Weights under another maximum than the list's own.
  __device__ __noinline__ Pair masses_under(float most) {
    return pair_of([&](int i) { return weight_under(most, logit_in(list_[i]), faults_); });
  }
  /// How long prefixes of those masses are. Precondition: both are 1 or more.
  struct Lengths {
    int low, high;
  };
  __device__ __noinline__ Lengths lengths(const Pair& pair, Word lowest, Word highest) {
    const bool one = 2 * thread() < count_, two = 2 * thread() + 1 < count_;
    const auto within = [&](Word needed) {
      return Word{(one && pair.first < needed ? 1u : 0u) + (two && pair.second < needed ? 1u : 0u)};
    };
    const Word both = peers_.join(within(lowest) << 32 | within(highest), Sum(), 0);
    return {static_cast<int>(both >> 32), static_cast<int>(static_cast<std::uint32_t>(both))};
  }
  __device__ void top_k(std::int64_t k) {
    if (k > 0 && faults_(Fault::top_k_one_more)) ++k;
    if (k > 0 && k < count_) count_ = static_cast<int>(k);
  }

  __device__ void top_p(double p, std::int64_t min_keep) {
    if (p >= 1 || count_ == 0) return;
    const int least = least_of(min_keep);
    const Pair pair = masses();
    if (pair.total == 0) return keep_first(least);
    const Word needed = mass_for(p, pair.total, faults_);
    int length = lengths(pair, needed, needed).high;
    if (faults_(Fault::exclusive_sum) && length > 1) --length;
    keep_first(max(length, least));
  }

  __device__ void min_p(const RowParameters& one) {
    if (!(one.min_p > 0) || count_ == 0) return;
    const double bound = static_cast<double>(maximum()) + one.log_min_p;
    Word reached = 0;
    for (int i = thread(); i < count_; i += block_threads) {
      const auto logit = static_cast<double>(logit_in(list_[i]));
      reached += (faults_(Fault::min_p_strict) ? logit > bound : logit >= bound) ? 1 : 0;
    }
    keep_first(max(static_cast<int>(peers_.join(reached, Sum(), 0)), least_of(one.min_keep)));
  }

  __device__ __noinline__ void typical(double p, std::int64_t min_keep) {
    if (p >= 1 || count_ == 0) return;
    const int least = least_of(min_keep);
    const float most = maximum();
    Word mass = 0, surprise = 0;
    for (int i = thread(); i < count_; i += block_threads) {
      mass += weights_[i] = weight(i);
      surprise += distribution::surprise_at(distribution::distance_below(most, logit_in(list_[i])));
    }
    const Word total = peers_.join(mass, Sum(), 0);
    surprise = peers_.join(surprise, Sum(), 0);
    if (total == 0) return keep_first(least);
    const double center = faults_(Fault::typical_without_entropy) ? 0.0 : center_of(surprise, total);
    for (int i = thread(); i < count_; i += block_threads)
      away_[i] = __longlong_as_double(static_cast<long long>(typical_key(most, logit_in(list_[i]), center)));
    __syncthreads();
    const Word needed = mass_for(p, total, faults_);
    // Of each token: what stands before it in the order of typical keys, then ids.
    bool kept[2] = {false, false};
    for (int half = 0; half < 2; ++half) {
      const int i = 2 * thread() + half;
      if (i >= count_) continue;
      const Word own = key_at(i);
      const int id = id_in(list_[i]);
      Word before = 0;
      int rank = 0;
      for (int j = 0; j < count_; ++j) {
        const Word other = key_at(j);
        if (other > own || (other == own && id_in(list_[j]) < id)) {
          before += weights_[j];
          ++rank;
        }
      }
      kept[half] = before < needed || rank < least;
    }
    const Word first = 2 * thread() < count_ ? list_[2 * thread()] : 0;
    const Word second = 2 * thread() + 1 < count_ ? list_[2 * thread() + 1] : 0;
    // The order of the list stays.
    const Word own = (kept[0] ? 1u : 0u) + (kept[1] ? 1u : 0u);
    const Prefix prefix = peers_.prefix(join_warp(own, Sum()));
    auto to = static_cast<int>(prefix.before + sum_before(own));
    if (kept[0]) list_[to++] = first;
    if (kept[1]) list_[to] = second;
    count_ = static_cast<int>(prefix.total);
    __syncthreads();
  }

  __device__ __noinline__ void temperature(float t) {
    if (count_ == 0) return;
    const float most = maximum();
    if (t <= 0 && most == rows::minus_infinity()) return;
    int first = 0;
    if (t <= 0 && faults_(Fault::greedy_last_maximum))
      while (first + 1 < count_ && logit_in(list_[first + 1]) == most) ++first;
    __syncthreads();
    for (int i = thread(); i < count_; i += block_threads) {
      const float logit = logit_in(list_[i]);
      float made = i == first ? logit : rows::minus_infinity();
      if (t > 0) {
        made = distribution::with_temperature(logit, t);
        if (faults_(Fault::temperature_twice)) made = distribution::with_temperature(made, t);
      }
      list_[i] = entry_of(made, id_in(list_[i]));
    }
    restore_order();
  }

  __device__ __noinline__ void bias(const RowParameters& parameters) {
    for (int i = thread(); i < count_; i += block_threads) {
      const int id = id_in(list_[i]);
      float logit = logit_in(list_[i]);
      for (std::int64_t j = 0; j < parameters.bias_count; ++j) {
        if (parameters.bias_ids[j] != id) continue;
        logit = distribution::with_bias(logit, parameters.biases[j]);
        if (faults_(Fault::bias_once)) break;
      }
      list_[i] = entry_of(logit, id);
    }
    restore_order();
  }

  __device__ __noinline__ void penalties(const RowParameters& parameters) {
    if (parameters.last_n <= 0) return;
    turn();
    sort();  // by rising id, where each that was seen is looked up
    for (int i = thread(); i < count_; i += block_threads) weights_[i] = 0;
    __syncthreads();
    const Seen seen = seen_of(parameters, faults_);
    for (std::int64_t i = seen.begin + thread(); i < seen.end; i += block_threads) {
      const std::int32_t id = parameters.previous[i];
      if (id < 0) continue;
      const Word wanted = Word{static_cast<unsigned>(id)} << 32;
      int low = 0, high = count_;  // the first entry of that id or a greater one
      while (low < high) {
        const int middle = (low + high) / 2;
        if (list_[middle] < wanted)
          low = middle + 1;
        else
          high = middle;
      }
      if (low < count_ && list_[low] >> 32 == wanted >> 32) atomicAdd(&weights_[low], Word{1});
    }
    __syncthreads();
    for (int i = thread(); i < count_; i += block_threads) {
      const Word turned = list_[i];
      float logit = logit_of(~static_cast<std::uint32_t>(turned));
      if (weights_[i] > 0)
        logit = penalised(logit, static_cast<std::uint32_t>(weights_[i]), parameters, faults_);
      list_[i] = entry_of(logit, static_cast<int>(turned >> 32));
    }
    sort();
  }

  /// One thread writes. The list is by rising id afterwards, its halves exchanged.
  __device__ __noinline__ Word draw(std::uint64_t random, std::int32_t* token, float* log_prob) {
    const float most = maximum();
    turn();
    sort();
    const auto logit_at = [&](int i) { return logit_of(~static_cast<std::uint32_t>(list_[i])); };
    const Pair pair = pair_of([&](int i) { return weight_under(most, logit_at(i), faults_); });
    if (pair.total == 0) {
      if (thread() == 0) {
        *token = -1;
        *log_prob = rows::minus_infinity();
      }
    } else {
      const Word point = distribution::point_in(random, pair.total);
      const auto take = [&](int i) {
        const int drawn = faults_(Fault::draw_shifted) && i + 1 < count_ ? i + 1 : i;
        *token = static_cast<std::int32_t>(list_[drawn] >> 32);
        const float logit = faults_(Fault::log_prob_of_maximum) ? most : logit_at(i);
        *log_prob = distribution::log_prob_of(distribution::distance_below(most, logit), pair.total);
      };
      if (pair.first <= point && point < pair.second) take(2 * thread());
      if (pair.second <= point && point < pair.end) take(2 * thread() + 1);
    }
    turn();
    return pair.total;
  }

  __device__ Word weight(int i) const {
    return weight_under(logit_in(list_[0]), logit_in(list_[i]), faults_);
  }

 private:
  static constexpr int by_rank = block_threads / 2;

  __device__ static int thread() {
    return static_cast<int>(threadIdx.x);
  }
  __device__ Word key_at(int i) const {
    return static_cast<Word>(__double_as_longlong(away_[i]));
  }

  template <typename WeightAt>
  __device__ Pair pair_of(WeightAt weight_at) {
    const int i = 2 * thread();
    const Word first = i < count_ ? weight_at(i) : 0, second = i + 1 < count_ ? weight_at(i + 1) : 0;
    const Prefix prefix = peers_.prefix(join_warp(first + second, Sum()));
    const Word before = prefix.before + sum_before(first + second);
    return {before, before + first, before + first + second, prefix.total};
  }

  __device__ int least_of(std::int64_t min_keep) const {
    if (faults_(Fault::min_keep_ignored)) min_keep = 1;
    return static_cast<int>(min(max(std::int64_t{1}, min_keep), std::int64_t{count_}));
  }

  __device__ void restore_order() {
    if (!faults_(Fault::order_not_restored)) sort();
    __syncthreads();
  }

  /// Exchanges the halves of each entry.
  __device__ void turn() {
    __syncthreads();
    for (int i = thread(); i < count_; i += block_threads) list_[i] = list_[i] << 32 | list_[i] >> 32;
    __syncthreads();
  }

  Word* list_;
  Word* weights_;
  double* away_;
  int count_;
  Peers peers_;
  Faults faults_;
};

}  // namespace assay::kernels::filters
