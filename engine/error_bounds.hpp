#pragma once

#include <cmath>
#include <limits>
#include <span>

namespace assay {

/// A small algebra of proven forward error bounds (Higham 2002, Accuracy and Stability of Numerical
/// Algorithms, 2nd ed., chapters 2 to 4). A quantity is what exact arithmetic would give, and how far what
/// was computed may be from it; an operation's bound is composed of the steps that its body takes.
///
/// The standard model: a basic operation's result is the exact result of its computed operands times (1 + d),
/// |d| <= u, where it neither overflows nor underflows; what underflow adds is part of the step that meets
/// it. Bounds are evaluated in double and enlarged for that. `exact` is evaluated in double too: beside a
/// roundoff of 2^-24 or more that does not show, and a bound on arithmetic in double has to count it as one
/// step more. A bound that is not finite is infinite: it allows any finite value and excuses nothing else
/// (engine/comparison.hpp).
struct Bounded {
  double exact = 0;
  double error = 0;  ///< |computed - exact| is at most this
};

/// A type that results are rounded to: the unit roundoff, and half its smallest spacing.
struct Rounding {
  double unit = 0;
  double tiny = 0;
};
inline constexpr Rounding in_double{0x1p-53, 0x1p-1074};
inline constexpr Rounding in_float{0x1p-24, 0x1p-150};
inline constexpr Rounding in_half{0x1p-11, 0x1p-25};
inline constexpr Rounding in_bfloat16{0x1p-8, 0x1p-134};
/// Products of 16-bit values added by a tensor core, which may truncate.
inline constexpr Rounding in_tensor_core{0x1p-23, 0x1p-149};

namespace bounds_detail {
/// What evaluating a bound in double may lose, many times over.
inline double enlarged(double error) {
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error * (1 + 0x1p-40);
}
inline double reach(const Bounded& a) {
  return std::fabs(a.exact) + a.error;
}
}  // namespace bounds_detail

/// n rounding errors one after the other: (1 + d_1) ... (1 + d_n) differs from 1 by at most this. Infinite
/// where n u >= 1, of which nothing is known (Higham, lemma 3.1).
inline double gamma(double n, Rounding in) {
  const double share = n * in.unit;
  return share < 1 ? share / (1 - share) : std::numeric_limits<double>::infinity();
}

/// A value as it is given.
inline Bounded exactly(double value) {
  return {value, 0};
}

/// A result stored in a type: one rounding more.
inline Bounded rounded(const Bounded& a, Rounding in) {
  return {a.exact, bounds_detail::enlarged(a.error + in.unit * bounds_detail::reach(a) + in.tiny)};
}

inline Bounded sum(const Bounded& a, const Bounded& b, Rounding in) {
  const Bounded exact{a.exact + b.exact, a.error + b.error};
  return {exact.exact, bounds_detail::enlarged(exact.error + in.unit * bounds_detail::reach(exact))};
}

inline Bounded difference(const Bounded& a, const Bounded& b, Rounding in) {
  return sum(a, {-b.exact, b.error}, in);
}

/// Any number of terms, none of which passes through more than `depth` additions: n - 1 for a running sum,
/// log2 n for a tree. `exact` is their exact sum (Higham, equation 4.4).
struct Terms {
  double exact = 0, error = 0, reach = 0;
  void add(const Bounded& term) {
    exact += term.exact;
    error += term.error;
    reach += bounds_detail::reach(term);
  }
};
inline Bounded sum(const Terms& terms, double depth, Rounding in) {
  return {terms.exact, bounds_detail::enlarged(terms.error + gamma(depth, in) * terms.reach)};
}

inline Bounded product(const Bounded& a, const Bounded& b, Rounding in) {
  const double of_operands = std::fabs(a.exact) * b.error + std::fabs(b.exact) * a.error + a.error * b.error;
  return {a.exact * b.exact,
          bounds_detail::enlarged(of_operands + in.unit * bounds_detail::reach(a) * bounds_detail::reach(b) +
                                  in.tiny)};
}

/// a / b; infinite where b may be 0.
inline Bounded quotient(const Bounded& a, const Bounded& b, Rounding in) {
  const double least = std::fabs(b.exact) - b.error;
  if (!(least > 0)) return {a.exact / b.exact, std::numeric_limits<double>::infinity()};
  const double of_operands = (a.error + std::fabs(a.exact / b.exact) * b.error) / least;
  return {a.exact / b.exact,
          bounds_detail::enlarged(of_operands + in.unit * bounds_detail::reach(a) / least + in.tiny)};
}

/// The larger of the two: no rounding, and no more error than the worse.
inline Bounded maximum(const Bounded& a, const Bounded& b) {
  return {std::fmax(a.exact, b.exact), std::fmax(a.error, b.error)};
}

/// exp, taken by a routine whose result is within `roundings` u of exp of its argument.
inline Bounded exponential(const Bounded& a, double roundings, Rounding in) {
  const double value = std::exp(a.exact), of_argument = value * std::expm1(a.error);
  return {value,
          bounds_detail::enlarged(of_argument + roundings * in.unit * (value + of_argument) + in.tiny)};
}

/// ln, taken by a routine that is off by at most `roundings` u |ln|; infinite where the argument may be 0.
inline Bounded logarithm(const Bounded& a, double roundings, Rounding in) {
  if (!(a.exact > a.error)) return {std::log(a.exact), std::numeric_limits<double>::infinity()};
  const double value = std::log(a.exact), of_argument = -std::log1p(-a.error / a.exact);
  return {value,
          bounds_detail::enlarged(of_argument + roundings * in.unit * (std::fabs(value) + of_argument))};
}

}  // namespace assay
