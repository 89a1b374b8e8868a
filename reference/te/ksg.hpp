#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

#include "engine/arguments.hpp"
#include "reference/points.hpp"
#include "reference/te/digamma.hpp"

namespace assay::reference::te {

/// What the estimate needs of one point: its radii and counts.
struct KsgNeighbourhood {
  double eps_x = 0, eps_y = 0, eps_z = 0;
  std::int64_t n_xz = 0, n_yz = 0, n_z = 0;  ///< without a condition n_x, n_y and n - 1
};

/// Maximum-norm distances of one point to all that it may see, in each space. Kept from point to point:
/// memory.
struct Distances {
  Eigen::ArrayXd x, y, z, xz, yz, joint;
};

inline std::int64_t how_many_below(double eps, const Eigen::ArrayXd& distances) {
  return std::count_if(distances.begin(), distances.end(), [=](double distance) { return distance < eps; });
}

/// Radii and counts of point i. Kraskov, Stoegbauer, Grassberger 2004 (PRE 69, 066138), text before eqs. 8
/// and 9; with a condition Frenzel, Pompe 2007 (PRL 99, 204101), text before eq. 7.
inline KsgNeighbourhood ksg_neighbourhood(const Points& x, const Points& y, const Points& z, Eigen::Index i,
                                          std::int64_t k, int algorithm, const Admissible& admissible,
                                          Distances& d) {
  admissible.distances_from(x, i, d.x);
  admissible.distances_from(y, i, d.y);
  admissible.distances_from(z, i, d.z);
  d.xz = d.x.max(d.z);
  d.yz = d.y.max(d.z);
  d.joint = d.xz.max(d.y);
  if (d.joint.size() < k) throw std::invalid_argument("te.ksg: a point sees fewer than k others");

  std::vector<double> nearest(static_cast<std::size_t>(k));
  std::partial_sort_copy(d.joint.begin(), d.joint.end(), nearest.begin(), nearest.end());
  const double eps = nearest.back();  // of the k-th nearest neighbour

  KsgNeighbourhood near;
  if (algorithm == 1) {
    near.eps_x = near.eps_y = near.eps_z = eps;
    near.n_xz = how_many_below(eps, d.xz);
    near.n_yz = how_many_below(eps, d.yz);
    near.n_z = how_many_below(eps, d.z);
  } else {
    // The smallest rectangle around the k nearest. Their order is that of the three distances, largest first;
    // all that share the k-th place belong to them (engine/te/ksg.hpp, Ties).
    const auto falling = [&](Eigen::Index j) {
      std::array<double, 3> three{d.x(j), d.y(j), d.z(j)};
      std::sort(three.begin(), three.end(), std::greater<>());
      return three;
    };
    std::vector<std::array<double, 3>> order;
    for (Eigen::Index j = 0; j < d.joint.size(); ++j)
      if (d.joint(j) <= eps) order.push_back(falling(j));
    std::sort(order.begin(), order.end());
    for (Eigen::Index j = 0; j < d.joint.size(); ++j)
      if (d.joint(j) <= eps && falling(j) <= order.at(static_cast<std::size_t>(k - 1))) {
        near.eps_x = std::max(near.eps_x, d.x(j));
        near.eps_y = std::max(near.eps_y, d.y(j));
        near.eps_z = std::max(near.eps_z, d.z(j));
      }
    near.n_xz = (d.x <= near.eps_x && d.z <= near.eps_z).count();
    near.n_yz = (d.y <= near.eps_y && d.z <= near.eps_z).count();
    near.n_z = (d.z <= near.eps_z).count();
  }
  if (z.cols() == 0) near.n_z = x.rows() - 1;
  return near;
}

/// I(x; y | z) by nearest neighbours, every distance of every pair computed.
inline void run_ksg(const Arguments& arguments, const Outputs& outputs) {
  const Points x = points_of(arguments.input("x"));
  const Points y = points_of(arguments.input("y"));
  const bool condition =
      arguments.has("z") && arguments.input("z").rank() > 1 && arguments.input("z").extent(1) > 0;
  const Points z = condition ? points_of(arguments.input("z")) : Points(x.rows(), 0);
  const std::int64_t k = arguments.integer("k");
  const int algorithm = static_cast<int>(arguments.integer("algorithm"));
  const Admissible admissible(arguments, x.rows());
  const Eigen::Index n = x.rows();

  Eigen::VectorXd psi(n + 2);  // psi(m) at m
  for (Eigen::Index m = 1; m < psi.size(); ++m) psi(m) = digamma(static_cast<double>(m));

  Distances distances;
  Eigen::VectorXd local(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const KsgNeighbourhood near = ksg_neighbourhood(x, y, z, i, k, algorithm, admissible, distances);
    const double inverse_k = 1.0 / static_cast<double>(k);
    const double inverse_xz = 1.0 / static_cast<double>(near.n_xz);
    const double inverse_yz = 1.0 / static_cast<double>(near.n_yz);
    if (algorithm == 1 && condition)  // Frenzel, Pompe 2007, eq. 7
      local(i) = psi(k) + psi(near.n_z + 1) - psi(near.n_xz + 1) - psi(near.n_yz + 1);
    else if (algorithm == 1)  // Kraskov et al. 2004, eq. 8
      local(i) = psi(k) + psi(n) - psi(near.n_xz + 1) - psi(near.n_yz + 1);
    else if (condition)  // Lizier 2014 (Front. Robot. AI 1, 11), appendix: eq. 9 of Kraskov with a condition
      local(i) =
          psi(k) - 2 * inverse_k + psi(near.n_z) - psi(near.n_xz) + inverse_xz - psi(near.n_yz) + inverse_yz;
    else  // Kraskov et al. 2004, eq. 9
      local(i) = psi(k) - inverse_k + psi(n) - psi(near.n_xz) - psi(near.n_yz);

    const auto row = static_cast<std::size_t>(3 * i);
    const auto radii = outputs.at("radii").as<double>();
    const auto counts = outputs.at("counts").as<std::int64_t>();
    radii[row] = near.eps_x;
    radii[row + 1] = near.eps_y;
    radii[row + 2] = near.eps_z;
    counts[row] = near.n_xz;
    counts[row + 1] = near.n_yz;
    counts[row + 2] = near.n_z;
    outputs.at("local").as<double>()[static_cast<std::size_t>(i)] = local(i);
  }
  outputs.at("value").as<double>()[0] = static_cast<double>(local.cast<long double>().mean());
}

}  // namespace assay::reference::te
