#include "kernels/te/ksg.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/runtime/thread_pool.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/nearest_box.hpp"
#include "kernels/te/digamma.hpp"

namespace assay::kernels::te {

struct KsgPlan::State {
  std::vector<double> y, z;
  std::int64_t n = 0, dy = 0, dz = 0;
  spatial::Exclusion exclusion;
  KsgOptions options;
};

KsgPlan::KsgPlan(ThreadPool&, spatial::Rows y, spatial::Rows z, std::span<const std::int64_t> trial_lengths,
                 const KsgOptions& options)
    : state_(new State{{y.data, y.data + y.n * y.d},
                       {z.data, z.data + z.n * z.d},
                       y.n,
                       y.d,
                       z.d,
                       spatial::Exclusion(y.n, trial_lengths, options.theiler_window),
                       options}) {}
KsgPlan::KsgPlan(KsgPlan&&) noexcept = default;
KsgPlan& KsgPlan::operator=(KsgPlan&&) noexcept = default;
KsgPlan::~KsgPlan() = default;

namespace {

double distance(const double* a, const double* b, std::int64_t d) {
  double largest = 0;
  for (std::int64_t c = 0; c < d; ++c) largest = std::max(largest, std::fabs(a[c] - b[c]));
  return largest;
}

double pairwise_sum(std::span<const double> values) {
  if (values.size() <= 8) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum;
  }
  const std::size_t half = values.size() / 2;
  return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
}

}  // namespace

void KsgPlan::evaluate(ThreadPool& pool, spatial::Rows x, const KsgResult& result) {
  const State& s = *state_;
  const bool conditional = s.dz > 0;
  const double dk = static_cast<double>(s.options.k);
  const double psi_k = digamma(dk);
  const double psi_n = digamma(static_cast<double>(s.n));
  std::vector<double> local(static_cast<std::size_t>(s.n));
  pool.parallel_for(s.n, 64, [&](std::int64_t begin, std::int64_t end, unsigned) {
    std::vector<double> px(static_cast<std::size_t>(s.n)), py(px), pz(px), joint;
    std::vector<spatial::PartDistances> near;
    for (std::int64_t i = begin; i < end; ++i) {
      const spatial::RowRange out = s.exclusion.of(i);
      joint.clear();
      for (std::int64_t j = 0; j < s.n; ++j) {
        const auto at = static_cast<std::size_t>(j);
        px[at] = distance(x.row(i), x.row(j), x.d);
        py[at] = distance(&s.y[static_cast<std::size_t>(i * s.dy)], &s.y[static_cast<std::size_t>(j * s.dy)], s.dy);
        pz[at] = distance(s.z.data() + i * s.dz, s.z.data() + j * s.dz, s.dz);
        if (!out.contains(j)) joint.push_back(std::max({px[at], py[at], pz[at]}));
      }
      std::nth_element(joint.begin(), joint.begin() + s.options.k - 1, joint.end());
      const double eps = joint[static_cast<std::size_t>(s.options.k - 1)];
      double eps_x = eps, eps_y = eps, eps_z = eps;
      const bool closed = s.options.algorithm == 2;
      if (closed) {
        near.clear();
        for (std::int64_t j = 0; j < s.n; ++j) {
          const auto at = static_cast<std::size_t>(j);
          const spatial::PartDistances parts{px[at], py[at], pz[at]};
          if (!out.contains(j) && parts.joint() <= eps) near.push_back(parts);
        }
        const spatial::PartDistances box = spatial::nearest_box(near, static_cast<std::size_t>(s.options.k));
        eps_x = box.x;
        eps_y = box.y;
        eps_z = box.z;
      }
      std::int64_t xz = 0, yz = 0, nz = 0;
      for (std::int64_t j = 0; j < s.n; ++j) {
        const auto at = static_cast<std::size_t>(j);
        if (out.contains(j)) continue;
        const bool in_z = !conditional || (closed ? pz[at] <= eps_z : pz[at] < eps_z);
        xz += in_z && (closed ? px[at] <= eps_x : px[at] < eps_x);
        yz += in_z && (closed ? py[at] <= eps_y : py[at] < eps_y);
        nz += in_z;
      }
      if (!conditional) nz = s.n - 1;
      const auto psi = [](std::int64_t count) { return digamma(static_cast<double>(count)); };
      double value = psi_k;
      if (!closed)
        value += (conditional ? psi(nz + 1) : psi_n) - psi(xz + 1) - psi(yz + 1);
      else if (conditional)
        value += psi(nz) - psi(xz) - psi(yz) + 1.0 / static_cast<double>(xz) + 1.0 / static_cast<double>(yz) - 2.0 / dk;
      else
        value += psi_n - psi(xz) - psi(yz) - 1.0 / dk;
      local[static_cast<std::size_t>(i)] = value;
      const auto row = static_cast<std::size_t>(3 * i);
      if (!result.radii.empty()) {
        result.radii[row] = eps_x;
        result.radii[row + 1] = eps_y;
        result.radii[row + 2] = eps_z;
      }
      if (!result.counts.empty()) {
        result.counts[row] = xz;
        result.counts[row + 1] = yz;
        result.counts[row + 2] = nz;
      }
    }
  });
  if (!result.local.empty()) std::copy(local.begin(), local.end(), result.local.begin());
  if (!result.value.empty()) result.value[0] = pairwise_sum(local) / static_cast<double>(s.n);
}

}  // namespace assay::kernels::te
