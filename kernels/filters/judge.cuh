#pragma once

// What the lists of a row decide of the filter they were made for, and the steps behind it.
#include "kernels/filters/finish.cuh"
#include "kernels/filters/head.cuh"
#include "kernels/filters/listed.cuh"

namespace assay::kernels::filters {

enum Verdict : int { decided, left_to_next, undecided };

/// Whether the needed mass may as well be `lowest`: it ends at the same token.
__device__ inline bool is_same_cut(const Listed& listed, const ListCut& cut, Word lowest) {
  if (lowest <= cut.above) return false;
  const Word weight = distribution::weight_of(listed.maximum(), logit_of(cut.key));
  return (lowest - cut.above + weight - 1) / weight == (cut.needed + weight - 1) / weight;
}

/// Applies what is left of the steps to a list too long for few.cuh. False where a step wants more than a
/// list.
__device__ inline bool apply_to(Listed& listed, Step step, const RowParameters& one, Faults faults) {
  const int least = static_cast<int>(max(std::int64_t{1}, one.min_keep));
  switch (step) {
    case Step::temperature:
      if (one.temperature <= 0) return false;
      if (!isfinite(distribution::with_temperature(listed.maximum(), one.temperature))) return false;
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

/// What became of a list.
struct Outcome {
  Listed listed;
  Verdict verdict;
};
__device__ __noinline__ inline Outcome outcome_of(Listed listed, Step step, const RowParameters& one,
                                                  Faults faults) {
  const bool done = apply_to(listed, step, one, faults);
  return {listed, done ? decided : left_to_next};
}

/// What the whole mass is known to lie between.
struct Band {
  Word lowest, highest;
};

/// What is known of the tokens that are not listed.
struct Rest {
  double below;  ///< their mass in units of 2^reference
  std::int32_t reference;
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

/// The terms of the rest are off by 2^-28 each (rough_exp), their sums in double by far less, and twice as
/// much is allowed; weights are rounded to integers, by a half each. What has no weight counts as exp(-64) at
/// most.
__device__ inline Band band_of(const Rest& rest, Word head_mass, float maximum, Faults faults) {
  if (rest.counted) return {rest.exact, rest.exact};
  double mass = mass_of(rest, maximum) * 0x1p45;
  if (mass < 0) return {0, ~Word{0} >> 1};
  double error = mass * 0x1p-27 + rest.tokens;
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

/// The same on a longer list, in no order, for a filter other than top_p.
__device__ __noinline__ inline Outcome filter_otherwise(Listed listed, Step filter, const RowParameters& one,
                                                        std::uint32_t bound_key, Faults faults) {
  if (filter == Step::min_p) {
    const double bound = static_cast<double>(listed.maximum()) + one.log_min_p;
    if (!(bound > static_cast<double>(logit_of(bound_key)))) return {listed, left_to_next};
    const bool strict = faults(Fault::min_p_strict);
    const auto reaches = [&](Word entry) {
      const auto logit = static_cast<double>(logit_in(entry));
      return strict ? logit > bound : logit >= bound;
    };
    Word count = 0;
    listed.each([&](Word entry) { count += reaches(entry) ? 1 : 0; });
    if (listed.joined(count) < static_cast<Word>(least_of(one, faults))) return {listed, left_to_next};
    listed.keep_where(reaches);
    return {listed, decided};
  }
  const std::int64_t k = one.top_k + (faults(Fault::top_k_one_more) ? 1 : 0);
  if (listed.count() < k) return {listed, left_to_next};
  const ListCut cut = listed.cut_by_count(static_cast<int>(k));
  if (cut.key <= bound_key) return {listed, left_to_next};
  listed.keep(cut);
  return {listed, decided};
}

/// Where a sum of the row's mass ends, by the generic search; `undecided` where the exact sum has to be
/// known.
struct Found {
  ListCut cut;
  Verdict verdict;
};
__device__ __noinline__ inline Found found_by_search(Listed listed, double p, const Rest& rest,
                                                     Faults faults) {
  const Word head_mass = listed.total();
  const Band band = band_of(rest, head_mass, listed.maximum(), faults);
  const Word lowest = mass_for(p, band.lowest, faults), highest = mass_for(p, band.highest, faults);
  if (head_mass < highest) return {ListCut{}, lowest == highest ? left_to_next : undecided};
  const ListCut cut = listed.cut_by_mass(highest);
  return {cut, is_same_cut(listed, cut, lowest) ? decided : undecided};
}

/// top_p.
__device__ __forceinline__ Verdict filter_list(Listed& listed, const RowParameters& one,
                                               std::uint32_t bound_key, const Rest& rest, Faults faults) {
  const int least = least_of(one, faults);
  ListCut cut{};
  const auto needed_for = [&](Word head_mass, Word(&needed)[2]) {
    const Band band = band_of(rest, head_mass, listed.maximum(), faults);
    needed[0] = mass_for(one.top_p, band.lowest, faults);
    needed[1] = mass_for(one.top_p, band.highest, faults);
  };
  bool alike = true;
  if (!listed.cut_near(needed_for, cut, alike)) {
    const Found found = found_by_search(listed, one.top_p, Rest(rest), faults);
    if (found.verdict == left_to_next) return left_to_next;
    cut = found.cut;
    alike = found.verdict == decided;
    if (!alike && cut.key == 0) return undecided;
  }
  if (cut.key <= bound_key) return left_to_next;
  if (!alike) return undecided;
  if (least > 1 || faults(Fault::exclusive_sum)) {
    const int length = listed.length_of(cut);
    if (faults(Fault::exclusive_sum) && length > 1) cut = listed.cut_by_count(length - 1);
    if (length < least && listed.count() < least) return left_to_next;
    if (length < least) cut = listed.cut_by_count(least);
    if (cut.key <= bound_key) return left_to_next;
  }
  listed.keep(cut);
  return decided;
}

/// What is left has become short: the first block goes on with it.
__device__ __noinline__ inline void finish_gathered(const RowsCall& call, std::int64_t row, Listed listed,
                                                    Word* entries, int step, const RowParameters& one,
                                                    bool is_first, Peers alone, Faults faults) {
  listed.gather();
  if (!is_first) return;
  Few few(entries, listed.count(), entries + most_few, alone, faults);
  few.sort();
  finish_few(call, row, few, step, one, faults);
}

/// The steps after the filter, the draw and the survivors. False where a step wants more than lists.
__device__ __forceinline__ bool finish_list(const RowsCall& call, std::int64_t row, Listed& listed,
                                            Word* entries, int step, const RowParameters& one, bool is_first,
                                            Peers alone, Faults faults) {
  for (; step < call.steps.count && listed.count() > most_few; ++step) {
    if (does_nothing(call.steps.list[step], one)) continue;
    const Outcome outcome = outcome_of(listed, call.steps.list[step], one, faults);
    if (outcome.verdict != decided) return false;
    listed.take(outcome.listed);
  }
  if (listed.count() <= most_few) {
    finish_gathered(call, row, listed, entries, step, one, is_first, alone, faults);
    return true;
  }
  const Word total = listed.total();
  if (total == 0) return false;
  if (call.kept != nullptr && is_first && threadIdx.x == 0) call.kept[row] = listed.count();
  const Survivors survivors(call, row);
  if (survivors.wanted()) listed.each([&](Word entry) { survivors.add(entry, listed.weight(entry), total); });
  Word drawn = 0;
  if (call.seed == nullptr || !listed.drawn(one.random, drawn)) return true;
  if (threadIdx.x == 0) {
    call.token[row] = id_in(drawn);
    call.log_prob[row] =
        distribution::log_prob_of(distribution::distance_below(listed.maximum(), logit_in(drawn)), total);
  }
  return true;
}

}  // namespace assay::kernels::filters
