// Maps of the points under which te.ksg must not change, or must change in a known way, to the last bit.

#include <algorithm>
#include <cmath>

#include "engine/te/ksg.hpp"
#include "validation/threads.hpp"
#include "validation/transfer_entropy/points.hpp"
#include "validation/transfer_entropy/properties.hpp"

namespace assay::validation::transfer_entropy {

namespace {

constexpr const char* operation = "te.ksg";

CloudLimits small(std::int64_t max_rows = 130) {
  CloudLimits limits;
  limits.max_rows = max_rows;
  limits.max_columns = 3;
  return limits;
}

// Multiples of 1/4 of moderate size: shifts by integers and scaling by powers of two are exact on them.
KsgCase draw_exact_case() {
  CloudLimits limits = small();
  limits.fillings = {Filling::grid, Filling::quantised, Filling::gaussian, Filling::ladder};
  limits.max_exponent = 0;
  KsgCase drawn = draw_ksg_case(limits);
  for (Tensor* part : {&drawn.x, &drawn.y, &drawn.z}) {
    *part = mapped(*part, [](double value) { return std::round(value * 4) / 4; });
  }
  return drawn;
}

void expect_all_equal(Probe& probe, const std::map<std::string, Tensor>& before,
                      const std::map<std::string, Tensor>& after, const std::string& when) {
  for (const auto& [name, tensor] : before) probe.expect_equal(name + " " + when, tensor, after.at(name));
}

void structures_agree(Probe& probe) {
  CloudLimits limits = small(900);
  limits.min_rows = 150;
  limits.least_rows = 2;
  KsgCase drawn = draw_ksg_case(limits);
  drawn.where.search = "auto";
  const auto expected = probe.run(operation, drawn.arguments());
  for (const char* search : {"sorted", "tree"}) {
    drawn.where.search = search;
    expect_all_equal(probe, expected, probe.run(operation, drawn.arguments()), std::string("by ") + search);
  }
}

void threads_do_not_matter(Probe& probe) {
  expect_same_on_any_threads(probe, operation, draw_ksg_case(small(700)).arguments());
}

void adding_constants(Probe& probe) {
  KsgCase drawn = draw_exact_case();
  const auto before = probe.run(operation, drawn.arguments());
  for (Tensor* part : {&drawn.x, &drawn.y, &drawn.z}) {
    const double shift = static_cast<double>(*integers(-1000, 1000, "shift"));
    *part = mapped(*part, [shift](double value) { return value + shift; });
  }
  expect_all_equal(probe, before, probe.run(operation, drawn.arguments()), "after adding constants");
}

void scaling_by_powers_of_two(Probe& probe) {
  KsgCase drawn = draw_exact_case();
  const auto before = probe.run(operation, drawn.arguments());
  const int power = static_cast<int>(*integers(-30, 30, "power"));
  for (Tensor* part : {&drawn.x, &drawn.y, &drawn.z}) {
    *part = mapped(*part, [power](double value) { return std::ldexp(value, power); });
  }
  const auto after = probe.run(operation, drawn.arguments());
  probe.expect_equal("value", before.at("value"), after.at("value"));
  probe.expect_equal("local", before.at("local"), after.at("local"));
  probe.expect_equal("counts", before.at("counts"), after.at("counts"));
  probe.expect_equal("radii", mapped(before.at("radii"), [power](double r) { return std::ldexp(r, power); }),
                     after.at("radii"));
}

// Observations in another order: everything that belongs to one moves with it, with ties and for both
// algorithms.
void relabelling(Probe& probe) {
  KsgCase drawn = draw_ksg_case(small());
  drawn.where.trial_lengths.clear();
  drawn.where.theiler_window = 0;
  drawn.where.k = std::min(drawn.where.k, drawn.rows() - 1);
  const auto order = permutation(drawn.rows(), probe.seed());
  const auto before = probe.run(operation, drawn.arguments());
  drawn.x = rows_of(drawn.x, order);
  drawn.y = rows_of(drawn.y, order);
  if (drawn.z.shape()[1] > 0) drawn.z = rows_of(drawn.z, order);
  const auto after = probe.run(operation, drawn.arguments());
  probe.expect_equal("radii", rows_of(before.at("radii"), order), after.at("radii"));
  probe.expect_equal("counts", rows_of(before.at("counts"), order), after.at("counts"));
  std::vector<double> moved;
  for (const std::int64_t row : order)
    moved.push_back(before.at("local").as<double>()[static_cast<std::size_t>(row)]);
  probe.expect_equal("local", Tensor::from(moved, {drawn.rows()}), after.at("local"));
  probe.expect_within("value in another order",
                      after.at("value").as<double>()[0] - before.at("value").as<double>()[0],
                      value_bound(drawn.rows(), drawn.where.k));
}

// I(x; y | z) = I(y; x | z): the counts trade places.
void symmetry(Probe& probe) {
  KsgCase drawn = draw_ksg_case(small());
  const auto before = probe.run(operation, drawn.arguments());
  std::swap(drawn.x, drawn.y);
  const auto after = probe.run(operation, drawn.arguments());
  const auto counts = before.at("counts").as<std::int64_t>();
  const auto swapped = after.at("counts").as<std::int64_t>();
  for (std::size_t i = 0; i < counts.size(); i += 3) {
    probe.expect(
        counts[i] == swapped[i + 1] && counts[i + 1] == swapped[i] && counts[i + 2] == swapped[i + 2],
        "n_xz and n_yz trade places when x and y do");
  }
  const double allowed = local_bound(drawn.rows(), drawn.where.k);
  for (std::int64_t i = 0; i < drawn.rows(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    probe.expect_within("local value with x and y exchanged",
                        before.at("local").as<double>()[at] - after.at("local").as<double>()[at], allowed);
  }
  probe.expect_within("value with x and y exchanged",
                      before.at("value").as<double>()[0] - after.at("value").as<double>()[0],
                      value_bound(drawn.rows(), drawn.where.k));
}

void locals_average_to_the_value(Probe& probe) {
  const KsgCase drawn = draw_ksg_case(small(260));
  const auto outputs = probe.run(operation, drawn.arguments());
  long double sum = 0;
  long double magnitudes = 0;
  for (const double local : outputs.at("local").as<double>()) {
    sum += local;
    magnitudes += std::abs(local);
  }
  // The contract's pairwise sum of n numbers, one division, and a last rounding.
  const auto n = static_cast<long double>(drawn.rows());
  const double depth = 4 + std::log2(static_cast<double>(drawn.rows()));
  probe.expect_within("mean of the local values less the value",
                      static_cast<double>(sum / n) - outputs.at("value").as<double>()[0],
                      static_cast<double>(magnitudes / n) * depth * 0x1p-53 + 0x1p-1022);
}

// Algorithm 1 put together from te.knn and te.range_count, and the formula written out with harmonic numbers.
void is_made_of_its_parts(Probe& probe) {
  KsgCase drawn = draw_ksg_case(small(), 1);
  drawn.algorithm = 1;
  const auto outputs = probe.run(operation, drawn.arguments());
  const std::int64_t n = drawn.rows();
  const auto join = [n](const std::vector<const Tensor*>& parts) {
    std::int64_t width = 0;
    for (const Tensor* part : parts) width += part->shape()[1];
    Tensor joined(DType::f64, {n, width});
    std::int64_t first = 0;
    for (const Tensor* part : parts) {
      const std::int64_t columns = part->shape()[1];
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t c = 0; c < columns; ++c) {
          joined.as<double>()[static_cast<std::size_t>(i * width + first + c)] =
              part->as<double>()[static_cast<std::size_t>(i * columns + c)];
        }
      }
      first += columns;
    }
    return joined;
  };
  HostArguments neighbours;
  neighbours.inputs.emplace("points", join({&drawn.x, &drawn.y, &drawn.z}));
  drawn.where.add_to(neighbours);
  const auto found = probe.run("te.knn", neighbours);
  std::vector<double> radii;
  for (std::int64_t i = 0; i < n; ++i) {
    radii.push_back(
        found.at("distances").as<double>()[static_cast<std::size_t>((i + 1) * drawn.where.k - 1)]);
    probe.expect(outputs.at("radii").as<double>()[static_cast<std::size_t>(3 * i)] == radii.back(),
                 "the radius is the distance of the k-th neighbour in (x, y, z)");
  }
  const auto counts_in = [&](Tensor points) {
    HostArguments count;
    count.inputs.emplace("points", std::move(points));
    count.inputs.emplace("radii", Tensor::from(radii, {n}));
    count.parameters.emplace("strict", true);
    drawn.where.add_to(count, false);
    return probe.run("te.range_count", count);
  };
  const auto xz = counts_in(join({&drawn.x, &drawn.z}));
  const auto yz = counts_in(join({&drawn.y, &drawn.z}));
  const auto z = counts_in(drawn.z.clone());
  // psi(m + 1) = psi(1) + sum of 1/i to m.
  std::vector<double> psi = {-0.57721566490153286061};
  for (std::int64_t m = 1; m <= n; ++m) psi.push_back(psi.back() + 1.0 / static_cast<double>(m));
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto count = [&](const std::map<std::string, Tensor>& from) {
      return from.at("counts").as<std::int64_t>()[at];
    };
    const auto counts = outputs.at("counts").as<std::int64_t>().subspan(3 * at, 3);
    probe.expect(counts[0] == count(xz) && counts[1] == count(yz) && counts[2] == count(z),
                 "the counts are those of te.range_count");
    const double expected =
        psi[static_cast<std::size_t>(drawn.where.k - 1)] + psi[static_cast<std::size_t>(count(z))] -
        psi[static_cast<std::size_t>(count(xz))] - psi[static_cast<std::size_t>(count(yz))];
    // The harmonic sums here have up to n roundings each of numbers up to 1 + ln n.
    const double own = 8 * static_cast<double>(n) * 0x1p-53 * (1 + std::log(static_cast<double>(n)));
    probe.expect_within("local value from harmonic numbers", outputs.at("local").as<double>()[at] - expected,
                        local_bound(n, drawn.where.k) + own);
  }
}

// All points in one place: the radius is 0, no point lies strictly inside, and the contract says what that
// gives.
void constant_points(Probe& probe) {
  CloudLimits limits = small(40);
  limits.fillings = {Filling::constant};
  KsgCase drawn = draw_ksg_case(limits, 1);
  drawn.algorithm = 1;
  const auto outputs = probe.run(operation, drawn.arguments());
  double expected = 0;
  for (std::int64_t i = 1; i < drawn.where.k; ++i) expected += 1.0 / static_cast<double>(i);
  for (const double local : outputs.at("local").as<double>()) {
    probe.expect_within("psi(k) - psi(1)", local - expected, local_bound(drawn.rows(), drawn.where.k));
  }
}

// A plan that is used again with another x gives what a fresh call gives.
void plan_is_not_stale(Probe& probe) {
  const KsgCase first = draw_ksg_case(small());
  const auto order = permutation(first.rows(), probe.seed());
  const Tensor other_x = rows_of(first.x, order);
  HostArguments second = first.arguments();
  second.inputs.at("x") = other_x.clone();
  const auto fresh_first = probe.run(operation, first.arguments());
  const auto fresh_second = probe.run(operation, second);
  const assay::te::KsgParameters parameters{.k = first.where.k,
                                            .algorithm = static_cast<int>(first.algorithm),
                                            .theiler_window = first.where.theiler_window,
                                            .search = assay::te::search_of(first.where.search)};
  assay::te::KsgPlan plan(probe.context(), first.y.view(),
                          first.z.shape()[1] > 0 ? first.z.view() : ConstTensorView{},
                          first.where.trial_lengths, parameters);
  for (const auto& [x, fresh] : {std::pair(&first.x, &fresh_first), std::pair(&other_x, &fresh_second)}) {
    Tensor value(DType::f64, {1}), local(DType::f64, {first.rows()});
    plan.evaluate(probe.context(), x->view(),
                  {.value = value.view(), .local = local.view(), .radii = {}, .counts = {}});
    probe.expect_equal("local of the plan", fresh->at("local"), local);
    probe.expect_equal("value of the plan", fresh->at("value"), value);
  }
}

}  // namespace

void add_exact_properties(Suite& suite) {
  suite.property({.name = "structures_agree",
                  .summary = "Every search structure gives the same bits on hundreds of points.",
                  .body = structures_agree,
                  .cases = 60});
  suite.property({.name = "threads_do_not_matter",
                  .summary = "1, 2, 3 and 5 threads give the same bits.",
                  .body = threads_do_not_matter,
                  .cases = 30,
                  .backends = {Backend::cpu}});
  suite.property({.name = "invariant_under_adding_constants",
                  .summary = "Exactly representable shifts of x, y and z, one each, change no bit.",
                  .body = adding_constants,
                  .cases = 400});
  suite.property(
      {.name = "invariant_under_powers_of_two",
       .summary = "Scaling all points by a power of two scales the radii and changes no other bit.",
       .body = scaling_by_powers_of_two,
       .cases = 400});
  suite.property({.name = "invariant_under_relabelling",
                  .summary =
                      "Observations in another order keep their radii, counts and local values, ties and "
                      "algorithm 2 included.",
                  .body = relabelling,
                  .cases = 600});
  suite.property({.name = "symmetric_in_x_and_y",
                  .summary = "I(x; y | z) = I(y; x | z): the counts trade places.",
                  .body = symmetry,
                  .cases = 400});
  suite.property({.name = "locals_average_to_the_value",
                  .summary = "The mean of the local values is the value, within the bound of a pairwise sum.",
                  .body = locals_average_to_the_value,
                  .cases = 400});
  suite.property({.name = "is_made_of_its_parts",
                  .summary = "Algorithm 1 equals te.knn, te.range_count and harmonic numbers put together.",
                  .body = is_made_of_its_parts,
                  .cases = 300});
  suite.property({.name = "constant_points",
                  .summary = "Points all in one place give psi(k) - psi(1), as the contract says.",
                  .body = constant_points,
                  .cases = 60});
  suite.property({.name = "plan_is_not_stale",
                  .summary = "A plan used again with another x gives what a fresh call gives, bit for bit.",
                  .body = plan_is_not_stale,
                  .cases = 300,
                  .backends = {Backend::cpu}});
}

}  // namespace assay::validation::transfer_entropy
