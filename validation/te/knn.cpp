#include <algorithm>
#include <cmath>

#include "engine/runtime/error.hpp"
#include "validation/all_of.hpp"
#include "validation/refusals.hpp"
#include "validation/threads.hpp"
#include "validation/transfer_entropy/points.hpp"

namespace assay::validation::te {

namespace {

using namespace transfer_entropy;
constexpr const char* operation = "te.knn";

struct Case {
  Tensor points;
  Neighbourhood where;
  std::int64_t rows() const { return points.shape()[0]; }
  HostArguments arguments() const {
    HostArguments made;
    made.inputs.emplace("points", points.clone());
    where.add_to(made);
    return made;
  }
};

Case draw(CloudLimits limits = {}) {
  limits.min_rows = std::max<std::int64_t>(2, limits.min_rows);
  const Cloud cloud = *clouds(limits).as("points");
  Case drawn{cloud.tensor(), {}};
  drawn.where = draw_neighbourhood(cloud.rows);
  return drawn;
}

CloudLimits wide() {
  CloudLimits limits;
  limits.max_columns = 9;
  limits.max_rows = 260;
  return limits;
}

double distance(std::span<const double> points, std::int64_t width, std::int64_t i, std::int64_t j) {
  double largest = 0;
  for (std::int64_t c = 0; c < width; ++c) {
    largest = std::max(largest, std::abs(points[static_cast<std::size_t>(i * width + c)] -
                                         points[static_cast<std::size_t>(j * width + c)]));
  }
  return largest;
}

void matches_reference(Probe& probe) {
  probe.expect_reference(operation, draw(wide()).arguments());
}

void matches_reference_in_many_dimensions(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 40;
  limits.max_columns = 64;
  probe.expect_reference(operation, draw(limits).arguments());
}

// Around every number of points and dimensions that a body is cut at, by every way to search and lists of
// every length, with ties.
void matches_reference_at_every_tile_edge(Probe& probe) {
  constexpr std::int64_t neighbours[] = {1, 4, 5, 8, 9, 16, 17, 32, 33, 70};
  std::vector<SearchedCloud> list;
  std::size_t turn = 0;
  for (const std::int64_t rows : {31, 33, 127, 128, 129, 255, 256, 257, 513})
    for (const std::int64_t columns : {1, 2, 3, 4, 5, 16, 17, 64, 65}) {
      const Cloud cloud{.rows = rows,
                        .columns = columns,
                        .filling = turn % 2 == 0 ? Filling::grid : Filling::gaussian,
                        .seed = probe.seed() + turn};
      for (const char* search : {"auto", "sorted", "tree"}) {
        list.push_back({cloud,
                        {.theiler_window = static_cast<std::int64_t>(turn % 4),
                         .k = std::min(neighbours[turn % std::size(neighbours)], rows - 8),
                         .search = search}});
        ++turn;
      }
    }
  for (const SearchedCloud& each : *all_of(list, simpler_searched).as("case"))
    probe.expect_reference(operation, Case{each.points.tensor(), each.where}.arguments());
}

// Read off the outputs alone: admissible neighbours, their own distances, in the documented order, and no
// admissible point left out that comes before the last.
void holds_the_definition(Probe& probe) {
  const Case drawn = draw();
  const auto outputs = probe.run(operation, drawn.arguments());
  const auto distances = outputs.at("distances").as<double>();
  const auto indices = outputs.at("indices").as<std::int64_t>();
  const auto points = drawn.points.as<double>();
  const std::int64_t n = drawn.rows(), width = drawn.points.shape()[1], k = drawn.where.k;
  std::vector<std::int64_t> trial(static_cast<std::size_t>(n));
  std::int64_t row = 0, number = 0;
  for (const std::int64_t length : drawn.where.trial_lengths) {
    for (std::int64_t i = 0; i < length; ++i) trial[static_cast<std::size_t>(row++)] = number;
    ++number;
  }
  const auto admissible = [&](std::int64_t i, std::int64_t j) {
    return i != j && (trial[static_cast<std::size_t>(i)] != trial[static_cast<std::size_t>(j)] ||
                      std::abs(i - j) > drawn.where.theiler_window);
  };
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<std::pair<double, std::int64_t>> found;
    for (std::int64_t j = 0; j < k; ++j) {
      const auto at = static_cast<std::size_t>(i * k + j);
      probe.expect(indices[at] >= 0 && indices[at] < n && admissible(i, indices[at]),
                   "a neighbour is admissible");
      probe.expect(distances[at] == distance(points, width, i, indices[at]),
                   "a distance is that of its neighbour");
      found.emplace_back(distances[at], indices[at]);
    }
    probe.expect(std::is_sorted(found.begin(), found.end()),
                 "neighbours are ordered by distance, then index");
    probe.expect(std::adjacent_find(found.begin(), found.end()) == found.end(), "no neighbour comes twice");
    std::int64_t before_last = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      if (admissible(i, j) && std::pair(distance(points, width, i, j), j) <= found.back()) ++before_last;
    }
    probe.expect(before_last == k, "no admissible point that comes before the last is left out");
  }
}

void structures_agree(Probe& probe) {
  CloudLimits limits;
  limits.min_rows = 200;
  limits.max_rows = 1200;
  limits.least_rows = 2;
  Case drawn = draw(limits);
  drawn.where.search = "auto";
  const auto expected = probe.run(operation, drawn.arguments());
  for (const char* search : {"sorted", "tree"}) {
    drawn.where.search = search;
    const auto outputs = probe.run(operation, drawn.arguments());
    probe.expect_equal(std::string("distances by ") + search, expected.at("distances"),
                       outputs.at("distances"));
    probe.expect_equal(std::string("indices by ") + search, expected.at("indices"), outputs.at("indices"));
  }
}

void threads_do_not_matter(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 900;
  expect_same_on_any_threads(probe, operation, draw(limits).arguments());
}

// Points move as a whole by integers and grow by powers of two: on multiples of 1/4 below 2^20 all of it is
// exact.
void exact_maps(Probe& probe) {
  CloudLimits limits;
  limits.fillings = {Filling::grid, Filling::quantised, Filling::ladder, Filling::duplicates};
  limits.max_exponent = 0;
  const Case plain = draw(limits);
  Case drawn{mapped(plain.points, [](double value) { return std::round(value * 4) / 4; }), plain.where};
  const double shift = static_cast<double>(*integers(-1000, 1000, "shift"));
  const int power = static_cast<int>(*integers(-20, 20, "power"));
  const auto before = probe.run(operation, drawn.arguments());
  drawn.points = mapped(drawn.points, [&](double value) { return std::ldexp(value + shift, power); });
  const auto after = probe.run(operation, drawn.arguments());
  probe.expect_equal("indices after shift and scale", before.at("indices"), after.at("indices"));
  probe.expect_equal("scaled distances",
                     mapped(before.at("distances"), [&](double d) { return std::ldexp(d, power); }),
                     after.at("distances"));
}

// Points in another order have the same distances, and the same neighbours away from ties.
void relabelling(Probe& probe) {
  Case drawn = draw();
  drawn.where.trial_lengths.clear();
  drawn.where.theiler_window = 0;
  drawn.where.k = std::min(drawn.where.k, drawn.rows() - 1);
  const auto order = permutation(drawn.rows(), probe.seed());
  const auto before = probe.run(operation, drawn.arguments());
  const Tensor original = drawn.points.clone();
  drawn.points = rows_of(original, order);
  const auto after = probe.run(operation, drawn.arguments());
  probe.expect_equal("distances", rows_of(before.at("distances"), order), after.at("distances"));
  const std::int64_t k = drawn.where.k, width = original.shape()[1];
  const auto distances = after.at("distances").as<double>();
  const auto indices = after.at("indices").as<std::int64_t>();
  const Tensor moved = rows_of(before.at("indices"), order);
  const auto expected = moved.as<std::int64_t>();
  for (std::int64_t i = 0; i < drawn.rows(); ++i) {
    for (std::int64_t j = 0; j < k; ++j) {
      const auto at = static_cast<std::size_t>(i * k + j);
      std::int64_t tied = 0;
      for (std::int64_t other = 0; other < drawn.rows(); ++other) {
        tied += other != order[static_cast<std::size_t>(i)] &&
                distance(original.as<double>(), width, order[static_cast<std::size_t>(i)], other) ==
                    distances[at];
      }
      if (tied > 1) continue;
      probe.expect(order[static_cast<std::size_t>(indices[at])] == expected[at],
                   "the neighbour, away from ties");
    }
  }
}

void refusals(Probe& probe) {
  Cloud cloud;
  cloud.rows = 6;
  cloud.columns = 2;
  const auto refused = [&](std::int64_t k, std::int64_t window, std::vector<std::int64_t> trials,
                           std::string_view argument, std::string_view why) {
    Case bad{cloud.tensor(), {.trial_lengths = std::move(trials), .theiler_window = window, .k = k}};
    expect_refused(probe, operation, bad.arguments(), argument, why);
  };
  refused(0, 0, {}, "k", "k of 0");
  refused(6, 0, {}, "k", "as many neighbours as points");
  refused(1, 5, {}, "k", "a window that leaves no neighbour");
  refused(1, -1, {}, "theiler_window", "a negative window");
  refused(1, 0, {2, 2}, "trial_lengths", "trials that do not sum to the rows");
  Case infinite{mapped(cloud.tensor(), [](double) { return std::nan(""); }), {}};
  expect_refused(probe, operation, infinite.arguments(), "points", "NaN", RefusalOf::value);
}

}  // namespace

void describe_knn(Suite& suite) {
  suite.calls([] { return draw().arguments(); });
  suite.property(
      {.name = "matches_reference",
       .summary = "Distances and indices equal the reference's, by every search structure, with ties, trials "
                  "and windows.",
       .body = matches_reference,
       .cases = 1500});
  suite.property({.name = "matches_reference_in_many_dimensions",
                  .summary = "The same in up to 64 dimensions.",
                  .body = matches_reference_in_many_dimensions,
                  .cases = 600});
  suite.property({.name = "matches_reference_at_every_tile_edge",
                  .summary = "The same around every number of points and dimensions that a body is cut at.",
                  .body = matches_reference_at_every_tile_edge,
                  .cases = 1});
  suite.property(
      {.name = "holds_the_definition",
       .summary = "Admissible, ordered, none left out: read off the outputs without the reference.",
       .body = holds_the_definition,
       .cases = 600});
  suite.property({.name = "structures_agree",
                  .summary = "Every search structure gives the same bits on hundreds of points.",
                  .body = structures_agree,
                  .cases = 30});
  suite.property({.name = "threads_do_not_matter",
                  .summary = "1, 2, 3 and 5 threads give the same bits.",
                  .body = threads_do_not_matter,
                  .cases = 60,
                  .backends = {Backend::cpu}});
  suite.property({.name = "exact_maps",
                  .summary = "Exact shifts change nothing, powers of two scale the distances, bit for bit.",
                  .body = exact_maps,
                  .cases = 600});
  suite.property(
      {.name = "relabelling",
       .summary = "Points in another order have the same distances, and the same neighbours away from ties.",
       .body = relabelling,
       .cases = 300});
  suite.property(
      {.name = "refuses_bad_arguments",
       .summary = "Too few neighbours, negative windows, wrong trials and NaN are refused by name.",
       .body = refusals,
       .cases = 1,
       .negative_control = [](Probe& probe) {
         Cloud cloud;
         cloud.rows = 6;
         const Case legal{cloud.tensor(), {}};
         expect_refused(probe, operation, legal.arguments(), "k", "a legal call");
       }});
  suite.mutant({"te.knn.includes_self", "missing mask", "the point itself may be its neighbour"});
  suite.mutant(
      {"te.knn.theiler_exclusive", "strictness", "rows at exactly the window's distance are admitted"});
  suite.mutant(
      {"te.knn.trial_boundary_ignored", "boundary", "the Theiler window reaches into the trials beside"});
  suite.mutant({"te.knn.ties_by_larger_index", "wrong order", "among equal distances the larger index wins"});
  suite.mutant({"te.knn.dimension_ignored", "lost data",
                "the last of several dimensions is left out of the distance"});
  suite.mutant({"te.knn.float32_distances", "precision", "distances are rounded to float"});
  suite.mutant({"te.knn.skips_nearest", "off by one", "neighbours 2 .. k+1 are returned"});
  suite.mutant(
      {"te.knn.simd_tail_lost", "unhandled tail", "the last, partly filled vector of a window is skipped"});
  suite.mutant({"te.knn.tree_prunes_equal", "strictness", "boxes at exactly the k-th distance are pruned"});
  suite.mutant(
      {"te.knn.window_of_past_only", "missing mask", "the Theiler window leaves rows ahead admissible"});
  suite.mutant({"te.knn.walk_ends_on_both_sides", "lost data",
                "the walk ends on the left where it ends on the right"});
  suite.mutant({"te.knn.sorting_pass_lost", "off by one",
                "the radix sort leaves out its last pass (256 points and more)"});
  suite.mutant({"te.knn.heap_ends_with_largest", "wrong index",
                "with k > 32 the last of the heap is taken for its largest"});
  suite.mutant({"te.knn.tree_box_loses_last", "wrong bound",
                "the box of a leaf is that of all its points but the last"});
  suite.mutant({"te.knn.tree_bound_of_last_point", "wrong bound",
                "leaves are collected within the radius of a leaf's last point, not its largest"});
  suite.mutant({"te.knn.tree_stale_candidates", "stale state",
                "what fills up the last group of candidate leaves is left from before"});
  const auto on_cuda = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({std::string("te.knn.cuda_") + id, fault_class, what, Backend::cuda});
  };
  on_cuda("includes_self", "missing mask", "the point itself may be its neighbour");
  on_cuda("theiler_exclusive", "strictness", "rows at exactly the window's distance are admitted");
  on_cuda("trial_boundary_ignored", "boundary", "the Theiler window reaches into the trials beside");
  on_cuda("ties_by_larger_row", "wrong order", "between lanes the larger row wins among equal distances");
  on_cuda("dimension_ignored", "lost data", "the last of several dimensions is left out");
  on_cuda("lost_tile", "lost tile", "the last of several tiles of points is not looked at");
  on_cuda("unhandled_tail", "unhandled tail", "a partly filled last step through a tile is skipped");
  on_cuda("missing_barrier", "missing barrier", "points are compared before their tile has been brought");
  on_cuda("repeats_last", "strictness", "a further pass finds the last neighbour of the one before again");
  on_cuda("float_distances", "precision", "distances are rounded to float");
  on_cuda("loses_ties", "ties", "a further pass leaves out what is as far as the last of the one before");
  on_cuda("stale_floor", "stale state", "with one lane a point, every pass begins where the first did");
}

}  // namespace assay::validation::te
