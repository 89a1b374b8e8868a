// The first of two kernels on long rows: rows whose first filter leaves the head of the order. Each is
// streamed once, by one block or a cluster where there are few; what reaches a bound that a sample gives is
// listed, and the list is filtered and drawn from by the first block. `pending` says of each row whether that
// was enough; the second kernel (rows.cu) takes those where it was not.
//
// The bound is a guess; what is decided never rests on it. A list holds all tokens of at least that logit, so
// a cut at a greater one is the row's. top_p needs the mass of the others too: it is known to some 1e-7 from
// single precision, and where a cut depends on more than that the row is read again and its exact weights are
// added up.
#include <algorithm>

#include "kernels/filters/finish.cuh"
#include "kernels/filters/head.cuh"
#include "kernels/filters/head_cuda.hpp"
#include "kernels/filters/spread.cuh"

namespace assay::kernels::filters {

namespace {

/// Shared memory of a block: the room, and the list behind it.
struct Head {
  Room room;
  Word entries[most_listed + 1];
  std::uint32_t listed;
  RowParameters one;  ///< here and not in the registers that the stream needs
};

/// The part of a row that this block reads, in fours.
struct Slice {
  int begin, end;
};

/// A logit as it was read, above its id.
__device__ inline Word raw_entry(float logit, int id) {
  return Word{static_cast<std::uint32_t>(__float_as_int(logit))} << 32 | static_cast<unsigned>(id);
}

/// Where in the list the entries of this thread go; all lanes of a warp call it. The list has one place more
/// than it holds, for what comes too late.
__device__ inline unsigned place_in(Head& head, unsigned own) {
  const auto lane = threadIdx.x % 32;
  unsigned sum = own;
#pragma unroll
  for (unsigned distance = 1; distance < 32; distance *= 2) {
    const unsigned other = __shfl_up_sync(0xFFFFFFFFu, sum, distance);
    if (lane >= distance) sum += other;
  }
  unsigned start = 0;
  if (lane == 31 && sum > 0) start = atomicAdd(&head.listed, sum);
  return __shfl_sync(0xFFFFFFFFu, start, 31) + sum - own;
}

/// Four neighbours of which one may reach the bound.
__device__ inline void add_four(const float (&four)[4], int id, float bound, Head& head) {
  unsigned own = 0;
#pragma unroll
  for (int i = 0; i < 4; ++i) own += four[i] >= bound ? 1 : 0;
  unsigned to = place_in(head, own);
#pragma unroll
  for (int i = 0; i < 4; ++i)
    if (four[i] >= bound)
      head.entries[min(to++, static_cast<unsigned>(most_listed))] = raw_entry(four[i], id + i);
}

/// Lists what reaches the bound, raw logits above ids. With mass: returns the sum of 2^(logit / temperature
/// log2(e) - reference) over the others, of this thread.
template <bool WithMass, typename T>
// By value and not inline: its registers are its own.
__device__ __noinline__ double stream(HeadSource<T> source, Slice slice, float bound, float temperature,
                                      float reference, Head& head) {
  constexpr int quads_at_once = WithMass ? 4 : 8;
  const float reciprocal = __frcp_rn(temperature);
  const float lowest = (reference - 120) * 0.693f;
  double sums[2] = {0, 0};
  for (int begin = slice.begin; begin < slice.end; begin += quads_at_once * block_threads) {
    float four[quads_at_once][4];
    source.read_all(four, begin + static_cast<int>(threadIdx.x), block_threads, slice.end);
    if constexpr (!WithMass) {
      // Few tokens reach the bound: most fours of a warp are passed over by their maximum.
      float most[quads_at_once];
      float greatest = rows::minus_infinity();
#pragma unroll
      for (int k = 0; k < quads_at_once; ++k) {
        most[k] = fmaxf(fmaxf(four[k][0], four[k][1]), fmaxf(four[k][2], four[k][3]));
        greatest = fmaxf(greatest, most[k]);
      }
      if (!__any_sync(0xFFFFFFFFu, greatest >= bound)) continue;
#pragma unroll
      for (int k = 0; k < quads_at_once; ++k)
        if (__any_sync(0xFFFFFFFFu, most[k] >= bound))
          add_four(four[k], 4 * (begin + k * block_threads + static_cast<int>(threadIdx.x)), bound, head);
      continue;
    }
    unsigned hits = 0;
#pragma unroll
    for (int k = 0; k < quads_at_once; ++k) {
      float terms[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float logit = four[k][i];
        const bool hit = logit >= bound;
        hits |= hit ? 1u << (4 * k + i) : 0u;
        // The rounded quotient by a rounded reciprocal (Markstein 1990).
        const float guess = logit * reciprocal;
        const float divided = __fmaf_rn(__fmaf_rn(-guess, temperature, logit), reciprocal, guess);
        const float term = power_below(fmaxf(divided, lowest), reference);
        terms[i] = hit ? 0.0f : term;
      }
      sums[0] += static_cast<double>(terms[0] + terms[1]);
      sums[1] += static_cast<double>(terms[2] + terms[3]);
    }
    unsigned to = place_in(head, static_cast<unsigned>(__popc(hits)));
#pragma unroll
    for (int k = 0; k < quads_at_once; ++k)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const unsigned hit = hits >> (4 * k + i) & 1u;
        const int id = 4 * (begin + k * block_threads + static_cast<int>(threadIdx.x)) + i;
        if (hit != 0) head.entries[min(to, static_cast<unsigned>(most_listed))] = raw_entry(four[k][i], id);
        to += hit;
      }
  }
  return sums[0] + sums[1];
}

/// The exact weights of all tokens of the slice, under the row's maximum.
template <typename T>
__device__ Word exact_mass(const HeadSource<T>& source, const Slice& slice, float temperature, float maximum,
                           Faults faults) {
  Word sum = 0;
  for (int quad = slice.begin + static_cast<int>(threadIdx.x); quad < slice.end; quad += block_threads) {
    float four[4];
    source.read(four, quad);
#pragma unroll
    for (int i = 0; i < 4; ++i)
      sum += weight_under(
          maximum, distribution::with_temperature(distribution::canonical(four[i]), temperature), faults);
  }
  return sum;
}

/// Whether the needed mass may as well be `lowest`: it ends at the same token.
__device__ inline bool is_same_cut(const Listed& listed, const ListCut& cut, Word lowest) {
  if (lowest <= cut.above) return false;
  const Word weight = distribution::weight_of(listed.maximum(), logit_of(cut.key));
  return (lowest - cut.above + weight - 1) / weight == (cut.needed + weight - 1) / weight;
}

/// Applies what is left of the steps to a list too long for few.cuh. False where a step wants more than a
/// list.
__device__ __noinline__ bool apply_to(Listed& listed, Step step, const RowParameters& one, Faults faults) {
  if (does_nothing(step, one)) return true;
  const int least = static_cast<int>(max(std::int64_t{1}, one.min_keep));
  switch (step) {
    case Step::temperature:
      if (one.temperature <= 0) return false;
      listed.temperature(one.temperature);
      return true;
    case Step::top_k: {
      const std::int64_t k = one.top_k + (faults(Fault::top_k_one_more) ? 1 : 0);
      if (k < listed.count()) listed.keep(listed.cut_by_count(static_cast<int>(k)));
      return true;
    }
    case Step::top_p: {
      const Word total = listed.total();
      if (total == 0) return false;
      ListCut cut = listed.cut_by_mass(mass_for(one.top_p, total, faults));
      if (listed.length_of(cut) < least) cut = listed.cut_by_count(least);
      listed.keep(cut);
      return true;
    }
    case Step::min_p: {
      const double bound = static_cast<double>(listed.maximum()) + one.log_min_p;
      const auto reaches = [&](Word entry) { return static_cast<double>(logit_in(entry)) >= bound; };
      Word count = 0;
      listed.each([&](Word entry) { count += reaches(entry) ? 1 : 0; });
      if (listed.joined(count) < static_cast<Word>(least)) return false;
      listed.keep_where(reaches);
      return true;
    }
    default:
      return false;
  }
}

enum Verdict : int { decided, left_to_next, undecided };

/// What the whole mass is known to lie between.
struct Band {
  Word lowest, highest;
};

/// What is known of the tokens that are not listed.
struct Rest {
  double below;  ///< their mass in units of 2^reference
  float reference;
  int tokens;
  bool counted;  ///< the exact mass of the row is known
  Word exact;
};

/// The mass of the rest, relative to the maximum's; negative where the two are too far apart to say.
__device__ inline double mass_of(const Rest& rest, float maximum) {
  // exp(reference ln 2 - maximum); the reference is at most 1 above the maximum's power of two.
  const double distance =
      static_cast<double>(maximum) - static_cast<double>(rest.reference) * distribution::ln_2 + 1;
  if (!(distance >= 0 && distance < 700)) return -1;
  return rest.below * distribution::exp_minus(distance) * 2.718281828459045;
}

/// The terms of the rest are off by 2 u each (power_below) and 1 u by the sum of two, and twice as much is
/// allowed; weights are rounded to integers, by a half each.
__device__ inline Band band_of(const Rest& rest, Word head_mass, float maximum, Faults faults) {
  if (rest.counted) return {rest.exact, rest.exact};
  double mass = mass_of(rest, maximum) * 0x1p45;
  if (mass < 0) return {0, ~Word{0} >> 1};
  double error = mass * 6 * 0x1p-24 + rest.tokens;
  if (faults(Fault::estimate_decides)) {
    mass *= 1 + 0x1p-8;
    error = 0;
  }
  const double lowest = mass > error ? mass - error : 0;
  return {head_mass + static_cast<Word>(lowest), head_mass + static_cast<Word>(mass + error) + 1};
}

__device__ inline int least_of(const RowParameters& one, Faults faults) {
  return faults(Fault::min_keep_ignored) ? 1 : static_cast<int>(max(std::int64_t{1}, one.min_keep));
}

/// The filter on a sorted list of few tokens, which holds all whose keys are above `bound_key`: tokens of the
/// bound's own quotient may be missing.
__device__ __noinline__ Verdict filter_few(Few& few, Step filter, const RowParameters& one,
                                           std::uint32_t bound_key, const Rest& rest, Faults faults) {
  const int least = least_of(one, faults);
  const auto holds = [&](std::int64_t count) {
    return count <= few.count() && key_of(logit_in(few.entry(static_cast<int>(count) - 1))) > bound_key;
  };
  if (filter == Step::top_k) {
    if (!holds(one.top_k)) return left_to_next;
    few.top_k(one.top_k);
    return decided;
  }
  if (filter == Step::min_p) {
    const double bound = static_cast<double>(few.maximum()) + one.log_min_p;
    if (!holds(least) || !(bound > static_cast<double>(logit_of(bound_key)))) return left_to_next;
    few.min_p(one);
    return decided;
  }
  const Few::Pair masses = few.masses();
  const Band band = band_of(rest, masses.total, few.maximum(), faults);
  const Word lowest = mass_for(one.top_p, band.lowest, faults);
  const Word highest = mass_for(one.top_p, band.highest, faults);
  if (masses.total < highest) return lowest == highest ? left_to_next : undecided;
  const Few::Lengths lengths = few.lengths(masses, lowest, highest);
  if (lengths.low != lengths.high) return undecided;
  int length = lengths.high;
  if (faults(Fault::exclusive_sum) && length > 1) --length;
  length = max(length, least);
  if (!holds(length)) return left_to_next;
  few.keep_first(length);
  return decided;
}

/// The same on a longer list, in no order.
__device__ __noinline__ Verdict filter_list(Listed& listed, Step filter, const RowParameters& one,
                                            std::uint32_t bound_key, const Rest& rest, Faults faults) {
  const int least = least_of(one, faults);
  ListCut cut{};
  if (filter == Step::min_p) {
    const double bound = static_cast<double>(listed.maximum()) + one.log_min_p;
    if (!(bound > static_cast<double>(logit_of(bound_key)))) return left_to_next;
    const bool strict = faults(Fault::min_p_strict);
    const auto reaches = [&](Word entry) {
      const auto logit = static_cast<double>(logit_in(entry));
      return strict ? logit > bound : logit >= bound;
    };
    Word count = 0;
    listed.each([&](Word entry) { count += reaches(entry) ? 1 : 0; });
    if (listed.joined(count) < static_cast<Word>(least)) return left_to_next;
    listed.keep_where(reaches);
    return decided;
  }
  if (filter == Step::top_k) {
    const std::int64_t k = one.top_k + (faults(Fault::top_k_one_more) ? 1 : 0);
    if (listed.count() < k) return left_to_next;
    cut = listed.cut_by_count(static_cast<int>(k));
  } else {
    const auto needed_for = [&](Word head_mass, Word(&needed)[2]) {
      const Band band = band_of(rest, head_mass, listed.maximum(), faults);
      needed[0] = mass_for(one.top_p, band.lowest, faults);
      needed[1] = mass_for(one.top_p, band.highest, faults);
    };
    bool alike = true;
    if (!listed.cut_near(needed_for, mass_of(rest, listed.maximum()), one.top_p, cut, alike)) {
      const Word head_mass = listed.total();
      Word needed[2];
      needed_for(head_mass, needed);
      if (head_mass < needed[1]) return needed[0] == needed[1] ? left_to_next : undecided;
      cut = listed.cut_by_mass(needed[1]);
      alike = is_same_cut(listed, cut, needed[0]);
    }
    if (cut.key <= bound_key) return left_to_next;
    if (!alike) return undecided;
    if (least > 1 || faults(Fault::exclusive_sum)) {
      const int length = listed.length_of(cut);
      if (faults(Fault::exclusive_sum) && length > 1) cut = listed.cut_by_count(length - 1);
      if (length < least && listed.count() < least) return left_to_next;
      if (length < least) cut = listed.cut_by_count(least);
    }
  }
  if (cut.key <= bound_key) return left_to_next;
  listed.keep(cut);
  return decided;
}

/// The first tokens of the head's list.
__device__ inline Few few_of(Head& head, int count, Peers alone, Faults faults) {
  return Few(head.entries, count, head.entries + most_few, alone, faults);
}

/// The steps after the filter, the draw and the survivors, by the first block. False where a step wants more
/// than a list.
__device__ __noinline__ bool finish_list(const RowsCall& call, std::int64_t row, Listed& listed, Head& head,
                                         int step, const RowParameters& one, Peers alone, Faults faults) {
  for (; step < call.steps.count && listed.count() > most_few; ++step)
    if (!apply_to(listed, call.steps.list[step], one, faults)) return false;
  __syncthreads();
  if (listed.count() <= most_few) {
    listed.compact();
    Few few = few_of(head, listed.count(), alone, faults);
    few.sort();
    finish_few(call, row, few, step, one, faults);
    return true;
  }
  const Word total = listed.total();
  if (total == 0) return false;
  if (call.kept != nullptr && threadIdx.x == 0) call.kept[row] = listed.count();
  const Survivors survivors(call, row);
  if (survivors.wanted()) listed.each([&](Word entry) { survivors.add(entry, listed.weight(entry), total); });
  if (call.seed == nullptr) return true;
  const Word drawn = listed.drawn(one.random, total);
  if (threadIdx.x == 0) {
    call.token[row] = id_in(drawn);
    call.log_prob[row] =
        distribution::log_prob_of(distribution::distance_below(listed.maximum(), logit_in(drawn)), total);
  }
  return true;
}

/// From which logit on tokens are listed: a guess, the same in all blocks of a row.
template <typename T>
__device__ float bound_of(const HeadSource<T>& source, Step filter, const RowParameters& one, float t,
                          float& top, Room& room, Peers& alone, Faults faults) {
  float sample[4][4];
  const float most = look_at_sample(source, alone, sample);
  top = distribution::with_temperature(most, t);
  if (filter == Step::top_k) return sample_rank(sample, rank_for(one.top_k, source.tokens), room);
  if (filter == Step::top_p)
    return most - t * sample_reach(sample, most, 1 / t, one.top_p, source.tokens, room, alone, faults);
  return (top + static_cast<float>(one.log_min_p) - 1e-3f * (1 + fabsf(top))) * t;
}

template <typename T>
__global__ void __launch_bounds__(block_threads, 2)
    run_heads(const __grid_constant__ RowsCall call, int blocks, bool aligned, Faults faults) {
  extern __shared__ float4 memory[];
  Head& head = *reinterpret_cast<Head*>(memory);
  let_next_kernel_start();
  const int rank = static_cast<int>(blockIdx.x) % blocks;
  const std::int64_t row = static_cast<int>(blockIdx.x) / blocks;
  const int thread = static_cast<int>(threadIdx.x);
  const auto tokens = static_cast<int>(call.in.tokens);
  // Three warps, beside each other.
  if (thread == 0) {
    set_parameters(head.one, call.parameters, row);
    head.listed = 0;
  }
  if (thread == 32) set_logarithm(head.one, call.parameters, row);
  if (thread == 64 && call.seed != nullptr) head.one.random = random_of(call, row, faults);
  __syncthreads();
  const RowParameters& one = head.one;
  const bool legal = are_legal(one, tokens, call.status);
  const Plan plan = plan_of(call.steps, one, tokens);
  const auto answer = [&](bool pending) {
    if (rank == 0 && thread == 0) call.pending[row] = pending ? 1 : 0;
  };
  if (!legal || plan.filter < 0) return answer(legal);  // all blocks of the row alike

  Peers peers(head.room.exchange, blocks, rank);
  const HeadSource<T> source{reinterpret_cast<const T*>(call.in.data) + row * call.in.row_stride,
                             call.in.mask == nullptr ? nullptr : call.in.mask + row * call.in.words(), tokens,
                             aligned};
  const Step filter = call.steps.list[plan.filter];
  const float t = plan.temperature;
  float top = 0;
  Peers alone = peers.alone();
  const float bound = bound_of(source, filter, one, t, top, head.room, alone, faults);
  const bool useful = isfinite(bound) && fabsf(top) < 1e5f;
  const float reference = ceilf(top * 1.4427f);
  const int quads = source.quads();
  const int each = (quads + blocks * 8 - 1) / (blocks * 8) * 8;  // whole words of a mask
  const Slice slice{min(rank * each, quads), min((rank + 1) * each, quads)};
  __syncthreads();
  double below = 0;
  if (useful)
    below = filter == Step::top_p ? stream<true>(source, slice, bound, t, reference, head)
                                  : stream<false>(source, slice, bound, t, reference, head);
  peers.sync();  // all blocks run, and have used their exchange alone for the last time
  const auto own = static_cast<int>(min(head.listed, static_cast<std::uint32_t>(most_listed + 1)));
  const Prefix lists = peers.prefix_of_blocks(static_cast<Word>(own));
  if (filter == Step::top_p)
    below = __longlong_as_double(static_cast<long long>(
        peers.join(static_cast<Word>(__double_as_longlong(below)), SumOfDoubles(), 0)));
  if (!useful || lists.total > most_listed || lists.total == 0) return answer(true);

  const Survivors survivors(call, row);
  if (survivors.wanted()) survivors.clear(4 * slice.begin, 4 * slice.end);
  // The lists of the other blocks go behind that of the first.
  Word* const to = peers.at(head.entries, 0) + lists.before;
  std::uint32_t most = 0;
  for (int i = thread; i < own; i += block_threads) {
    const Word raw = head.entries[i];
    const float logit = distribution::with_temperature(
        distribution::canonical(__int_as_float(static_cast<int>(raw >> 32))), t);
    most = max(most, key_of(logit));
    to[i] = entry_of(logit, id_in(raw));
  }
  const float maximum = logit_of(static_cast<std::uint32_t>(peers.join(Word{most}, Greatest(), 0)));
  if (!isfinite(maximum)) return answer(true);

  const std::uint32_t bound_key = key_of(distribution::with_temperature(bound, t));
  const auto count = static_cast<int>(lists.total);
  const bool is_few = count <= most_few;
  Few few = few_of(head, count, peers.alone(), faults);
  Listed listed(head.entries, count, maximum, bound_key, tokens, head.room, peers.alone(), faults);
  Rest rest{below, reference, tokens, false, 0};
  const auto judge = [&] {
    return is_few ? filter_few(few, filter, one, bound_key, rest, faults)
                  : filter_list(listed, filter, one, bound_key, rest, faults);
  };
  int verdict = decided;
  if (rank == 0) {
    if (is_few) few.sort();
    verdict = judge();
  }
  if (filter == Step::top_p) {
    // The others have to know whether they are needed once more.
    if (rank == 0 && thread < blocks) *peers.at(&head.room.verdict, thread) = verdict;
    peers.sync();
    verdict = head.room.verdict;
    if (verdict == undecided) {
      rest.exact = peers.join(exact_mass(source, slice, t, maximum, faults), Sum(), 0);
      rest.counted = true;
      __syncthreads();  // what the sum was read from is written again
      if (rank == 0) verdict = judge();
    }
  }
  if (rank != 0) return;
  if (verdict != decided) return answer(true);
  if (is_few) {
    finish_few(call, row, few, plan.filter + 1, one, faults);
    return answer(false);
  }
  answer(!finish_list(call, row, listed, head, plan.filter + 1, one, peers.alone(), faults));
}

}  // namespace

template <typename T>
void run_heads_cuda(CUstream_st* stream, const RowsCall& call) {
  int device = 0, multiprocessors = 0;
  detail::check(cudaGetDevice(&device), "cudaGetDevice");
  detail::check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                "cudaDeviceGetAttribute");
  // Two blocks a multiprocessor: what a row has of them is the more the fewer rows there are.
  Spread spread;
  while (runs_clusters(device) && spread.blocks < most_blocks &&
         call.in.rows * spread.blocks * 2 <= 2 * multiprocessors)
    spread.blocks *= 2;
  launch_spread("sampling on CUDA: launch", stream, call.in.rows, spread, LaunchOptions(sizeof(Head)),
                run_heads<T>, call, spread.blocks, reads_by_four<T>(call.in.data, call.in.row_stride),
                selected_faults());
}

template void run_heads_cuda<float>(CUstream_st*, const RowsCall&);
template void run_heads_cuda<__half>(CUstream_st*, const RowsCall&);
template void run_heads_cuda<__nv_bfloat16>(CUstream_st*, const RowsCall&);

}  // namespace assay::kernels::filters
