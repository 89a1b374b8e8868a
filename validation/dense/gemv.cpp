#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "engine/comparison.hpp"
#include "validation/all_of.hpp"
#include "validation/blocks/products.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"

namespace assay::validation::dense {

namespace {

constexpr const char* operation = "dense.gemv";

std::vector<double> doubles_of(const std::map<std::string, Tensor>& outputs, const char* name) {
  return to_doubles(outputs.at(name).view());
}

Products draw_ordinary(std::int64_t most_rows, std::int64_t most_columns) {
  return draw_products(most_rows, most_columns, {Contents::trained}, {Numbers::normal, Numbers::grid});
}

/// Sums of these are exact, as are those of parts of them: 512 products of quarters, a quarter of them not 0.
Products draw_exact() {
  return draw_products(20, 512, {Contents::grid}, {Numbers::grid});
}

void matches_reference(Probe& probe) {
  const Products products = draw_ordinary(40, 9000);
  const Placement weights{*integers(0, 20, "bytes off the alignment"),
                          *integers(0, 40, "bytes between rows")};
  const Placement x{*integers(0, 9, "elements of x off the alignment"), *integers(0, 20, "elements between")};
  const Placement y{.offset = *integers(0, 15, "results off the alignment")};
  probe.expect_reference(operation, products.arguments(), {{"weights", weights}, {"x", x}, {"y", y}});
}

void walk(Probe& probe, std::vector<Products> list) {
  for (const Products& products : *all_of(std::move(list), simpler_products).as("products"))
    probe.expect_reference(operation, products.arguments());
}

// Columns around what a body is cut at: vectors, units of 32, stages, slices of a row, pieces of 256; rows
// around groups of 4 and tiles of 16.
void matches_reference_at_every_edge(Probe& probe) {
  constexpr std::array<std::int64_t, 6> rows = {1, 3, 5, 15, 17, 33};
  std::vector<Products> list;
  for (const BlockLayout& layout : block_layouts) {
    std::vector<std::int64_t> counts = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33};
    if (layout.length == 32) counts.insert(counts.end(), {64, 65, 127, 128, 129, 257});
    if (layout.length == 1)
      counts = {1, 2, 3, 31, 32, 33, 63, 65, 127, 129, 255, 257, 511, 513, 1025, 2049, 4099};
    for (std::size_t i = 0; i < counts.size(); ++i) {
      Blocks blocks{.format = layout.format, .rows = rows[i % rows.size()], .blocks = counts[i]};
      blocks.contents = Contents::trained;
      blocks.seed = probe.seed() + i;
      list.push_back(products_of(blocks, static_cast<std::int64_t>(1 + i % 8), Numbers::normal));
    }
  }
  walk(probe, std::move(list));
}

// More rows than run at once; columns and vectors that take one, two, four and eight blocks of a cluster, and
// more than those hold.
void many_rows_and_long_rows(Probe& probe) {
  struct Size {
    BlockFormat format;
    std::int64_t rows, columns, batch;
  };
  constexpr std::array sizes = {Size{BlockFormat::q8_0, 4400, 96, 1},  Size{BlockFormat::q4_0, 40, 14336, 1},
                                Size{BlockFormat::q4_0, 40, 14336, 3}, Size{BlockFormat::q4_k, 130, 14336, 5},
                                Size{BlockFormat::q6_k, 33, 14336, 8}, Size{BlockFormat::mxfp4, 300, 2880, 8},
                                Size{BlockFormat::f16, 20, 30001, 2},  Size{BlockFormat::q5_1, 70, 28672, 8},
                                Size{BlockFormat::f32, 5, 200003, 1}};
  std::vector<Products> list;
  for (const Size& size : sizes) {
    Blocks blocks{.format = size.format, .rows = size.rows};
    blocks.blocks = size.columns / layout_of(size.format).length;
    blocks.contents = Contents::trained;
    blocks.seed = probe.seed();
    list.push_back(products_of(blocks, size.batch, Numbers::normal));
  }
  walk(probe, std::move(list));
}

/// Values of the rows by quant.dequantize on the same backend.
std::vector<double> dequantized(Probe& probe, const Blocks& weights) {
  return doubles_of(probe.run("quant.dequantize", weights.arguments()), "values");
}

void dequantize_then_multiply(Probe& probe) {
  Products products = draw_exact();
  products.bias = false;
  const std::vector<double> x = products.x.values();
  const std::vector<double> y = doubles_of(probe.run(operation, products.arguments()), "y");
  const std::vector<double> w = dequantized(probe, products.weights);
  const auto rows = static_cast<std::size_t>(products.weights.rows);
  const auto columns = static_cast<std::size_t>(products.weights.columns());
  for (std::size_t i = 0; i < y.size(); ++i) {
    double sum = 0;  // exact
    for (std::size_t j = 0; j < columns; ++j) sum += w[i % rows * columns + j] * x[i / rows * columns + j];
    probe.expect(y[i] == sum, "y[" + std::to_string(i) + "] is " + std::to_string(y[i]) +
                                  ", the products of the values add up to " + std::to_string(sum));
  }
}

// A single activation with all 24 bits in use: what is computed has the weight times it, m times it, and at
// most eight roundings of float on the way.
void one_activation_keeps_its_bits(Probe& probe) {
  std::vector<Products> list;
  for (Blocks& blocks : blocks_of_every_format(
           Contents::trained, probe.seed(), [](const BlockLayout& layout) { return 512 / layout.length; })) {
    blocks.rows = 16;
    Products products = products_of(blocks, 4, Numbers::constant);
    list.push_back(products);
  }
  for (const Products& products : *all_of(std::move(list), simpler_products).as("products")) {
    const auto rows = static_cast<std::size_t>(products.weights.rows);
    const auto columns = static_cast<std::size_t>(products.weights.columns());
    const auto batch = static_cast<std::size_t>(products.batch());
    Philox random(probe.seed());
    Tensor x(DType::f32, products.x.shape);
    std::fill(x.as<float>().begin(), x.as<float>().end(), 0.0f);
    std::vector<std::size_t> at(batch);
    for (std::size_t vector = 0; vector < batch; ++vector) {
      at[vector] = random.below(columns);
      x.as<float>()[vector * columns + at[vector]] = static_cast<float>(0xFFFFFF - 2 * random.below(128));
    }
    const Tensor kept = x.clone();
    const std::vector<double> y = doubles_of(probe.run(operation, products.arguments_of(std::move(x))), "y");
    const std::vector<double> w = dequantized(probe, products.weights);
    // |m| where there is one: a scale of 2^-6 and an integer of six bits (four in Q2_K).
    const double minimum = products.weights.layout().minimum_at < 0       ? 0
                           : products.weights.layout().length == 32       ? 0x1p-6
                           : products.weights.format == BlockFormat::q2_k ? 15 * 0x1p-6
                                                                          : 63 * 0x1p-6;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t vector = i / rows;
      const double activation = kept.as<float>()[vector * columns + at[vector]];
      const double weight = w[i % rows * columns + at[vector]];
      probe.expect_within(std::string(products.weights.layout().name) + ", y[" + std::to_string(i) + "]",
                          y[i] - weight * activation,
                          8 * 0x1p-24 * (std::fabs(weight) + 2 * minimum) * activation);
    }
  }
}

void linear_where_exact(Probe& probe) {
  Products products = draw_exact();
  products.bias = false;
  Products other = products;
  other.x.seed += 1;
  const std::vector<double> left = products.x.values(), right = other.x.values();
  std::vector<double> both(left.size());
  for (std::size_t i = 0; i < both.size(); ++i) both[i] = 2 * left[i] - right[i];
  const auto run = [&](const std::vector<double>& x) {
    return doubles_of(
        probe.run(operation, products.arguments_of(encode(products.x.type, x, products.x.shape))), "y");
  };
  const std::vector<double> of_left = run(left), of_right = run(right), of_both = run(both);
  for (std::size_t i = 0; i < of_both.size(); ++i)
    probe.expect(of_both[i] == 2 * of_left[i] - of_right[i],
                 "W (2 a - b) is " + std::to_string(of_both[i]) + ", 2 W a - W b is " +
                     std::to_string(2 * of_left[i] - of_right[i]));
}

void nothing_gives_the_bias(Probe& probe) {
  Products products = draw_ordinary(20, 3000);
  Tensor zeros(products.x.type, products.x.shape);
  std::fill_n(zeros.view().data, zeros.bytes(), std::byte{0});
  const HostArguments arguments = products.arguments_of(std::move(zeros));
  const auto y = probe.run(operation, arguments);
  std::vector<float> expected;
  for (std::int64_t vector = 0; vector < products.batch(); ++vector)
    for (std::int64_t row = 0; row < products.weights.rows; ++row)
      expected.push_back(
          products.bias ? arguments.inputs.at("bias").as<float>()[static_cast<std::size_t>(row)] : 0.0f);
  probe.expect_equal("W 0 and the bias", as_floats(y.at("y")),
                     Tensor::from(expected, {products.batch(), products.weights.rows}));
}

/// Scales with which a weight is beyond the range of float, which the contract says nothing of, become the
/// largest that has none, or infinite.
void keep_weights_in_range(const BlockLayout& layout, std::span<std::uint8_t> bytes) {
  const auto size = static_cast<std::size_t>(layout.bytes);
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    if (layout.scale == BlockScale::exponent) bytes[at] = std::min<std::uint8_t>(bytes[at], 252);
    if (layout.scale != BlockScale::binary32) continue;
    float scale = 0;
    std::memcpy(&scale, &bytes[at], sizeof scale);
    if (std::fabs(scale) > 0x1p120f) scale = std::copysign(std::numeric_limits<float>::infinity(), scale);
    std::memcpy(&bytes[at], &scale, sizeof scale);
  }
}

// Activations of 2^-20, so that no number that is finite becomes infinite.
void infinities_and_nan(Probe& probe) {
  Products products = draw_products(24, 2000, {Contents::trained, Contents::special_scales},
                                    {Numbers::normal, Numbers::grid});
  // Of F32 and BF16 any bits are more than sums of float hold.
  if (products.weights.layout().scale == BlockScale::none) products.weights.contents = Contents::trained;
  products.x.exponent = -20;
  products.x.type = DType::f32;
  std::vector<double> x = products.x.values();
  Philox random(products.x.seed, 1);
  const double specials[] = {std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()};
  for (std::uint64_t left = random.below(4); left > 0; --left)
    x[random.below(x.size())] = specials[random.below(3)];
  HostArguments arguments = products.arguments_of(encode(DType::f32, x, products.x.shape));
  const BlockLayout& layout = products.weights.layout();
  keep_weights_in_range(layout, arguments.inputs.at("weights").as<std::uint8_t>());
  if (layout.scale == BlockScale::none &&
      random.below(2) == 0) {  // all ones: NaN; without the fraction: infinite
    const auto bytes = arguments.inputs.at("weights").as<std::uint8_t>();
    const std::size_t at = random.below(bytes.size() / static_cast<std::size_t>(layout.bytes)) *
                           static_cast<std::size_t>(layout.bytes);
    for (int byte = 0; byte < layout.bytes; ++byte) bytes[at + static_cast<std::size_t>(byte)] = 0;
    const bool nan = random.below(2) == 0;
    const auto last = at + static_cast<std::size_t>(layout.bytes) - 1;
    bytes[last] = random.below(2) == 0 ? 0x7F : 0xFF;
    bytes[last - 1] = nan ? 0xFF : 0x80;
    if (layout.format == BlockFormat::f16) {
      bytes[last] = nan ? 0x7F : 0x7C;
      bytes[last - 1] = 0;
    }
  }
  probe.expect_reference(operation, arguments);
}

// What stands between rows and behind the last block is not the call's.
void wherever_they_lie(Probe& probe) {
  const Products products = draw_ordinary(20, 5000);
  const Placement weights{*integers(0, 20, "bytes off the alignment"),
                          *integers(1, 40, "bytes between rows")};
  const Placement x{*integers(0, 9, "elements of x off the alignment"), *integers(0, 20, "elements between")};
  const auto placed =
      probe.run(operation, products.arguments(),
                {{"weights", weights}, {"x", x}, {"y", {.offset = *integers(0, 15, "of y")}}});
  const auto aligned = probe.run(operation, products.arguments());
  probe.expect_equal("displaced and aligned", placed.at("y"), aligned.at("y"));
}

void wherever_they_lie_control(Probe& probe) {
  Blocks blocks{.rows = 2};
  blocks.contents = Contents::trained;
  const Products products = products_of(blocks, 1, Numbers::normal);
  Products other = products;
  other.x.seed += 1;
  const auto placed = probe.run(operation, other.arguments(), {{"weights", {3, 7}}});
  probe.expect_equal("displaced and aligned", placed.at("y"),
                     probe.run(operation, products.arguments()).at("y"));
}

/// Every bit of a row turned round, infinities and NaN among what that makes: no other row's result changes.
void rows_know_nothing_of_each_other(Probe& probe) {
  const Products products = draw_ordinary(40, 3000);
  const std::int64_t changed = *integers(0, products.weights.rows - 1, "row that is changed");
  HostArguments arguments = products.arguments();
  const auto before = probe.run(operation, arguments);
  const auto bytes = arguments.inputs.at("weights").as<std::uint8_t>();
  const auto size = static_cast<std::size_t>(products.weights.bytes_of_row());
  for (std::size_t byte = 0; byte < size; ++byte)
    bytes[static_cast<std::size_t>(changed) * size + byte] ^= 0xFF;
  const auto after = probe.run(operation, arguments);
  const auto others = [&](const Tensor& y) {
    Tensor rest = y.clone();
    for (std::int64_t vector = 0; vector < products.batch(); ++vector)
      clear_elements(rest, static_cast<std::size_t>(vector * products.weights.rows + changed), 1);
    return rest;
  };
  probe.expect_equal("the other rows, one of them changed and not", others(after.at("y")),
                     others(before.at("y")));
}

void independent_of_threads(Probe& probe) {
  const Products products = draw_ordinary(300, 4000);
  const HostArguments arguments = products.arguments();
  const auto here = probe.run(operation, arguments);
  for (const unsigned threads : {1u, 2u, 5u}) {
    Context context = Context::cpu(threads);
    const auto there = run_on_host(context, *find_operation(operation), arguments.view());
    probe.expect_equal("another number of threads", there.at("y"), here.at("y"));
  }
}

Products two_by_two() {
  Blocks blocks{.rows = 2, .blocks = 2};
  blocks.contents = Contents::trained;
  return products_of(blocks, 2, Numbers::grid);
}

void refuses_bad_arguments(Probe& probe) {
  const auto with = [](const char* format, Shape x) {
    Products products = two_by_two();
    products.x.shape = std::move(x);
    HostArguments made = products.arguments();
    made.parameters["format"] = std::string(format);
    return made;
  };
  expect_refused(probe, operation, with("Q4_0", {2, 63}), "columns", "half a block");
  expect_refused(probe, operation, with("Q4_K", {2, 64}), "columns", "a quarter of a block of 256");
  expect_refused(probe, operation, with("Q4_0", {2, 96}), "weights", "rows that are too short");
  expect_refused(probe, operation, with("Q4_0", {2, 32}), "weights", "rows that are too long");
  expect_refused(probe, operation, with("Q8_1", {2, 64}), "format", "a format that is not decoded");
  expect_refused(probe, operation, with("Q4_0", {9, 64}), "x", "nine vectors");
  expect_refused(probe, operation, with("Q4_0", {64}), "x", "a vector without an axis of the batch");
  HostArguments longer = with("Q4_0", {2, 64});
  longer.inputs.emplace("bias", Tensor::from<float>({1, 2, 3}, {3}));
  expect_refused(probe, operation, longer, "bias", "a bias for more rows");
}

void accepts_good_arguments(Probe& probe) {
  expect_refused(probe, operation, two_by_two().arguments(), "columns", "a legal call");
}

void describe_mutants(Suite& suite) {
  const auto add = [&](const char* id, const char* fault_class, const char* what, Backend backend) {
    suite.mutant({std::string("dense.gemv.") + id, fault_class, what, backend});
  };
  constexpr Backend cpu = Backend::cpu, cuda = Backend::cuda;
  add("unhandled_tail", "unhandled tail", "columns after the last whole vector are left out", cpu);
  add("ignored_row_stride", "ignored stride", "rows are taken to lie side by side", cpu);
  add("ignored_vector_stride", "ignored stride", "vectors are taken to lie side by side", cpu);
  add("second_piece_lost", "lost tile", "the second 1024 columns are left out", cpu);
  add("second_sum_lost", "lost data", "the second running sum of single elements is left out", cpu);
  add("lane_lost", "lost data", "the last lane is left out of the result", cpu);
  add("sixteen_bit_sums", "low-precision accumulator", "sums of 1024 columns are rounded to bfloat16", cpu);
  add("first_vector_for_all", "wrong index", "every vector is the first", cpu);
  add("bias_missing", "formula", "the bias is left out", cpu);
  add("bias_of_first_row", "wrong index", "every row gets the first one's bias", cpu);
  add("rows_begin_again", "wrong index", "every chunk computes the first one's rows", cpu);
  add("halves_repeated", "nibble order", "low halves are taken for high ones", cpu);
  add("second_half_repeated", "wrong index", "of 16 codes the second 8 are taken for the first", cpu);
  add("second_of_pairs_unscaled", "wrong scale", "every second activation is 256 times too large", cpu);
  add("scales_of_first_parts", "wrong sub-block", "parts 4 to 7 of a block have the scales of 0 to 3", cpu);
  add("second_sixteen_scaled_as_first", "wrong sub-block", "both 16 of 32 columns have the first one's scale",
      cpu);
  add("minimum_missing", "missing offset", "minima are left out", cpu);
  add("minimum_added", "sign", "minima of parts of 32 have the other sign", cpu);
  add("high_bits_lost", "high bits", "bits that lie apart from the others of a code are left out", cpu);
  add("infinity_left", "special value", "results that came out infinite or NaN are left as they are", cpu);
  add("cuda_halves_swapped", "nibble order", "low halves are taken for high ones", cuda);
  add("cuda_first_scale_for_both", "wrong sub-block", "both 16 of 32 columns have the first one's scale",
      cuda);
  add("cuda_minimum_missing", "missing offset", "minima are left out", cuda);
  add("cuda_minimum_added", "sign", "minima have the other sign", cuda);
  add("cuda_low_part_lost", "precision", "the last part of a weight is left out", cuda);
  add("cuda_sign_lost", "sign", "codes with sign lose it", cuda);
  add("cuda_fifth_bit_lost", "high bits", "the fifth bits are left out", cuda);
  add("cuda_lost_slice", "lost tile", "the last partial sum of a row is left out", cuda);
  add("cuda_lost_block", "off by one", "the last block of a row is left out", cuda);
  add("cuda_stale_stage", "stale state", "another stage than the one that came is decoded", cuda);
  add("cuda_missing_barrier", "missing barrier", "partial sums are joined before they are there", cuda);
  add("cuda_skew_ignored", "misalignment", "rows are taken to begin on multiples of 16 bytes", cuda);
  add("cuda_tail_not_cleared", "unhandled tail", "what lies behind a row is multiplied with 0", cuda);
  add("cuda_infinity_left", "special value", "results that came out infinite or NaN are left as they are",
      cuda);
  add("cuda_bias_missing", "formula", "the bias is left out", cuda);
  add("cuda_first_vector_for_all", "wrong index", "every vector is the first", cuda);
  add("cuda_activation_part_lost", "precision", "the last eight bits of an activation are left out", cuda);
  add("cuda_sums_of_first_stage", "wrong index", "minima are multiplied with the sums of the first stage",
      cuda);
  add("cuda_lanes_not_joined", "lost data", "one lane of four alone gives a row's result", cuda);
  add("cuda_run_begins_again", "stale state", "a run of slices forgets the run before", cuda);
  add("cuda_ignored_row_stride", "ignored stride", "rows are taken to lie side by side", cuda);
}

}  // namespace

void describe_gemv(Suite& suite) {
  suite
      .property({.name = "matches_reference",
                 .summary = "Random weights of every format, wherever they lie, within the proven bound.",
                 .body = matches_reference,
                 .cases = 200})
      .property({.name = "matches_reference_at_every_edge",
                 .summary = "Around every number of rows and columns that a body is cut at, each format.",
                 .body = matches_reference_at_every_edge,
                 .cases = 1})
      .property({.name = "many_rows_and_long_rows",
                 .summary = "More rows than run at once, longer rows and more vectors than a block holds.",
                 .body = many_rows_and_long_rows,
                 .cases = 1})
      .property({.name = "dequantize_then_multiply",
                 .summary = "Where sums are exact, the products of what quant.dequantize gives.",
                 .body = dequantize_then_multiply,
                 .cases = 150})
      .property({.name = "one_activation_keeps_its_bits",
                 .summary = "Alone among zeros an activation of 24 bits is multiplied to the last of them.",
                 .body = one_activation_keeps_its_bits,
                 .cases = 1})
      .property({.name = "linear_where_exact",
                 .summary = "W (2 a - b) = 2 W a - W b on small integers.",
                 .body = linear_where_exact,
                 .cases = 60})
      .property({.name = "nothing_gives_the_bias",
                 .summary = "Activations of 0 give the bias, or +0.",
                 .body = nothing_gives_the_bias,
                 .cases = 60})
      .property({.name = "infinities_and_nan",
                 .summary = "Infinities and NaN in x, scales and weights come out as in the sum of products.",
                 .body = infinities_and_nan,
                 .cases = 200})
      .property({.name = "wherever_they_lie",
                 .summary = "Alignment and strides do not change a bit.",
                 .body = wherever_they_lie,
                 .cases = 150,
                 .negative_control = wherever_they_lie_control})
      .property({.name = "rows_know_nothing_of_each_other",
                 .summary = "A changed row changes no other row's result.",
                 .body = rows_know_nothing_of_each_other,
                 .cases = 100})
      .property({.name = "independent_of_threads",
                 .summary = "One, two and five threads give the same bits.",
                 .body = independent_of_threads,
                 .cases = 20,
                 .backends = {Backend::cpu}})
      .property({.name = "refuses_bad_arguments",
                 .summary = "Formats, columns, vectors and a bias that do not fit are refused by name.",
                 .body = refuses_bad_arguments,
                 .cases = 1,
                 .negative_control = accepts_good_arguments})
      .calls([] {
        Products products = draw_ordinary(40, 3000);
        // The claims are tried on twice as many vectors and one, of which eight may be had.
        products.x.shape[0] = std::min<std::int64_t>(products.x.shape[0], 3);
        return products.arguments();
      });
  describe_mutants(suite);
}

}  // namespace assay::validation::dense
