#pragma once

// How a row ends whose first filter is a small top_k: its block lists and sorts what may be kept, and one
// warp takes the rest of the steps and draws, two tokens a lane, without a barrier.
#include "kernels/filters/bound.cuh"
#include "kernels/filters/finish.cuh"

namespace assay::kernels::filters {

constexpr int most_small = 64;                    ///< tokens kept: two a lane
constexpr int most_gathered = 4 * block_threads;  ///< tokens listed
constexpr int most_ranked = 128;                  ///< tokens sorted by counting, four threads each

/// What is sorted, and scratch behind it: in shared memory.
struct SmallList {
  Word* entries;  ///< (most_gathered)

  /// (most_ranked), by rising id.
  __device__ Word* weights() const { return entries + most_gathered; }
  /// (most_ranked): places of the sorted entries among the ids.
  __device__ std::uint32_t* by_id() const {
    return reinterpret_cast<std::uint32_t*>(weights() + most_ranked);
  }
  /// (most_ranked): which of the sorted entries has that place.
  __device__ std::uint32_t* of_place() const { return by_id() + most_ranked; }
};

/// Whether the steps behind the filter are such as a warp can take.
__device__ inline bool is_small(const Steps& steps, int filter, const RowParameters& one) {
  if (steps.list[filter] != Step::top_k || one.top_k >= most_small) return false;
  for (int i = filter + 1; i < steps.count; ++i) {
    const Step step = steps.list[i];
    const bool is_filter = step == Step::top_k || step == Step::top_p || step == Step::min_p;
    if (!is_filter && !does_nothing(step, one)) return false;
  }
  return true;
}

/// Drops entries that k others precede for sure, moving the rest to the front. Returns how many are left.
/// Preconditions: k <= count <= most_gathered, k <= groups.
__device__ __noinline__ inline int drop_most(Word* entries, int count, int k, Room& room) {
  const int thread = static_cast<int>(threadIdx.x);
  entries = in_shared(entries);
  constexpr int each = most_gathered / block_threads;
  constexpr int lanes = block_threads / groups;
  // A group has every 128th entry, so that all of them have some.
  const int first = thread / lanes + thread % lanes * groups;
  Word own[each];
  float most = rows::minus_infinity();
#pragma unroll
  for (int i = 0; i < each; ++i) {
    const int at = first + i * block_threads;
    own[i] = at < count ? entries[at] : ~Word{0};
    if (at < count) most = fmaxf(most, logit_in(own[i]));
  }
  for (int distance = 1; distance < lanes; distance *= 2)
    most = fmaxf(most, __shfl_xor_sync(0xFFFFFFFFu, most, distance));
  if (thread % lanes == 0) room.greatest[thread / lanes] = most;
  if (thread == 0) room.appended = 0;
  __syncthreads();
  const float bound = rank_among<groups>(k, room);
#pragma unroll
  for (int i = 0; i < each; ++i) {
    const bool stays = first + i * block_threads < count && logit_in(own[i]) >= bound;
    if (stays) entries[atomicAdd(&room.appended, 1u)] = own[i];
  }
  __syncthreads();
  return static_cast<int>(room.appended);
}

/// Into rising order, with the places among the ids. Precondition: count <= most_ranked. Ends with a barrier.
__device__ __forceinline__ void sort_ranked(SmallList list, int count) {
  const int thread = static_cast<int>(threadIdx.x);
  constexpr int each = block_threads / most_ranked;
  const int own = thread / each;
  list.entries = in_shared(list.entries);
  const Word mine = own < count ? list.entries[own] : ~Word{0};
  int place = 0, place_of_id = 0;
#pragma unroll 4
  for (int i = thread % each; i < count; i += each) {
    const Word other = list.entries[i];
    place += other < mine ? 1 : 0;
    place_of_id += static_cast<std::uint32_t>(other) < static_cast<std::uint32_t>(mine) ? 1 : 0;
  }
#pragma unroll
  for (int distance = 1; distance < each; distance *= 2) {
    place += __shfl_xor_sync(0xFFFFFFFFu, place, distance);
    place_of_id += __shfl_xor_sync(0xFFFFFFFFu, place_of_id, distance);
  }
  __syncthreads();
  if (thread % each == 0) {
    list.weights()[own] = 0;
    if (own < count) {
      list.entries[place] = mine;
      list.by_id()[place] = static_cast<std::uint32_t>(place_of_id);
      list.of_place()[place_of_id] = static_cast<std::uint32_t>(place);
    }
  }
  __syncthreads();
}

/// The first tokens of a sorted list, in one warp: lane l has those at 2 l and 2 l + 1.
class Small {
 public:
  /// Precondition: 1 <= count <= most_small; the first logit is finite.
  __device__ Small(SmallList list, int count, Faults faults)
      : list_(list), count_(count), maximum_(logit_in(list.entries[0])), faults_(faults) {
    Word sum = 0;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      own_[i] = index(i) < count ? list.entries[index(i)] : ~Word{0};
      weights_[i] = index(i) < count ? weight_under(maximum_, logit_in(own_[i]), faults) : 0;
      sum += weights_[i];
    }
    before_[0] = sum_before(sum);
    before_[1] = before_[0] + weights_[0];
  }

  __device__ int count() const {
    return count_;
  }

  __device__ void top_k(std::int64_t k) {
    if (k > 0 && faults_(Fault::top_k_one_more)) ++k;
    if (k > 0 && k < count_) count_ = static_cast<int>(k);
  }

  __device__ void top_p(double p, std::int64_t min_keep) {
    if (p >= 1) return;
    const Word needed = mass_for(p, total(), faults_);
    int length = number_of([&](int i) { return before_[i] < needed; });
    if (faults_(Fault::exclusive_sum) && length > 1) --length;
    count_ = max(length, least_of(min_keep));
  }

  __device__ void min_p(const RowParameters& one) {
    if (!(one.min_p > 0)) return;
    const double bound = static_cast<double>(maximum_) + one.log_min_p;
    const int reached = number_of([&](int i) {
      const auto logit = static_cast<double>(logit_in(own_[i]));
      return faults_(Fault::min_p_strict) ? logit > bound : logit >= bound;
    });
    count_ = max(reached, least_of(one.min_keep));
  }

  /// Of what is left.
  __device__ Word total() const {
    const int last = count_ - 1;
    const Word end = before_[1] + weights_[1];
    const Word first = __shfl_sync(0xFFFFFFFFu, before_[1], last / 2);
    const Word both = __shfl_sync(0xFFFFFFFFu, end, last / 2);
    return last % 2 == 0 ? first : both;
  }

  __device__ void add_to(const Survivors& survivors, Word total) const {
#pragma unroll
    for (int i = 0; i < 2; ++i)
      if (index(i) < count_) survivors.add(own_[i], weights_[i], total);
  }

  /// One lane writes. Every lane looks at four neighbours by id.
  __device__ void draw(std::uint64_t random, Word total, std::int32_t* token, float* log_prob) const {
#pragma unroll
    for (int i = 0; i < 2; ++i)
      if (index(i) < count_) list_.weights()[list_.by_id()[index(i)]] = weights_[i];
    __syncwarp();
    constexpr int each = most_ranked / 32;
    Word neighbours[each], sum = 0;
#pragma unroll
    for (int i = 0; i < each; ++i) sum += neighbours[i] = list_.weights()[each * lane() + i];
    Word before = sum_before(sum);
    const Word point = distribution::point_in(random, total);
    if (point < before || point >= before + sum) return;
    int place = each * lane();
#pragma unroll
    for (int i = 0; i + 1 < each; ++i)
      if (before + neighbours[i] <= point) {
        before += neighbours[i];
        ++place;
      } else {
        break;
      }
    if (faults_(Fault::draw_shifted) && place + 1 < most_ranked && list_.weights()[place + 1] > 0) ++place;
    const Word entry = list_.entries[list_.of_place()[place]];
    *token = id_in(entry);
    const float logit = faults_(Fault::log_prob_of_maximum) ? maximum_ : logit_in(entry);
    *log_prob = distribution::log_prob_of(distribution::distance_below(maximum_, logit), total);
  }

 private:
  __device__ static int lane() {
    return static_cast<int>(threadIdx.x % 32);
  }
  __device__ static int index(int i) {
    return 2 * lane() + i;
  }
  /// Of those left, which are a prefix of the order.
  template <typename Holds>
  __device__ int number_of(Holds holds) const {
    const unsigned first = __ballot_sync(0xFFFFFFFFu, index(0) < count_ && holds(0));
    const unsigned second = __ballot_sync(0xFFFFFFFFu, index(1) < count_ && holds(1));
    return __popc(first) + __popc(second);
  }
  __device__ int least_of(std::int64_t min_keep) const {
    if (faults_(Fault::min_keep_ignored)) min_keep = 1;
    return static_cast<int>(min(max(std::int64_t{1}, min_keep), std::int64_t{count_}));
  }

  SmallList list_;
  int count_;
  float maximum_;
  Word own_[2], weights_[2], before_[2];
  Faults faults_;
};

/// The filter, the steps behind it, the draw and the survivors, by the first warp of the first block.
/// Preconditions: is_small; the list is sorted and holds what the filter keeps.
__device__ __forceinline__ void finish_small(const RowsCall& call, std::int64_t row, SmallList list,
                                             int count, int filter, const RowParameters& one, Faults faults) {
  list.entries = in_shared(list.entries);
  Small small(list, min(count, most_small), faults);
  for (int step = filter; step < call.steps.count; ++step) {
    if (call.steps.list[step] == Step::top_k) small.top_k(one.top_k);
    if (call.steps.list[step] == Step::top_p) small.top_p(one.top_p, one.min_keep);
    if (call.steps.list[step] == Step::min_p) small.min_p(one);
  }
  if (call.kept != nullptr && threadIdx.x == 0) call.kept[row] = small.count();
  const Word total = small.total();
  const Survivors survivors(call, row);
  if (survivors.wanted()) small.add_to(survivors, total);
  if (call.seed != nullptr) small.draw(one.random, total, call.token + row, call.log_prob + row);
}

}  // namespace assay::kernels::filters
