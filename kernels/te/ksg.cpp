#include "kernels/te/ksg.hpp"

#include <algorithm>
#include <optional>
#include <variant>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/networks/pairwise_sum.hpp"
#include "kernels/spatial/counting.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/kd_tree.hpp"
#include "kernels/spatial/search.hpp"
#include "kernels/spatial/sorted_points.hpp"
#include "kernels/te/digamma.hpp"

namespace assay::kernels::te {

namespace {

using spatial::Coordinate;
using Structure = std::variant<spatial::SortedPoints, spatial::KdTree>;

Structure structure_of(ThreadPool& pool, std::span<const Coordinate> coordinates, std::int64_t n, bool tree) {
  if (tree && coordinates.size() > 1) return spatial::KdTree(pool, coordinates, n);
  return spatial::SortedPoints(coordinates, n);
}

/// Rows of one's own, so that a plan may outlive what it was made from.
struct OwnedRows {
  explicit OwnedRows(spatial::Rows rows)
      : values(rows.data, rows.data + rows.n * rows.d), n(rows.n), d(rows.d) {}
  spatial::Rows view() const { return {values.data(), n, d}; }
  std::vector<double> values;
  std::int64_t n;
  std::int64_t d;
};

/// psi(1) .. psi(largest) at 1 .. largest.
std::vector<double> psi_table(ThreadPool& pool, std::int64_t largest) {
  std::vector<double> table(static_cast<std::size_t>(largest + 1), 0.0);
  const std::int64_t lost = mutant("te.ksg.psi_table_end_lost") ? 1 : 0;
  pool.parallel_for(largest, 1024, [&](std::int64_t begin, std::int64_t end, unsigned) {
    for (std::int64_t m = begin + 1; m <= end - lost; ++m)
      table[static_cast<std::size_t>(m)] = digamma(static_cast<double>(m));
  });
  return table;
}

/// Local values from the counts (engine/te/ksg.hpp). The faults are read once here.
class LocalValue {
 public:
  LocalValue(ThreadPool& pool, const KsgOptions& options, std::int64_t n, bool conditional,
             std::int64_t largest)
      : box_(options.algorithm == 2), conditional_(conditional), psi_(psi_table(pool, largest + 1)) {
    const auto k = static_cast<double>(options.k);
    constant_ = digamma(k);
    if (mutant("te.ksg.two_term_form")) constant_ -= digamma(static_cast<double>(n));
    if (box_ && !mutant("te.ksg.missing_two_over_k")) constant_ -= (conditional ? 2.0 : 1.0) / k;
    psi_n_ = digamma(static_cast<double>(mutant("te.ksg.psi_of_n_minus_one") ? n - 1 : n));
    if (mutant("te.ksg.psi_of_n")) shift_ = 0;
    if (mutant("te.ksg.missing_reciprocals")) reciprocal_ = 0.0;
  }

  double operator()(std::int64_t n_xz, std::int64_t n_yz, std::int64_t n_z) const {
    if (!box_)
      return constant_ + ((conditional_ ? psi(n_z + shift_) : psi_n_) - psi(n_xz + shift_)) -
             psi(n_yz + shift_);
    if (!conditional_) return constant_ + (psi_n_ - psi(n_xz)) - psi(n_yz);
    return constant_ + (psi(n_z) - psi(n_xz)) - psi(n_yz) +
           reciprocal_ * (1.0 / static_cast<double>(n_xz) + 1.0 / static_cast<double>(n_yz));
  }

 private:
  double psi(std::int64_t m) const { return psi_[static_cast<std::size_t>(m)]; }

  bool box_;
  bool conditional_;
  std::vector<double> psi_;
  double constant_ = 0;
  double psi_n_ = 0;
  std::int64_t shift_ = 1;
  double reciprocal_ = 1.0;
};

}  // namespace

struct KsgPlan::State {
  State(ThreadPool& pool, spatial::Rows y_rows, spatial::Rows z_rows,
        std::span<const std::int64_t> trial_lengths, const KsgOptions& asked)
      : options(asked),
        n(y_rows.n),
        y(y_rows),
        z(z_rows),
        exclusion(n, trial_lengths, options.theiler_window),
        count_exclusion(mutant("te.ksg.theiler_not_in_counts") ? spatial::Exclusion(n, {}, 0) : exclusion),
        conditional(z.d > 0),
        walks(conditional && !spatial::tree_for_conditional(options.search, n)),
        largest_k(options.k) {
    if (mutant("te.ksg.next_neighbour")) {
      bool all = true;
      for (std::int64_t i = 0; i < n; ++i) all = all && exclusion.admissible(i) > options.k;
      largest_k += all ? 1 : 0;
    }
    if (walks) {  // one walk along a coordinate of z does it all
      const auto of_z = spatial::coordinates({z.view()});
      axis = spatial::widest_coordinate(of_z, n, 0, z.d);
      axis_order = spatial::sorted_order(of_z[static_cast<std::size_t>(axis)], n);
      return;
    }
    yz.emplace(structure_for_counts(pool, spatial::coordinates({y.view(), z.view()})));
    if (conditional) alone.emplace(structure_for_counts(pool, spatial::coordinates({z.view()})));
  }

  Structure structure_for_counts(ThreadPool& pool, std::span<const Coordinate> coordinates) const {
    const auto d = static_cast<std::int64_t>(coordinates.size());
    return structure_of(pool, coordinates, n, spatial::tree_for_counts(options.search, n, d));
  }
  void walk(ThreadPool& pool, spatial::Rows x, double* radii, std::int64_t* counts);
  void search(ThreadPool& pool, spatial::Rows x, double* radii, std::int64_t* counts);

  KsgOptions options;
  std::int64_t n;
  OwnedRows y, z;
  spatial::Exclusion exclusion;
  spatial::Exclusion count_exclusion;
  bool conditional;
  bool walks;
  std::int64_t largest_k;
  // what depends on y and z alone: for the walk
  std::int64_t axis = 0;  // of z
  std::vector<std::int32_t> axis_order;
  std::optional<spatial::SortedPoints> walked;
  // for the searches
  std::optional<Structure> yz;
  std::optional<Structure> alone;    // z
  std::optional<OwnedRows> first_x;  // kept by a planted fault
};

/// z sorted along one of its coordinates: radii and counts of a point in one walk.
void KsgPlan::State::walk(ThreadPool& pool, spatial::Rows x, double* radii, std::int64_t* counts) {
  const auto coordinates = spatial::coordinates({x, y.view(), z.view()});
  const auto of_x = std::span(coordinates).first(static_cast<std::size_t>(x.d));
  if (walked && walked->columns().dimensions() == static_cast<std::int64_t>(coordinates.size()))
    walked->columns().assign(0, mutant("te.ksg.walk_keeps_first_x") ? of_x.first(0) : of_x, axis_order);
  else
    walked.emplace(coordinates, axis_order, x.d + y.d + axis);
  const spatial::ConditionalTask task{.k = largest_k,
                                      .ends = {x.d, x.d + y.d, x.d + y.d + z.d},
                                      .boxes = options.algorithm == 2,
                                      .radii = radii,
                                      .counts = counts,
                                      .open_ball = mutant("te.ksg.ties_open_ball"),
                                      .joint_radii = mutant("te.ksg.radii_from_joint"),
                                      .float_radii = mutant("te.ksg.float32_distances"),
                                      .turn_strictness = options.algorithm == 1
                                                             ? mutant("te.ksg.counts_not_strict")
                                                             : mutant("te.ksg.algorithm2_strict"),
                                      .x_without_z = mutant("te.ksg.condition_missing_in_xz")};
  spatial::conditional(pool, *walked, coordinates, exclusion, count_exclusion, task);
}

/// A search in the joint space, then one in each space that is counted in.
void KsgPlan::State::search(ThreadPool& pool, spatial::Rows x, double* radii, std::int64_t* counts) {
  const bool box = options.algorithm == 2;
  const auto joint = spatial::coordinates({x, y.view(), z.view()});
  const Structure points =
      structure_of(pool, joint, n,
                   spatial::tree_for_neighbours(options.search, n, static_cast<std::int64_t>(joint.size())));
  const spatial::BoxTask task{.k = largest_k,
                              .ends = {x.d, x.d + y.d, x.d + y.d + z.d},
                              .open_ball = mutant("te.ksg.ties_open_ball"),
                              .radii = radii};
  std::visit(
      [&](const auto& structure) {
        nearest_radius(pool, structure, exclusion, largest_k, radii);
        if (mutant("te.ksg.float32_distances"))
          std::transform(radii, radii + 3 * n, radii,
                         [](double radius) { return static_cast<double>(static_cast<float>(radius)); });
        if (box && !mutant("te.ksg.radii_from_joint")) boxes(pool, structure, exclusion, task);
      },
      points);

  const bool strict = box == mutant(box ? "te.ksg.algorithm2_strict" : "te.ksg.counts_not_strict");
  std::vector<double> closed(radii, radii + 3 * n);
  for (double& radius : closed) radius = spatial::closed_radius(radius, strict);
  const auto count_in = [&](const Structure& structure, std::span<const Coordinate> coordinates,
                            std::int64_t part, std::int64_t split, std::int64_t column) {
    const std::int64_t z_part = mutant("te.ksg.condition_radius_of_other") ? part : 2;
    const spatial::Radii within{
        .data = closed.data(), .stride = 3, .first = part, .second = z_part, .split = split};
    std::visit(
        [&](const auto& points_of) {
          count(pool, points_of, coordinates, count_exclusion, within,
                {.data = counts + column, .stride = 3});
        },
        structure);
  };
  const auto of_x = mutant("te.ksg.condition_missing_in_xz") ? spatial::coordinates({x})
                                                             : spatial::coordinates({x, z.view()});
  count_in(structure_for_counts(pool, of_x), of_x, 0, x.d, 0);
  count_in(*yz, spatial::coordinates({y.view(), z.view()}), 1, y.d, 1);
  if (conditional)
    count_in(*alone, spatial::coordinates({z.view()}), 2, 0, 2);
  else
    for (std::int64_t i = 0; i < n; ++i) counts[3 * i + 2] = mutant("te.ksg.n_z_has_self") ? n : n - 1;
}

KsgPlan::KsgPlan(ThreadPool& pool, spatial::Rows y, spatial::Rows z,
                 std::span<const std::int64_t> trial_lengths, const KsgOptions& options)
    : state_(std::make_unique<State>(pool, y, z, trial_lengths, options)) {}
KsgPlan::KsgPlan(KsgPlan&&) noexcept = default;
KsgPlan& KsgPlan::operator=(KsgPlan&&) noexcept = default;
KsgPlan::~KsgPlan() = default;

void KsgPlan::evaluate(ThreadPool& pool, spatial::Rows x, const KsgResult& result) {
  State& state = *state_;
  if (mutant("te.ksg.stale_surrogate")) {
    if (!state.first_x || state.first_x->d != x.d) state.first_x.emplace(x);
    x = state.first_x->view();
  }
  const auto size = static_cast<std::size_t>(3 * state.n);
  std::vector<double> own_radii(result.radii.empty() ? size : 0);
  std::vector<std::int64_t> own_counts(result.counts.empty() ? size : 0);
  double* radii = result.radii.empty() ? own_radii.data() : result.radii.data();
  std::int64_t* counts = result.counts.empty() ? own_counts.data() : result.counts.data();
  if (state.walks)
    state.walk(pool, x, radii, counts);
  else
    state.search(pool, x, radii, counts);

  std::int64_t largest = 0;
  for (std::int64_t i = 0; i < state.n; ++i)
    largest =
        std::max({largest, counts[3 * i], counts[3 * i + 1], state.conditional ? counts[3 * i + 2] : 0});
  const LocalValue value(pool, state.options, state.n, state.conditional, largest);
  std::vector<double> own_local(result.local.empty() ? static_cast<std::size_t>(state.n) : 0);
  const std::span<double> local = result.local.empty() ? std::span(own_local) : result.local;
  pool.parallel_for(state.n, 4096, [&](std::int64_t begin, std::int64_t end, unsigned) {
    for (std::int64_t i = begin; i < end; ++i)
      local[static_cast<std::size_t>(i)] = value(counts[3 * i], counts[3 * i + 1], counts[3 * i + 2]);
  });
  if (result.value.empty()) return;
  const bool last_lost = mutant("te.ksg.mean_loses_last");
  const double sum = networks::pairwise_sum(local.first(local.size() - (last_lost ? 1 : 0)));
  result.value[0] =
      (mutant("te.ksg.mean_in_float") ? static_cast<float>(sum) : sum) / static_cast<double>(state.n);
}

}  // namespace assay::kernels::te
