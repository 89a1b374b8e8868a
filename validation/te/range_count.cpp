#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/analysis/splitmix.hpp"
#include "engine/runtime/error.hpp"
#include "validation/all_of.hpp"
#include "validation/refusals.hpp"
#include "validation/threads.hpp"
#include "validation/transfer_entropy/points.hpp"

namespace assay::validation::te {

namespace {

using namespace transfer_entropy;
constexpr const char* operation = "te.range_count";

struct Case {
  Tensor points;
  Tensor radii;
  Neighbourhood where;
  bool strict = true;
  std::int64_t rows() const { return points.shape()[0]; }
  HostArguments arguments() const {
    HostArguments made;
    made.inputs.emplace("points", points.clone());
    made.inputs.emplace("radii", radii.clone());
    made.parameters.emplace("strict", strict);
    where.add_to(made, false);
    return made;
  }
};

// Radii that decide between < and <=: mostly the exact distance to some other point; some zero, some
// infinite, some a little off.
Tensor draw_radii(const Tensor& points, std::uint64_t seed) {
  analysis::SplitMix64 random(seed);
  const std::int64_t n = points.shape()[0], width = points.shape()[1];
  const auto values = points.as<double>();
  std::vector<double> radii(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    const auto other = static_cast<std::int64_t>(random.uniform() * static_cast<double>(n));
    double radius = 0;
    for (std::int64_t c = 0; c < width; ++c) {
      radius = std::max(radius, std::abs(values[static_cast<std::size_t>(i * width + c)] -
                                         values[static_cast<std::size_t>(other * width + c)]));
    }
    const double kind = random.uniform();
    if (kind < 0.05)
      radius = std::numeric_limits<double>::infinity();
    else if (kind < 0.1)
      radius = 0;
    else if (kind < 0.2 && radius > 0)
      radius = std::nextafter(radius, std::numeric_limits<double>::infinity());
    else if (kind < 0.3)
      radius *= random.uniform();
    radii[static_cast<std::size_t>(i)] = radius;
  }
  return Tensor::from(radii, {n});
}

Case draw(CloudLimits limits, std::uint64_t seed) {
  limits.min_rows = std::max<std::int64_t>(2, limits.min_rows);
  const Cloud cloud = *clouds(limits).as("points");
  Case drawn{cloud.tensor(), {}, {}};
  drawn.where = draw_neighbourhood(cloud.rows);
  drawn.radii = draw_radii(drawn.points, seed);
  drawn.strict = *integers(0, 1, "not strict") == 0;
  return drawn;
}

CloudLimits wide() {
  CloudLimits limits;
  limits.max_columns = 9;
  limits.max_rows = 260;
  return limits;
}

void matches_reference(Probe& probe) {
  probe.expect_reference(operation, draw(wide(), probe.seed()).arguments());
}

// Around every number of points and dimensions that a body is cut at, by every way to search, with ties.
void matches_reference_at_every_tile_edge(Probe& probe) {
  std::vector<SearchedCloud> list;
  std::uint64_t turn = 0;
  for (const std::int64_t rows : {31, 33, 127, 128, 129, 255, 256, 257, 513})
    for (const std::int64_t columns : {1, 2, 3, 4, 5, 16, 17, 64, 65}) {
      const Cloud cloud{.rows = rows,
                        .columns = columns,
                        .filling = turn % 2 == 0 ? Filling::grid : Filling::gaussian,
                        .seed = probe.seed() + turn};
      for (const char* search : {"auto", "sorted", "tree"}) {
        list.push_back({cloud, {.theiler_window = static_cast<std::int64_t>(turn % 4), .search = search}});
        ++turn;
      }
    }
  for (const SearchedCloud& each : *all_of(list, simpler_searched).as("case")) {
    const Case made{each.points.tensor(), draw_radii(each.points.tensor(), each.points.seed), each.where,
                    each.where.theiler_window % 2 == 0};
    probe.expect_reference(operation, made.arguments());
  }
}

void structures_agree(Probe& probe) {
  CloudLimits limits;
  limits.min_rows = 200;
  limits.max_rows = 1500;
  limits.least_rows = 2;
  Case drawn = draw(limits, probe.seed());
  drawn.where.search = "auto";
  const auto expected = probe.run(operation, drawn.arguments());
  for (const char* search : {"sorted", "tree"}) {
    drawn.where.search = search;
    probe.expect_equal(std::string("counts by ") + search, expected.at("counts"),
                       probe.run(operation, drawn.arguments()).at("counts"));
  }
}

// More leaves than a tree holds together for the points of one leaf: where one of its points has a radius
// that reaches them all, every point of the leaf goes down the tree on its own.
struct Leaves {
  Cloud points;
  std::uint64_t seed = 0;  ///< of the radii
  Kept kept = {};          ///< the radii that are not set to 0
  bool whole = false;      ///< radii that are differences of a grid's points: faces of boxes lie at them

  std::vector<double> radii() const {
    analysis::SplitMix64 random(seed);
    std::vector<double> made(static_cast<std::size_t>(points.rows));
    for (double& radius : made) {
      const double kind = random.uniform();
      radius = kind < 0.01   ? std::numeric_limits<double>::infinity()
               : kind < 0.03 ? 4 * random.uniform()
                             : 0.1 * random.uniform();
      if (whole && std::isfinite(radius)) radius = std::floor(3 * random.uniform());
    }
    kept.apply(made);
    return made;
  }
};
std::ostream& operator<<(std::ostream& out, const Leaves& leaves) {
  return out << leaves.points << "; " << (leaves.whole ? "whole " : "") << "radii by seed " << leaves.seed
             << ", not 0: " << leaves.kept;
}
std::vector<Leaves> simpler_leaves(const Leaves& leaves) {
  // The points first: each try takes two searches of thousands of them.
  std::vector<Leaves> made;
  if (!leaves.kept.only) made = simpler_by(leaves, &Leaves::points, {.min_rows = 2});
  for (auto& only : fewer(held_by(leaves.radii()))) {
    made.push_back(leaves);
    made.back().kept.only = std::move(only);
  }
  return made;
}

void structures_agree_on_many_leaves(Probe& probe) {
  std::vector<Leaves> list;
  for (const bool whole : {false, true})
    for (const std::int64_t columns : {2, 3, 4}) {
      const Cloud cloud{.rows = 17'003,
                        .columns = columns,
                        .filling = whole ? Filling::grid : Filling::gaussian,
                        .seed = probe.seed() + static_cast<std::uint64_t>(columns)};
      Leaves& leaves = list.emplace_back();
      leaves.points = cloud;
      leaves.seed = probe.seed();
      leaves.whole = whole;
    }
  for (const Leaves& leaves : *all_of(list, simpler_leaves).as("case")) {
    Case made{leaves.points.tensor(), Tensor::from(leaves.radii(), {leaves.points.rows}), {}};
    made.strict = !leaves.whole;  // what lies at the radius is counted
    made.where.search = "sorted";
    const auto expected = probe.run(operation, made.arguments());
    made.where.search = "tree";
    probe.expect_equal("counts by tree and sorted", expected.at("counts"),
                       probe.run(operation, made.arguments()).at("counts"));
  }
}

void threads_do_not_matter(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 900;
  expect_same_on_any_threads(probe, operation, draw(limits, probe.seed()).arguments());
}

// At the distance of the k-th neighbour, fewer than k points lie strictly inside and at least k within.
void agrees_with_neighbours(Probe& probe) {
  Case drawn = draw({}, probe.seed());
  HostArguments neighbours;
  neighbours.inputs.emplace("points", drawn.points.clone());
  drawn.where.add_to(neighbours);
  const auto found = probe.run("te.knn", neighbours);
  const auto distances = found.at("distances").as<double>();
  std::vector<double> radii(static_cast<std::size_t>(drawn.rows()));
  for (std::size_t i = 0; i < radii.size(); ++i) {
    radii[i] = distances[(i + 1) * static_cast<std::size_t>(drawn.where.k) - 1];
  }
  drawn.radii = Tensor::from(radii, {drawn.rows()});
  drawn.strict = true;
  const auto inside = probe.run(operation, drawn.arguments());
  drawn.strict = false;
  const auto within = probe.run(operation, drawn.arguments());
  for (std::size_t i = 0; i < radii.size(); ++i) {
    probe.expect(inside.at("counts").as<std::int64_t>()[i] < drawn.where.k,
                 "fewer than k lie strictly inside");
    probe.expect(within.at("counts").as<std::int64_t>()[i] >= drawn.where.k, "at least k lie within");
  }
}

void exact_maps(Probe& probe) {
  CloudLimits limits;
  limits.fillings = {Filling::grid, Filling::quantised, Filling::ladder, Filling::duplicates};
  limits.max_exponent = 0;
  Case drawn = draw(limits, probe.seed());
  drawn.points = mapped(drawn.points, [](double value) { return std::round(value * 4) / 4; });
  drawn.radii = draw_radii(drawn.points, probe.seed());
  const double shift = static_cast<double>(*integers(-1000, 1000, "shift"));
  const int power = static_cast<int>(*integers(-20, 20, "power"));
  const auto before = probe.run(operation, drawn.arguments());
  drawn.points = mapped(drawn.points, [&](double value) { return std::ldexp(value + shift, power); });
  drawn.radii = mapped(drawn.radii, [&](double value) { return std::ldexp(value, power); });
  probe.expect_equal("counts after shift and scale", before.at("counts"),
                     probe.run(operation, drawn.arguments()).at("counts"));
}

void relabelling(Probe& probe) {
  Case drawn = draw({}, probe.seed());
  drawn.where.trial_lengths.clear();
  drawn.where.theiler_window = 0;
  const auto order = permutation(drawn.rows(), probe.seed());
  const auto before = probe.run(operation, drawn.arguments());
  drawn.points = rows_of(drawn.points, order);
  std::vector<double> radii(order.size());
  std::vector<std::int64_t> counts(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    radii[i] = drawn.radii.as<double>()[static_cast<std::size_t>(order[i])];
    counts[i] = before.at("counts").as<std::int64_t>()[static_cast<std::size_t>(order[i])];
  }
  drawn.radii = Tensor::from(radii, {drawn.rows()});
  probe.expect_equal("counts in another order", integers_tensor(counts),
                     probe.run(operation, drawn.arguments()).at("counts"));
}

void refusals(Probe& probe) {
  Cloud cloud;
  cloud.rows = 4;
  cloud.columns = 2;
  const auto with_radii = [&](std::vector<double> radii) {
    const auto count = static_cast<std::int64_t>(radii.size());
    return Case{cloud.tensor(), Tensor::from(radii, {count}), {}}.arguments();
  };
  expect_refused(probe, operation, with_radii({1, 1, -1, 1}), "radii", "a negative radius", RefusalOf::value);
  expect_refused(probe, operation, with_radii({1, 1, std::nan(""), 1}), "radii", "a radius that is NaN",
                 RefusalOf::value);
  expect_refused(probe, operation, with_radii({1, 1, 1}), "radii", "fewer radii than points");
  Case window{cloud.tensor(), Tensor::from(std::vector<double>(4, 1.0), {4}), {.theiler_window = -1}};
  expect_refused(probe, operation, window.arguments(), "theiler_window", "a negative window");
}

}  // namespace

void describe_range_count(Suite& suite) {
  suite.calls(
      [] { return draw({}, static_cast<std::uint64_t>(*integers(0, 1 << 20, "radii"))).arguments(); });
  suite.property(
      {.name = "matches_reference",
       .summary =
           "Counts equal the reference's at radii that are exact distances, zero and infinite, by every "
           "search structure.",
       .body = matches_reference,
       .cases = 3000});
  suite.property({.name = "matches_reference_at_every_tile_edge",
                  .summary = "The same around every number of points and dimensions that a body is cut at.",
                  .body = matches_reference_at_every_tile_edge,
                  .cases = 1});
  suite.property({.name = "structures_agree",
                  .summary = "Every search structure gives the same counts on hundreds of points.",
                  .body = structures_agree,
                  .cases = 120});
  suite.property({.name = "structures_agree_on_many_leaves",
                  .summary =
                      "The same on 17,003 points, where some radii reach every leaf of the tree, and on "
                      "a grid, where points lie at the radius.",
                  .body = structures_agree_on_many_leaves,
                  .cases = 1});
  suite.property({.name = "threads_do_not_matter",
                  .summary = "1, 2, 3 and 5 threads give the same bits.",
                  .body = threads_do_not_matter,
                  .cases = 60,
                  .backends = {Backend::cpu}});
  suite.property(
      {.name = "agrees_with_neighbours",
       .summary = "At the k-th neighbour's distance fewer than k lie inside and at least k within.",
       .body = agrees_with_neighbours,
       .cases = 500,
       .negative_control = [](Probe& probe) {
         // Neighbours of points twice as far apart: k or more then lie strictly inside somewhere.
         Case drawn = draw({.min_rows = 20, .fillings = {Filling::gaussian}}, probe.seed());
         drawn.where = {.k = 2};
         drawn.radii = Tensor::from(std::vector<double>(static_cast<std::size_t>(drawn.rows()),
                                                        std::numeric_limits<double>::infinity()),
                                    {drawn.rows()});
         const auto counts = probe.run(operation, drawn.arguments());
         for (const std::int64_t count : counts.at("counts").as<std::int64_t>()) {
           probe.expect(count < drawn.where.k, "fewer than k lie strictly inside");
         }
       }});
  suite.property({.name = "exact_maps",
                  .summary = "Exact shifts and powers of two, of points and radii alike, change no count.",
                  .body = exact_maps,
                  .cases = 1000});
  suite.property({.name = "relabelling",
                  .summary = "Points in another order have the same counts.",
                  .body = relabelling,
                  .cases = 1000});
  suite.property(
      {.name = "refuses_bad_arguments",
       .summary = "Negative and NaN radii, too few of them, and negative windows are refused by name.",
       .body = refusals,
       .cases = 1,
       .negative_control = [](Probe& probe) {
         Cloud cloud;
         cloud.rows = 4;
         const Case legal{cloud.tensor(), Tensor::from(std::vector<double>(4, 1.0), {4}), {}};
         expect_refused(probe, operation, legal.arguments(), "radii", "a legal call");
       }});
  suite.mutant({"te.range_count.not_strict", "strictness", "<= where the strict count was asked for"});
  suite.mutant({"te.range_count.counts_self", "missing mask", "the point itself is counted"});
  suite.mutant({"te.range_count.theiler_exclusive", "strictness",
                "rows at exactly the window's distance are counted"});
  suite.mutant(
      {"te.range_count.trial_boundary_ignored", "boundary", "the Theiler window reaches into other trials"});
  suite.mutant({"te.range_count.excluded_always_subtracted", "missing mask",
                "excluded rows are subtracted whether or not they lie within the radius"});
  suite.mutant({"te.range_count.float32_distances", "precision", "the radius is rounded to float"});
  suite.mutant({"te.range_count.last_chunk_lost", "lost tile", "the last chunk of points is written as 0"});
  suite.mutant(
      {"te.range_count.window_off_by_one", "off by one", "the last point of the sorted window is left out"});
  suite.mutant({"te.range_count.box_inside_by_near_edge", "wrong bound",
                "a box whose near edge is inside is counted whole"});
  suite.mutant(
      {"te.range_count.trial_end_early", "off by one", "the last row of a trial is outside of every window"});
  suite.mutant({"te.range_count.radius_of_position", "wrong index",
                "radii are read by place in the sorted order (2 dimensions and more)"});
  suite.mutant({"te.range_count.left_edge_strict", "strictness",
                "points at exactly the radius to the left are left out (1 dimension)"});
  suite.mutant(
      {"te.range_count.walk_by_far_edge", "wrong bound", "the walk to the left ends by a block's far edge"});
  suite.mutant({"te.range_count.negative_keys_not_turned", "wrong order",
                "the radix sort puts negative values in falling order (256 points and more)"});
  suite.mutant(
      {"te.range_count.tree_box_of_left_half", "wrong bound", "the box of a node is that of its left half"});
  suite.mutant({"te.range_count.tree_radius_of_last_point", "wrong bound",
                "leaves are collected within the radius of a leaf's last point, not its largest"});
  suite.mutant(
      {"te.range_count.tree_own_leaf_lost", "lost data", "the leaf of the point itself is not counted"});
  suite.mutant({"te.range_count.tree_leaf_counted_full", "unhandled tail",
                "a partly filled leaf that lies inside counts as a full one"});
  suite.mutant({"te.range_count.tree_candidates_cut", "lost data",
                "leaves beyond the 512 that a group holds are forgotten"});
  suite.mutant({"te.range_count.tree_node_counted_full", "unhandled tail",
                "a node that lies inside counts full leaves (a descent of one's own)"});
  const auto on_cuda = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({std::string("te.range_count.cuda_") + id, fault_class, what, Backend::cuda});
  };
  on_cuda("not_strict", "strictness", "<= where the strict count was asked for");
  on_cuda("counts_self", "missing mask", "the point itself is counted");
  on_cuda("theiler_exclusive", "strictness", "rows at exactly the window's distance are counted");
  on_cuda("trial_boundary_ignored", "boundary", "the Theiler window reaches into other trials");
  on_cuda("excluded_always_subtracted", "missing mask",
          "excluded rows are subtracted whether or not they lie within the radius");
  on_cuda("lost_tile", "lost tile", "the last of several tiles of points is not counted");
  on_cuda("lost_lane", "lost data", "the count of a group's last lane is left out");
  on_cuda("missing_barrier", "missing barrier", "points are compared before their tile has been brought");
  on_cuda("radius_unchecked", "missing check", "a radius that is negative or NaN is not reported");
  on_cuda("unhandled_tail", "unhandled tail", "a partly filled last step through a tile is skipped");
  on_cuda("dimension_ignored", "lost data", "the last of several dimensions is left out");
  on_cuda("float_radius", "precision", "the radius is rounded to float");
  suite.mutant({"te.range_count.radius_unchecked", "missing check",
                "a radius that is negative or NaN is not refused"});
}

}  // namespace assay::validation::te
