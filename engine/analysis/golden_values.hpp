#pragma once

#include <array>
#include <cstdint>

namespace assay::analysis {

/// One row of known KSG transfer entropies of the system "data-a" (seed 42), nats, rounded to nine decimals;
/// computed by an independent program in double and confirmed with JIDT. Not normalised, no noise.
struct TransferRow {
  std::int64_t rows;
  int algorithm;
  std::int64_t k;
  double forward;          ///< X -> Y, histories 1
  double backward;         ///< Y -> X, histories 1
  double forward_2;        ///< X -> Y, histories 2
  double backward_2;       ///< Y -> X, histories 2
  double forward_theiler;  ///< X -> Y, histories 1, Theiler window 10
};
inline constexpr std::array<TransferRow, 5> data_a_transfer{{
    {200, 1, 4, 0.110257587, 0.047172532, 0.050937404, 0.012682157, 0.109964665},
    {1000, 1, 4, 0.094446488, 0.005293625, 0.103367245, -0.000533997, 0.101357634},
    {4000, 1, 4, 0.096469986, 0.010224578, 0.093774081, 0.004796894, 0.096870199},
    {200, 2, 4, 0.120781291, 0.122001372, 0.073636966, 0.008357061, 0.111362847},
    {1000, 2, 4, 0.124300036, 0.028112428, 0.135913141, 0.017872361, 0.124966054},
}};

/// X -> Y with k = 10, algorithm 1, histories 1.
inline constexpr double data_a_k10_n1000 = 0.108888498;
inline constexpr double data_a_k10_n4000 = 0.097862535;

/// The first point of X -> Y, n = 1000, algorithm 1, k = 4.
inline constexpr double data_a_first_radius = 0.20325438;
inline constexpr std::int64_t data_a_first_n_z = 122, data_a_first_n_yz = 19, data_a_first_n_xz = 15;

/// Exact transfer entropy X -> Y of the process; Y -> X is 0.
inline constexpr double data_a_truth = 0.1020744799;

/// Mutual information of the columns of "data-b" (seed 7, 2000 rows), k = 4.
struct InformationRow {
  int algorithm;  ///< 0: the exact value of the Gaussian process
  double a_b, a_c, a_bc;
};
inline constexpr std::array<InformationRow, 3> data_b_information{{
    {1, 0.233573922, 0.157962034, 0.265626772},
    {2, 0.232553428, 0.152310756, 0.249721464},
    {0, 0.223143551, 0.143841036, 0.233044865},
}};

/// Half a unit of the ninth decimal, and rounding in double.
inline constexpr double golden_tolerance = 6e-10;

}  // namespace assay::analysis
