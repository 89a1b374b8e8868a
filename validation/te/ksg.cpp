#include <algorithm>
#include <cmath>

#include "validation/refusals.hpp"
#include "validation/transfer_entropy/points.hpp"
#include "validation/transfer_entropy/properties.hpp"

namespace assay::validation::te {

namespace {

using namespace transfer_entropy;
constexpr const char* operation = "te.ksg";

void matches_reference(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 130;
  limits.max_columns = 3;
  probe.expect_reference(operation, draw_ksg_case(limits).arguments());
}

void matches_reference_on_hundreds_of_points(Probe& probe) {
  CloudLimits limits;
  limits.min_rows = 200;
  limits.max_rows = 520;
  limits.max_columns = 5;
  probe.expect_reference(operation, draw_ksg_case(limits).arguments());
}

KsgCase in_one_dimension(const CloudLimits& limits) {
  KsgCase drawn = draw_ksg_case(limits, 1);
  drawn.x = columns_of(drawn.x, 0, 1);
  drawn.y = columns_of(drawn.y, 0, 1);
  drawn.z = columns_of(drawn.z, 0, 1);
  drawn.algorithm = 1;
  drawn.where.k = std::min<std::int64_t>(drawn.where.k, 8);
  return drawn;
}

// What CUDA sweeps in float: thousands of points, and fewer where "tree" asks for it.
void matches_reference_in_one_dimension(Probe& probe) {
  CloudLimits limits;
  limits.max_rows = 400;
  KsgCase drawn = in_one_dimension(limits);
  drawn.where.search = "tree";
  probe.expect_reference(operation, drawn.arguments());
}

void matches_reference_on_thousands_of_points(Probe& probe) {
  CloudLimits limits;
  limits.min_rows = 4'096;
  limits.max_rows = 4'700;
  limits.max_exponent = 0;
  KsgCase drawn = in_one_dimension(limits);
  drawn.where.search = "auto";
  probe.expect_reference(operation, drawn.arguments());
}

void refusals(Probe& probe) {
  Cloud cloud;
  cloud.rows = 8;
  cloud.columns = 3;
  const auto make = [&] {
    const Tensor points = cloud.tensor();
    return KsgCase{columns_of(points, 0, 1), columns_of(points, 1, 1), columns_of(points, 2, 1), {}, 1};
  };
  const auto refused = [&](auto&& change, std::string_view argument, std::string_view why,
                           RefusalOf what = RefusalOf::argument) {
    KsgCase bad = make();
    change(bad);
    expect_refused(probe, operation, bad.arguments(), argument, why, what);
  };
  refused([](KsgCase& c) { c.where.k = 0; }, "k", "k of 0");
  refused([](KsgCase& c) { c.where.k = 8; }, "k", "as many neighbours as points");
  refused([](KsgCase& c) { c.where.theiler_window = 7; }, "k", "a window that leaves no neighbour");
  refused([](KsgCase& c) { c.where.theiler_window = -1; }, "theiler_window", "a negative window");
  refused([](KsgCase& c) { c.algorithm = 3; }, "algorithm", "algorithm 3");
  refused(
      [](KsgCase& c) {
        c.where.trial_lengths = {4, 3};
      },
      "trial_lengths", "trials that do not sum to the rows");
  refused(
      [](KsgCase& c) {
        c.x = Tensor::from(std::vector<double>(7, 1.0), {7, 1});
      },
      "x", "fewer rows of x than of y");
  refused([](KsgCase& c) { c.z.as<double>()[3] = std::nan(""); }, "z", "NaN in z", RefusalOf::value);
  refused([](KsgCase& c) { c.y.as<double>()[0] = HUGE_VAL; }, "y", "infinity in y", RefusalOf::value);
}

}  // namespace

void describe_ksg(Suite& suite) {
  suite.calls([] {
    CloudLimits limits;
    limits.max_rows = 300;
    return draw_ksg_case(limits).arguments();
  });
  suite.property(
      {.name = "matches_reference",
       .summary = "Value and local values within the proven bound of the reference, radii and counts equal: "
                  "both algorithms, with and without condition, ties, trials, windows, every structure.",
       .body = matches_reference,
       .cases = 2000});
  suite.property({.name = "matches_reference_on_hundreds_of_points",
                  .summary = "The same on 200 to 520 points in up to 15 dimensions.",
                  .body = matches_reference_on_hundreds_of_points,
                  .cases = 60});
  suite.property({.name = "matches_reference_in_one_dimension",
                  .summary = "The same with one column each, algorithm 1 and k up to 8, on up to 400 points.",
                  .body = matches_reference_in_one_dimension,
                  .cases = 300});
  suite.property({.name = "matches_reference_on_thousands_of_points",
                  .summary = "The same on 4,096 to 4,700 points, structures by size.",
                  .body = matches_reference_on_thousands_of_points,
                  .cases = 4});
  add_exact_properties(suite);
  add_analysis_properties(suite);
  add_statistical_properties(suite);
  add_surrogate_properties(suite);
  add_coverage_properties(suite);
  add_golden_numbers(suite);
  suite.property(
      {.name = "refuses_bad_arguments",
       .summary = "k, window, algorithm, trials, rows and values that do not fit are refused by name.",
       .body = refusals,
       .cases = 1,
       .negative_control = [](Probe& probe) {
         const Tensor points = Cloud{.rows = 8, .columns = 2}.tensor();
         const KsgCase legal{
             columns_of(points, 0, 1), columns_of(points, 1, 1), columns_of(points, 0, 0), {}, 1};
         expect_refused(probe, operation, legal.arguments(), "k", "a legal call");
       }});
  suite.mutant({"te.ksg.psi_of_n", "formula", "psi(n) in place of psi(n + 1) in algorithm 1"});
  suite.mutant({"te.ksg.two_term_form", "formula", "psi(k) - psi(N) + < ... >: the form that circulates"});
  suite.mutant({"te.ksg.missing_two_over_k", "formula", "algorithm 2 without its - 2/k (- 1/k without z)"});
  suite.mutant({"te.ksg.missing_reciprocals", "formula", "algorithm 2 with z without 1/n_xz + 1/n_yz"});
  suite.mutant({"te.ksg.counts_not_strict", "strictness", "algorithm 1 counts with <="});
  suite.mutant({"te.ksg.algorithm2_strict", "strictness", "algorithm 2 counts with <"});
  suite.mutant(
      {"te.ksg.radii_from_joint", "wrong subspace", "algorithm 2 takes the joint radius for all three"});
  suite.mutant({"te.ksg.ties_open_ball", "ties", "algorithm 2 leaves tied neighbours out of its radii"});
  suite.mutant({"te.ksg.next_neighbour", "off by one", "the radius is that of neighbour k + 1"});
  suite.mutant(
      {"te.ksg.theiler_not_in_counts", "missing mask", "the counts leave out the point itself only"});
  suite.mutant({"te.ksg.condition_missing_in_xz", "lost data", "n_xz is counted in x alone"});
  suite.mutant({"te.ksg.psi_of_n_minus_one", "formula", "without z: psi(n - 1) in place of psi(n)"});
  suite.mutant({"te.ksg.mean_loses_last", "lost data", "the mean leaves out the last observation"});
  suite.mutant({"te.ksg.float32_distances", "precision", "the radius is rounded to float"});
  suite.mutant({"te.ksg.stale_surrogate", "stale state", "a plan keeps the first x it was given"});
  suite.mutant({"te.ksg.heap_ends_with_largest", "wrong index",
                "with k > 32 the last of the heap is taken for its largest"});
  suite.mutant({"te.ksg.box_of_all_ties", "ties", "algorithm 2 takes all points tied at the k-th distance"});
  suite.mutant({"te.ksg.box_ties_by_two_parts", "ties",
                "algorithm 2 leaves the least of three distances out of the order of ties"});
  suite.mutant(
      {"te.ksg.box_of_one_less", "off by one", "algorithm 2 takes the box of k - 1 neighbours (k > 1)"});
  suite.mutant({"te.ksg.box_block_tail_lost", "unhandled tail",
                "algorithm 2 leaves the last vector of a block out of its box"});
  suite.mutant({"te.ksg.tree_box_admits_window", "missing mask",
                "rows within the window enter the box of algorithm 2"});
  suite.mutant({"te.ksg.condition_missing_in_yz", "lost data", "n_yz is counted in y alone"});
  suite.mutant({"te.ksg.excluded_kept_in_xz", "missing mask", "excluded rows are not taken off n_xz"});
  suite.mutant({"te.ksg.walk_keeps_first_x", "stale state",
                "a plan that walks keeps the columns of its first x (KsgPlan, surrogates)"});
  suite.mutant({"te.ksg.condition_radius_of_other", "wrong subspace",
                "algorithm 2 holds z to eps_x in n_xz and to eps_y in n_yz"});
  suite.mutant({"te.ksg.psi_table_end_lost", "off by one", "the last psi of every chunk of the table is 0"});
  suite.mutant({"te.ksg.n_z_has_self", "off by one", "without z: n_z counts the point itself"});
  suite.mutant({"te.ksg.mean_in_float", "low-precision accumulator",
                "the sum of the local values is rounded to float"});
  const auto on_device = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({id, fault_class, what, Backend::cuda});
  };
  on_device("te.ksg.cuda_psi_of_n", "formula", "psi(n) in place of psi(n + 1) in algorithm 1");
  on_device("te.ksg.cuda_counts_not_strict", "strictness", "< for <= and <= for < in the counts");
  on_device("te.ksg.cuda_walk_ends_early", "off by one", "a side of the walk ends a quarter before it may");
  on_device("te.ksg.cuda_excluded_counted", "missing mask", "the counts leave out the point itself only");
  on_device("te.ksg.cuda_theiler_not_in_counts", "missing mask", "the window is 0 in the counts");
  on_device("te.ksg.cuda_float_radius", "precision", "the radius is rounded to float");
  on_device("te.ksg.cuda_last_block_lost", "lost tile", "the mean leaves out the last block of queries");
  on_device("te.ksg.cuda_ties_ignored", "ties", "algorithm 2 takes all points tied at the k-th distance");
  on_device("te.ksg.cuda_window_loses_first", "off by one", "the first point of a window is not counted");
  on_device("te.ksg.cuda_sweep_no_recheck", "precision",
            "what rounding could move is counted as float has it");
  on_device("te.ksg.cuda_sweep_ends_early", "off by one", "a sweep ends a quarter before it may");
  on_device("te.ksg.cuda_sweep_chunk_lost", "lost tile", "a sweep's first candidates are not counted");
  on_device("te.ksg.cuda_algorithm2_joint_radius", "wrong subspace",
            "algorithm 2 takes the joint radius for all three");
  on_device("te.ksg.cuda_bound_of_one_lane", "wrong bound",
            "the bound of a walk is the least that a lane has for itself, not what all lanes have");
  on_device("te.ksg.cuda_box_window_strict", "wrong bound",
            "algorithm 2 looks for its box among the points that lie nearer than eps on the axis");
  on_device("te.ksg.cuda_equal_heads_dropped", "ties",
            "equal distances that several lanes hold are taken for one");
  on_device("te.ksg.cuda_box_ties_by_two_parts", "ties",
            "algorithm 2 leaves the least of three distances out of the order of ties");
  on_device("te.ksg.cuda_box_admits_window", "missing mask",
            "rows within the window enter the box of algorithm 2");
  on_device("te.ksg.cuda_z_radius_of_x", "wrong subspace", "algorithm 2 holds z to eps_x");
  on_device("te.ksg.cuda_mean_in_float", "low-precision accumulator",
            "what is added up for the mean is rounded to float");
  on_device("te.ksg.cuda_sum_missing_barrier", "missing barrier",
            "local values are added up before all warps have put theirs");
  on_device("te.ksg.cuda_stride_ignored", "ignored stride",
            "points of several columns are read as if they had one");
}

}  // namespace assay::validation::te
