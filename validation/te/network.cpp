#include <cmath>
#include <limits>

#include "engine/runtime/philox.hpp"
#include "validation/all_of.hpp"
#include "validation/refusals.hpp"
#include "validation/threads.hpp"
#include "validation/transfer_entropy/points.hpp"
#include "validation/transfer_entropy/properties.hpp"

namespace assay::validation::te {

namespace {

using namespace transfer_entropy;
constexpr const char* operation = "te.network";

struct Widths {
  std::int64_t x = 1, y = 1, z = 1;
};

struct NetworkCase {
  Tensor sources, y, z;  ///< (m, n, dx), (t, n, dy), (t, n, dz)
  Neighbourhood where;
  std::int64_t algorithm = 1;
  std::int64_t surrogates = 0;
  std::string method = "permute";
  bool skip_diagonal = true;

  std::int64_t m() const { return sources.shape()[0]; }
  std::int64_t n() const { return sources.shape()[1]; }
  std::int64_t t() const { return y.shape()[0]; }
  HostArguments arguments() const {
    HostArguments made;
    made.inputs.emplace("sources", sources.clone());
    made.inputs.emplace("y", y.clone());
    if (z.shape()[2] > 0) made.inputs.emplace("z", z.clone());
    where.add_to(made);
    made.parameters.emplace("algorithm", algorithm);
    made.parameters.emplace("counts", true);
    made.parameters.emplace("skip_diagonal", skip_diagonal);
    made.parameters.emplace("surrogates", surrogates);
    made.parameters.emplace("surrogate_method", method);
    made.parameters.emplace("seed", std::int64_t{7});
    return made;
  }
};

/// Columns [first, first + parts * width) of the points as (parts, n, width).
Tensor parts_of(const Tensor& points, std::int64_t first, std::int64_t parts, std::int64_t width) {
  const std::int64_t n = points.shape()[0];
  Tensor made(DType::f64, {parts, n, width});
  const auto to = made.as<double>();
  for (std::int64_t part = 0; part < parts; ++part) {
    const Tensor one = columns_of(points, first + part * width, width);
    std::copy_n(one.as<double>().begin(), n * width, to.begin() + part * n * width);
  }
  return made;
}

NetworkCase from_cloud(const Cloud& cloud, std::int64_t m, std::int64_t t, const Widths& widths) {
  const Tensor points = cloud.tensor();
  return {parts_of(points, 0, m, widths.x),
          parts_of(points, m * widths.x, t, widths.y),
          parts_of(points, m * widths.x + t * widths.y, t, widths.z),
          {}};
}

/// A network drawn from one cloud, so that all parts share its scale.
NetworkCase draw(CloudLimits limits, std::int64_t widest, int algorithm = 0) {
  const std::int64_t m = *integers(1, 5, "sources");
  const std::int64_t t = *integers(1, 4, "targets");
  const Widths widths{*integers(1, widest, "dx"), *integers(1, widest, "dy"),
                      *integers(widest > 1 ? 0 : 1, widest, "dz")};
  limits.min_rows = std::max<std::int64_t>(2, limits.min_rows);
  limits.min_columns = limits.max_columns = m * widths.x + t * (widths.y + widths.z);
  const Cloud cloud = *clouds(limits).as("points");
  NetworkCase drawn = from_cloud(cloud, m, t, widths);
  drawn.algorithm = algorithm == 0 ? *integers(1, 2, "algorithm") : algorithm;
  drawn.where = draw_neighbourhood(cloud.rows);
  drawn.skip_diagonal = *integers(0, 1, "skip_diagonal") == 1;
  // Surrogates drop the trials: without them the window may leave too few neighbours.
  const std::int64_t zone = std::min(cloud.rows, 2 * drawn.where.theiler_window + 1);
  if (cloud.rows - zone >= drawn.where.k) drawn.surrogates = *integers(0, 3, "surrogates");
  drawn.method = *integers(0, 1, "method") == 1 ? "shift" : "permute";
  return drawn;
}

void matches_reference(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 70;
  probe.expect_reference(operation, draw(limits, 3).arguments());
}

// One column each, algorithm 1: what networks are mostly asked, and the bodies have a way of their own for.
void matches_reference_in_one_dimension(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 200;
  probe.expect_reference(operation, draw(limits, 1, 1).arguments());
}

void matches_reference_on_hundreds_of_points(Probe& probe) {
  CloudLimits limits;
  limits.min_rows = 300;
  limits.max_rows = 1100;
  limits.max_exponent = 0;
  NetworkCase drawn = draw(limits, 1, 1);
  drawn.where.k = std::min<std::int64_t>(drawn.where.k, 12);
  drawn.surrogates = std::min<std::int64_t>(drawn.surrogates, 1);
  probe.expect_reference(operation, drawn.arguments());
}

// More points than the lists of small networks serve, and enough sources that longer ones are shared.
void matches_reference_on_many_points(Probe& probe) {
  CloudLimits limits;
  limits.min_rows = 2049;
  limits.max_rows = 3000;
  const std::int64_t m = *integers(8, 11, "sources");
  limits.min_columns = limits.max_columns = m + 2;
  const Cloud cloud = *clouds(limits).as("points");
  NetworkCase drawn = from_cloud(cloud, m, 1, {});
  drawn.where = draw_neighbourhood(cloud.rows);
  drawn.where.k = *integers(1, 8, "k");
  drawn.where.theiler_window = std::min<std::int64_t>(drawn.where.theiler_window, 40);
  drawn.where.search = "auto";
  drawn.skip_diagonal = *integers(0, 1, "skip_diagonal") == 1;
  drawn.surrogates = *integers(0, 1, "surrogates");
  drawn.method = *integers(0, 1, "method") == 1 ? "shift" : "permute";
  probe.expect_reference(operation, drawn.arguments());
}

// Ties, coincident points and radii of many neighbours, where lists of neighbours end within a tie.
void matches_reference_on_ties(Probe& probe) {
  CloudLimits limits;
  limits.min_rows = 200;
  limits.max_rows = 500;
  limits.fillings = {Filling::grid, Filling::quantised, Filling::duplicates, Filling::ladder};
  NetworkCase drawn = draw(limits, 1, 1);
  drawn.where.theiler_window = std::min<std::int64_t>(drawn.where.theiler_window, 20);
  drawn.where.k = *integers(1, 33, "k");
  drawn.surrogates = 1;
  probe.expect_reference(operation, drawn.arguments());
}

// Distances that differ in their last bits alone: lists whose keys leave those bits out, and intervals whose
// ends lie where a difference is rounded across the radius, which takes values of both signs.
void matches_reference_on_near_ties(Probe& probe) {
  CloudLimits limits;
  limits.min_rows = 60;
  limits.max_rows = 200;
  limits.least_rows = 4;
  limits.max_exponent = 0;
  limits.fillings = {Filling::grid};
  NetworkCase drawn = draw(limits, 1, 1);
  const std::int64_t zone = 2 * drawn.where.theiler_window + 1;
  drawn.where.k = *integers(1, 32, "k");
  // Few points, which only a failing case shrinks to, have fewer neighbours, with and without their trials.
  drawn.where.k = std::max<std::int64_t>(1, std::min(drawn.where.k, drawn.n() - zone));
  drawn.surrogates = std::min<std::int64_t>(drawn.surrogates, 1);
  const int last_bit = *integers(0, 1, "how near") == 0 ? -55 : -46;
  Philox random(probe.seed());
  // five levels, 0 in their middle and so on the edge of a cell, and a few of the last bits beside each; what
  // the cloud has 0 stays 0
  const auto near_level = [&](double value) {
    const double level = std::floor(value / 2) + static_cast<double>(random.below(2)) - 2;
    const double beside = std::ldexp(static_cast<double>(random.below(7)) - 3, last_bit);
    return value == 0 ? 0 : level / 8 + beside;
  };
  for (Tensor* part : {&drawn.sources, &drawn.y, &drawn.z}) *part = mapped(*part, near_level);
  probe.expect_reference(operation, drawn.arguments());
}

// Sizes on either side of what the bodies are cut at: vectors of doubles and of ranks, blocks of sources, the
// length of a list, a grain of points.
void matches_reference_around_the_tiles(Probe& probe) {
  std::vector<Cloud> list;
  for (const std::int64_t rows : {7, 9, 15, 17, 31, 33, 63, 65, 96, 97, 98, 255, 257})
    for (const std::int64_t sources : {7, 9})
      list.push_back({.rows = rows,
                      .columns = sources + 2,
                      .filling = Filling::gaussian,
                      .seed = probe.seed() + static_cast<std::uint64_t>(rows)});
  const auto shrinks = [](const Cloud& cloud) {
    return simpler(cloud, {.min_rows = 4, .min_columns = 3});  // 3 neighbours each; one source
  };
  for (const Cloud& cloud : *all_of(list, shrinks).as("points")) {
    NetworkCase network = from_cloud(cloud, cloud.columns - 2, 1, {});
    network.where.k = 3;
    network.surrogates = 1;
    probe.expect_reference(operation, network.arguments());
  }
}

/// Source s of the case as the x of te.ksg, target j as its y and z.
KsgCase pair_of(const NetworkCase& network, std::int64_t source, std::int64_t target) {
  const auto slice = [&](const Tensor& all, std::int64_t index) {
    const std::int64_t rows = all.shape()[1], width = all.shape()[2];
    return Tensor::from(all.as<double>().subspan(static_cast<std::size_t>(index * rows * width),
                                                 static_cast<std::size_t>(rows * width)),
                        {rows, width});
  };
  return {slice(network.sources, source), slice(network.y, target), slice(network.z, target), network.where,
          network.algorithm};
}

void equals_the_single_pair(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 300;
  NetworkCase drawn = draw(limits, 2);
  drawn.surrogates = 0;
  const auto outputs = probe.run(operation, drawn.arguments());
  const auto counts = outputs.at("counts").as<std::int64_t>();
  const std::int64_t n = drawn.n();
  for (std::int64_t source = 0; source < drawn.m(); ++source)
    for (std::int64_t target = 0; target < drawn.t(); ++target) {
      if (drawn.skip_diagonal && source == target) continue;
      const auto single = probe.run("te.ksg", pair_of(drawn, source, target).arguments());
      const auto first = static_cast<std::size_t>((source * drawn.t() + target) * n * 3);
      probe.expect_equal("counts of a pair", single.at("counts"),
                         Tensor::from(counts.subspan(first, static_cast<std::size_t>(3 * n)), {n, 3}));
    }
}

// Calls of which any source and any target can be taken out: a diagonal would be another one then.
HostArguments draw_call() {
  CloudLimits limits;
  limits.max_rows = 200;
  NetworkCase drawn = *integers(0, 2, "one column each") == 0 ? draw(limits, 3) : draw(limits, 1, 1);
  drawn.skip_diagonal = false;
  return drawn.arguments();
}

void threads_do_not_matter(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 300;
  expect_same_on_any_threads(probe, operation, draw(limits, 1, 1).arguments());
}

void refusals(Probe& probe) {
  const Cloud cloud{.rows = 8, .columns = 4};
  const auto refused = [&](auto&& change, std::string_view argument, std::string_view why) {
    NetworkCase bad = from_cloud(cloud, 2, 1, {});
    change(bad);
    expect_refused(probe, operation, bad.arguments(), argument, why);
  };
  refused([](NetworkCase& c) { c.where.k = 0; }, "k", "k of 0");
  refused([](NetworkCase& c) { c.where.k = 8; }, "k", "as many neighbours as points");
  refused([](NetworkCase& c) { c.where.theiler_window = -1; }, "theiler_window", "a negative window");
  refused([](NetworkCase& c) { c.algorithm = 3; }, "algorithm", "algorithm 3");
  refused([](NetworkCase& c) { c.surrogates = -1; }, "surrogates", "a negative number of surrogates");
  refused(
      [](NetworkCase& c) {
        c.where.trial_lengths = {4, 3};
      },
      "trial_lengths", "trials that do not sum to the rows");
  refused(
      [](NetworkCase& c) {
        c.y = Tensor::from(std::vector<double>(7, 1.0), {1, 7, 1});
      },
      "y", "fewer rows of y");
}

}  // namespace

void describe_network(Suite& suite) {
  suite.calls(draw_call);
  suite.property(
      {.name = "matches_reference",
       .summary =
           "Values and surrogates within the bound of the reference, counts equal: dimensions up to 3, "
           "both algorithms, ties, trials, windows.",
       .body = matches_reference,
       .cases = 300});
  suite.property({.name = "matches_reference_in_one_dimension",
                  .summary = "The same with one column each and algorithm 1.",
                  .body = matches_reference_in_one_dimension,
                  .cases = 300});
  suite.property({.name = "matches_reference_on_near_ties",
                  .summary = "The same on 60 to 200 points whose distances differ in their last bits alone.",
                  .body = matches_reference_on_near_ties,
                  .cases = 60});
  suite.property({.name = "matches_reference_on_hundreds_of_points",
                  .summary = "The same on 300 to 1,100 points.",
                  .body = matches_reference_on_hundreds_of_points,
                  .cases = 20});
  suite.property({.name = "matches_reference_on_many_points",
                  .summary = "The same on 2,049 to 3,000 points of 8 to 11 sources.",
                  .body = matches_reference_on_many_points,
                  .cases = 12});
  suite.property({.name = "matches_reference_on_ties",
                  .summary = "The same on 200 to 500 points with ties everywhere and k up to 33.",
                  .body = matches_reference_on_ties,
                  .cases = 30});
  suite.property({.name = "matches_reference_around_the_tiles",
                  .summary = "The same with as many points and sources as a tile holds, fewer and more.",
                  .body = matches_reference_around_the_tiles,
                  .cases = 1});
  suite.property({.name = "equals_the_single_pair",
                  .summary = "Every entry has the counts that te.ksg has for its pair.",
                  .body = equals_the_single_pair,
                  .cases = 100});
  suite.property({.name = "threads_do_not_matter",
                  .summary = "1, 2, 3 and 5 threads give the same bits.",
                  .body = threads_do_not_matter,
                  .cases = 10,
                  .backends = {Backend::cpu}});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "Parameters, trials and rows that do not fit are refused by name.",
                  .body = refusals,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    const NetworkCase legal = from_cloud({.rows = 8, .columns = 4}, 2, 1, {});
                    expect_refused(probe, operation, legal.arguments(), "k", "a legal call");
                  }});
  add_network_surrogate_properties(suite);
  add_detection_properties(suite);
  const auto on_device = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({id, fault_class, what, Backend::cuda});
  };
  on_device("te.network.cuda_list_entry_lost", "lost data",
            "one neighbour of every list is replaced by the point itself");
  on_device("te.network.cuda_walk_stops_early", "off by one", "a walk along a list ends at half the radius");
  on_device("te.network.cuda_limit_trusted", "lost data",
            "what the first limit keeps out of a list is taken not to exist");
  on_device("te.network.cuda_limit_falls_too_far", "lost data",
            "later sections of a list are sifted by half of the k-th best so far");
  on_device("te.network.cuda_doubtful_one_too_far", "off by one",
            "of the points that only double can order the one after the k-th is taken");
  on_device("te.network.cuda_tail_cut", "off by one",
            "the search of a source's tail ends with the tail itself");
  on_device("te.network.cuda_no_recheck", "precision", "what float cannot order is taken as it comes");
  on_device("te.network.cuda_wrong_place", "wrong index",
            "the neighbour is read from half its place in the list");
  on_device("te.network.cuda_nearest_left_out", "off by one", "the walk along a source begins one step out");
  on_device("te.network.cuda_edge_not_strict", "strictness", "<= for < at the edge of a range of ranks");
  on_device("te.network.cuda_leftover_lost", "unhandled tail",
            "the up to 8 ranks beside a row of the prefix bits are not counted");
  on_device("te.network.cuda_excluded_counted", "missing mask", "the counts leave out the point itself only");
  on_device("te.network.cuda_guide_trusted", "precision",
            "the ends of a range of ranks are those of the buckets they fall into");
  on_device("te.network.cuda_sort_ends_early", "off by one",
            "the sort of a short run leaves out its last step");
  on_device("te.network.cuda_long_list_ends_early", "lost data",
            "a list of many points holds the first that its window meets, not the nearest");
  on_device("te.network.cuda_rest_nearest_left_out", "off by one",
            "the search along a source of many points begins 32 ranks out");
  on_device("te.network.cuda_rest_place_of_rank", "wrong index",
            "a neighbour's rank along the source stands for its place along z");
  on_device("te.network.cuda_long_edge_not_strict", "strictness",
            "<= for < at the edge of a range of ranks among many points");
  on_device("te.network.cuda_wavelet_level_lost", "lost data",
            "the lowest four bits of a rank are not looked at in a rectangle of many points");
  on_device("te.network.cuda_seed_of_first_source", "reused seed",
            "later sources draw the surrogates of the first");
  on_device("te.network.cuda_every_surrogate_the_first", "reused seed",
            "every surrogate of a source is its first");
  on_device("te.network.cuda_drawn_among_the_others", "off by one",
            "a shuffle never leaves the last of those that remain where it is");
  on_device("te.network.cuda_shift_from_first_trial", "wrong index",
            "later trials of a shifted surrogate are taken from the first");
  on_device("te.network.cuda_axis_stride_ignored", "ignored stride",
            "targets of several columns are sorted as if they had one");
  on_device("te.network.cuda_stale_sources", "stale state",
            "surrogates are evaluated on what was gathered of the sources");
  on_device("te.network.cuda_stale_lists", "stale state",
            "surrogates walk the lists of the trials that they no longer have");
  on_device("te.network.cuda_skipped_not_blanked", "missing mask",
            "pairs that were to be left out have a value");

  suite.mutant({"te.network.list_stops_early", "off by one",
                "the walk along a list ends one step before its distance has reached the k-th"});
  suite.mutant({"te.network.list_ties_counted", "strictness", "n_yz counts what lies at the radius"});
  suite.mutant({"te.network.rank_tail_lost", "unhandled tail",
                "the last, partly filled vector of ranks is left out of n_xz"});
  suite.mutant({"te.network.outlier_keeps_list_radius", "lost data",
                "a radius beyond the list is taken from the list alone"});
  suite.mutant(
      {"te.network.list_admits_window", "missing mask", "rows within the Theiler window enter the lists"});
  suite.mutant(
      {"te.network.window_not_in_counts", "missing mask", "the counts leave out the point itself only"});
  suite.mutant(
      {"te.network.surrogate_keeps_order", "lost data", "the rows of a surrogate are not exchanged"});
  suite.mutant({"te.network.stale_target", "stale state", "a worker keeps the lists of its first target"});
  suite.mutant(
      {"te.network.seed_of_first_source", "reused seed", "all sources draw the surrogates of the first"});
  suite.mutant(
      {"te.network.every_surrogate_the_first", "reused seed", "every surrogate of a source is its first"});
  suite.mutant({"te.network.shift_from_first_trial", "wrong index",
                "later trials of a shifted surrogate are taken from the first"});
  suite.mutant({"te.network.surrogate_keeps_trials", "boundary",
                "the window ends at the trials that a surrogate no longer has"});
  suite.mutant(
      {"te.network.diagonal_not_skipped", "missing mask", "pairs that were to be left out are evaluated"});
  suite.mutant({"te.network.condition_of_first_target", "wrong index",
                "every target has the condition of the first (pair by pair)"});
  suite.mutant({"te.network.ranks_of_first_lane", "wrong index",
                "the ranks of a block's first source stand for those of all"});
  suite.mutant({"te.network.psi_of_n_yz", "formula", "psi(n_yz) in place of psi(n_yz + 1)"});
  suite.mutant(
      {"te.network.coincident_points_counted", "ties", "a radius of 0 counts what coincides with the point"});
  suite.mutant({"te.network.outlier_admits_window", "missing mask",
                "the walk along x admits rows within the Theiler window"});
  suite.mutant({"te.network.interval_unchecked", "precision",
                "the ends of an interval are those that its cells gave"});
  suite.mutant({"te.network.list_bound_of_left_alone", "wrong bound",
                "a list's bound leaves out what lies above its window of z"});
  suite.mutant({"te.network.list_cut_forgotten", "lost data",
                "what is cut off a list that is too long is taken not to exist"});
  suite.mutant(
      {"te.network.list_sorted_by_key", "wrong order", "a list keeps the order of its shortened keys"});
}

}  // namespace assay::validation::te
