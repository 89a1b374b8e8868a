#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <ostream>
#include <vector>

#include <rapidcheck.h>

#include "engine/comparison.hpp"
#include "engine/runtime/philox.hpp"
#include "validation/all_of.hpp"
#include "validation/generators.hpp"
#include "validation/kept.hpp"
#include "validation/suite.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation::dense {

namespace {

constexpr const char* operation = "dense.softmax";
constexpr std::array types = {DType::f32, DType::f16, DType::bf16};
constexpr double infinity = std::numeric_limits<double>::infinity();

// Numbers of columns around everything that a body may be cut at: vectors of 4, 8 and 16, warps, the CPU's
// blocks, the most that a warp, a block of threads and a cluster hold.
constexpr std::array<std::int64_t, 56> edges = {
    1,    2,    3,    4,    5,    7,    8,     9,     15,    16,    17,    31,    32,    33,
    63,   64,   65,   97,   127,  128,  129,   191,   255,   256,   257,   383,   511,   512,
    513,  767,  1009, 1023, 1024, 1025, 1027,  1537,  2047,  2048,  2049,  3001,  4095,  4096,
    4097, 5003, 6144, 8191, 8192, 8193, 12289, 16383, 16384, 16385, 20011, 32767, 32768, 32769};

enum class Values : std::uint8_t {
  normal,          ///< times the scale
  small_integers,  ///< from -8 to 8
  masked,          ///< -Inf, but the first row's beginning and the second row's end
  ladder           ///< down by 1/16 a column
};

/// Logits of one call: what is drawn and shrunk.
struct Logits {
  DType type = DType::f32;
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  double scale = 1;
  std::uint64_t seed = 0;
  Values filling = Values::normal;
  Kept kept = {};  ///< the logits that are not set to 0

  std::vector<double> values() const {
    std::vector<double> made(static_cast<std::size_t>(rows * columns));
    Philox random(seed);
    switch (filling) {
      case Values::normal:
        for (double& value : made) value = scale * random.normal();
        break;
      case Values::small_integers:
        for (double& value : made) value = static_cast<double>(random.below(17)) - 8;
        break;
      case Values::masked:
        std::fill(made.begin(), made.end(), -infinity);
        made[0] = 1.5;
        if (rows > 1 && columns > 1) {
          made[static_cast<std::size_t>(2 * columns) - 1] = 0.5;
          made[static_cast<std::size_t>(2 * columns) - 2] = 0.25;
        }
        break;
      case Values::ladder:
        for (std::size_t i = 0; i < made.size(); ++i)
          made[i] = -static_cast<double>(i % static_cast<std::size_t>(columns)) / 16;
        break;
    }
    kept.apply(made);
    return made;
  }
  HostArguments arguments() const { return arguments_of(values()); }
  HostArguments arguments_of(const std::vector<double>& held) const {
    HostArguments made;
    made.inputs.emplace("x", encode(type, held, {rows, static_cast<std::int64_t>(held.size()) / rows}));
    return made;
  }
};

std::ostream& operator<<(std::ostream& out, const Logits& logits) {
  constexpr const char* fillings[] = {"normal", "small integers", "masked", "a ladder"};
  out << logits.rows << " x " << logits.columns << " " << name_of(logits.type) << ", "
      << fillings[static_cast<std::size_t>(logits.filling)] << ", scale " << logits.scale << ", seed "
      << logits.seed;
  if (logits.kept.only) out << ", not 0: " << logits.kept;
  return out;
}

/// The shrinks of what a fixed check walks: fewer rows and columns, fewer logits that are not 0, scale 1.
std::vector<Logits> simpler(const Logits& logits) {
  std::vector<Logits> made;
  const auto smaller = [&](std::int64_t Logits::*extent) {
    for (std::int64_t step = logits.*extent - 1; step > 0; step /= 2) {
      made.push_back(logits);
      made.back().*extent -= step;
    }
  };
  if (!logits.kept.only) {  // in another shape other numbers stand there
    smaller(&Logits::rows);
    smaller(&Logits::columns);
  }
  for (auto& only : fewer(held_by(logits.values()))) {
    made.push_back(logits);
    made.back().kept.only = std::move(only);
  }
  if (logits.scale != 1) {
    made.push_back(logits);
    made.back().scale = 1;
  }
  return made;
}

Logits draw(std::int64_t most_rows, std::int64_t most_columns) {
  Logits logits;
  logits.type = types[static_cast<std::size_t>(*integers(0, 2, "type (f32, f16, bf16)"))];
  logits.rows = *integers(1, most_rows, "rows");
  const auto allowed = std::upper_bound(edges.begin(), edges.end(), most_columns) - edges.begin();
  logits.columns =
      edges[static_cast<std::size_t>(*integers(0, allowed - 1, "columns (index of a tile edge)"))];
  logits.scale = std::ldexp(1.0, static_cast<int>(*integers(0, 6, "log2 scale")));
  logits.seed = static_cast<std::uint64_t>(*integers(0, std::int64_t{1} << 40, "seed"));
  logits.kept = *kept_of(logits.rows * logits.columns).as("not 0");
  return logits;
}

std::vector<double> doubles(const Tensor& tensor) {
  return to_doubles(tensor.view());
}

std::vector<double> bound_of(const HostArguments& arguments, const Tensor& reference) {
  return find_operation(operation)->error_bound(arguments.view(), "y", reference.as<double>());
}

void matches_reference(Probe& probe) {
  probe.expect_reference(operation, draw(9, 32769).arguments());
}

/// Every type by every number of columns.
template <typename Columns>
std::vector<Logits> of_each(std::int64_t rows, const Columns& all, double scale, std::uint64_t seed,
                            Values filling = Values::normal) {
  std::vector<Logits> made;
  for (const DType type : types)
    for (const std::int64_t columns : all)
      made.push_back({type, rows, columns, scale, seed + static_cast<std::uint64_t>(columns), filling});
  return made;
}

void agree(Probe& probe, std::vector<Logits> list) {
  for (const Logits& logits : *all_of(std::move(list), simpler).as("x"))
    probe.expect_reference(operation, logits.arguments());
}

void matches_reference_at_every_edge(Probe& probe) {
  agree(probe, of_each(2, edges, 3, probe.seed()));
}

void long_rows(Probe& probe) {
  constexpr std::int64_t columns[] = {65536, 65537, 100003, 128256, 131072, 131073, 262144, 262145, 300007};
  agree(probe, of_each(2, columns, 2, probe.seed()));
}

// What a block of threads, a block of a cluster or a thread holds of a row may be nothing but -Inf where the
// row is not: the first row has its beginning alone, the second its end, the third nothing.
void masked_parts_of_long_rows(Probe& probe) {
  constexpr std::int64_t columns[] = {9000, 20011, 131072, 300008};
  agree(probe, of_each(3, columns, 1, probe.seed(), Values::masked));
}

// More long rows than a device works on at once: later ones follow in the place of earlier ones.
void many_long_rows(Probe& probe) {
  const std::vector<Logits> list = {{DType::f16, 516, 16392, 2, probe.seed()}};
  for (const Logits& logits : *all_of(list, simpler).as("x")) {
    const HostArguments arguments = logits.arguments();
    const auto together = probe.run(operation, arguments);
    const std::int64_t some = (logits.rows + 2) / 3;
    const auto part_of = [&](const Tensor& tensor, std::int64_t first) {
      Tensor part(tensor.dtype(), {std::min(some, logits.rows - first), logits.columns});
      const std::size_t row = tensor.bytes() / static_cast<std::size_t>(logits.rows);
      std::copy_n(tensor.view().data + static_cast<std::size_t>(first) * row, part.bytes(), part.view().data);
      return part;
    };
    for (std::int64_t first = 0; first < logits.rows; first += some) {
      HostArguments fewer_rows;
      fewer_rows.inputs.emplace("x", part_of(arguments.inputs.at("x"), first));
      probe.expect_equal("rows among many and among fewer", part_of(together.at("y"), first),
                         probe.run(operation, fewer_rows).at("y"));
    }
  }
}

// Equal logits add up the most terms of one size: a sum of low precision stops growing here.
void equal_logits_share_equally(Probe& probe) {
  Logits logits = draw(3, 32769);
  const std::int64_t drawn = *integers(0, 16, "the logit, from 0 either way");
  const auto value = static_cast<double>(drawn % 2 == 0 ? drawn / 2 : -(drawn + 1) / 2);
  const HostArguments arguments =
      logits.arguments_of(std::vector<double>(static_cast<std::size_t>(logits.rows * logits.columns), value));
  const auto outputs = probe.expect_reference(operation, arguments);
  const std::vector<double> y = doubles(outputs.at("y"));
  probe.expect(std::all_of(y.begin(), y.end(), [&](double each) { return each == y.front(); }),
               "equal logits have unequal probabilities");
}

void invariant_under_shift(Probe& probe) {
  Logits logits = draw(5, 8193);
  logits.filling = Values::small_integers;
  const auto shift = static_cast<double>(*integers(-64, 64, "shift"));
  std::vector<double> shifted = logits.values();
  for (double& value : shifted)
    value += shift;  // small integers: exact in every type, and so is the difference
  const auto before = probe.run(operation, logits.arguments());
  const auto after = probe.run(operation, logits.arguments_of(shifted));
  probe.expect_equal("softmax(x + c) and softmax(x)", after.at("y"), before.at("y"));
}

void follows_a_permutation_of_columns(Probe& probe) {
  const Logits logits = draw(3, 8193);
  const std::vector<double> values = logits.values();
  const std::vector<std::int64_t> order = permutation(logits.columns, logits.seed + 1);
  std::vector<double> moved(values.size());
  for (std::int64_t row = 0; row < logits.rows; ++row)
    for (std::int64_t column = 0; column < logits.columns; ++column)
      moved[static_cast<std::size_t>(row * logits.columns + column)] =
          values[static_cast<std::size_t>(row * logits.columns + order[static_cast<std::size_t>(column)])];
  const HostArguments arguments = logits.arguments();
  const std::vector<double> y = doubles(probe.run(operation, arguments).at("y"));
  const std::vector<double> y_moved = doubles(probe.run(operation, logits.arguments_of(moved)).at("y"));
  const auto expected = probe.reference(operation, arguments);
  const std::vector<double> allowed = bound_of(arguments, expected.at("y"));
  double worst = 0;
  for (std::int64_t row = 0; row < logits.rows; ++row)
    for (std::int64_t column = 0; column < logits.columns; ++column) {
      const auto from =
          static_cast<std::size_t>(row * logits.columns + order[static_cast<std::size_t>(column)]);
      const auto to = static_cast<std::size_t>(row * logits.columns + column);
      const double share = std::abs(y_moved[to] - y[from]) / (2 * allowed[from]);
      worst = share <= worst ? worst : share;  // a NaN is kept
    }
  probe.expect_within("permuted columns, share of twice the bound", worst, 1);
}

void rows_sum_to_one(Probe& probe) {
  const Logits logits = draw(5, 32769);
  const HostArguments arguments = logits.arguments();
  const std::vector<double> y = doubles(probe.run(operation, arguments).at("y"));
  const auto expected = probe.reference(operation, arguments);
  const std::vector<double> allowed = bound_of(arguments, expected.at("y"));
  for (std::int64_t row = 0; row < logits.rows; ++row) {
    const std::ptrdiff_t first = row * logits.columns;
    const double sum = std::accumulate(y.begin() + first, y.begin() + first + logits.columns, 0.0);
    const double slack =
        std::accumulate(allowed.begin() + first, allowed.begin() + first + logits.columns, 0.0);
    probe.expect_within("sum of a row minus one", sum - 1, slack + 1e-12);  // the sum here is in double
    probe.expect(std::all_of(y.begin() + first, y.begin() + first + logits.columns,
                             [](double each) { return each >= 0 && each <= 1 + 1e-5; }),
                 "a probability is outside [0, 1]");
  }
}

void infinities_and_nan(Probe& probe) {
  Logits logits = draw(8, 8193);
  std::vector<double> values = logits.values();
  const double special[] = {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()};
  Philox random(logits.seed, 1);
  for (std::int64_t row = 0; row < logits.rows; ++row) {
    double* first = values.data() + row * logits.columns;
    const auto columns = static_cast<std::uint64_t>(logits.columns);
    switch (random.below(5)) {
      case 0:  // an ordinary row beside the others must stay one
        break;
      case 1:  // masked entries
        for (std::uint64_t column = 0; column + 1 < columns; column += 1 + random.below(3))
          first[column] = -infinity;
        break;
      case 2:  // a row that is masked whole
        std::fill(first, first + columns, -infinity);
        break;
      default:
        first[random.below(columns)] = special[random.below(3)];
        break;
    }
  }
  logits.kept.apply(values);
  probe.expect_reference(operation, logits.arguments_of(values));
}

void any_scale(Probe& probe) {
  Logits logits = draw(4, 2049);
  // From where the logits are subnormal to where their differences overflow.
  const bool wide = logits.type != DType::f16;
  logits.scale =
      std::ldexp(1.0, static_cast<int>(*integers(wide ? -146 : -24, wide ? 124 : 13, "log2 scale")));
  probe.expect_reference(operation, logits.arguments());
}

// One large logit and a ladder below it: the outputs run through every binade down to zero.
void probabilities_down_to_the_smallest(Probe& probe) {
  agree(probe, of_each(1, std::array{std::int64_t{2600}}, 1, probe.seed(), Values::ladder));
}

void independent_of_threads(Probe& probe) {
  const Logits logits = draw(64, 8193);
  const HostArguments arguments = logits.arguments();
  const auto here = probe.run(operation, arguments);
  for (const unsigned threads : {1u, 2u, 5u}) {
    Context context = Context::cpu(threads);
    const auto there = run_on_host(context, *find_operation(operation), arguments.view());
    probe.expect_equal("another number of threads", there.at("y"), here.at("y"));
  }
}

// What a body is cut at: vectors, warps, the CPU's blocks, what a warp, a block of threads and a cluster
// hold.
TensorLimits logits_of_every_class() {
  return {.axes = {{.least = 0, .most = 9},
                   {.least = 0,
                    .most = 32769,
                    .tiles = {4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}}},
          .types = {types.begin(), types.end()},
          .most_elements = 1 << 17,
          .most_offset = 15,
          .most_row_gap = 40,
          .most_exponent = 6};
}

// All classes of numbers, x and y off their alignment, rows of x apart.
void every_class_of_numbers(Probe& probe) {
  const TensorRecipe x = *tensors(logits_of_every_class()).as("x");
  const std::int64_t y_offset = *integers(0, 15, "offset of y");
  HostArguments arguments;
  arguments.inputs.emplace("x", x.tensor());
  probe.expect_reference(operation, arguments, {{"x", x.placement}, {"y", {.offset = y_offset}}});
}

// Wherever the tensors begin and the rows lie, the bits are those of tensors on their natural alignment. The
// negative control gives the displaced call other values.
void compare_placed(Probe& probe, const TensorRecipe& x, const TensorRecipe& displaced) {
  HostArguments arguments, elsewhere;
  arguments.inputs.emplace("x", x.tensor());
  elsewhere.inputs.emplace("x", displaced.tensor());
  const auto placed = probe.run(operation, elsewhere,
                                {{"x", displaced.placement}, {"y", {.offset = displaced.placement.offset}}});
  const auto aligned = probe.run(operation, arguments);
  probe.expect_equal("displaced and aligned", placed.at("y"), aligned.at("y"));
}

TensorLimits finite_logits() {
  TensorLimits limits = logits_of_every_class();
  limits.axes[0].least = 1;
  limits.axes[1].least = 1;
  limits.axes[1].most = 17'000;
  limits.numbers = {Numbers::grid, Numbers::normal};
  return limits;
}

void strided_rows(Probe& probe) {
  const TensorRecipe x = *tensors(finite_logits()).as("x");
  compare_placed(probe, x, x);
}

void strided_rows_control(Probe& probe) {
  const TensorRecipe x{.shape = {3, 33}, .numbers = Numbers::normal, .placement = {1, 5}};
  TensorRecipe other = x;
  other.exponent = 1;
  compare_placed(probe, x, other);
}

void describe_mutants(Suite& suite) {
  const auto add = [&](const char* id, const char* fault_class, const char* what, Backend backend) {
    suite.mutant({std::string("dense.softmax.") + id, fault_class, what, backend});
  };
  add("unhandled_tail", "unhandled tail", "columns after the last whole vector are skipped", Backend::cpu);
  add("ignored_row_stride", "ignored stride", "rows are taken to lie side by side", Backend::cpu);
  add("no_maximum", "formula", "exp is taken of the logits as they are", Backend::cpu);
  add("lost_block", "lost tile", "the second block of columns is left out of the sum", Backend::cpu);
  add("half_precision_sum", "low-precision accumulator", "the running sum is rounded to binary16",
      Backend::cpu);
  add("nan_ignored", "special value", "a NaN among the logits is not noticed", Backend::cpu);
  add("half_infinity_finite", "special value", "an infinity or NaN of binary16 is read as a finite number",
      Backend::cpu);
  add("bfloat_truncated", "precision", "bfloat16 outputs are cut off, not rounded", Backend::cpu);
  add("half_subnormals_flushed", "special value", "subnormal binary16 outputs are written as 0",
      Backend::cpu);
  add("tail_filled_with_zero", "unhandled tail", "the last vector is filled up with 0 in place of -Inf",
      Backend::cpu);
  add("maximum_of_first_vector", "lost data", "the maximum is that of the row's first vector", Backend::cpu);
  add("masked_row_zero", "special value", "a row of nothing but -Inf gives 0 in place of NaN", Backend::cpu);
  add("running_sum_lost", "lost data", "the last of a block's four running sums is left out", Backend::cpu);
  add("blocks_overwrite_first", "wrong index",
      "the exponentials of later blocks are put in place of the first's", Backend::cpu);
  add("estimated_reciprocal", "precision", "the scale is the machine's estimate of 1 / sum", Backend::cpu);
  add("output_tail_lost", "unhandled tail", "the last, partly filled vector of outputs is not written",
      Backend::cpu);
  add("start_taken_as_aligned", "misalignment", "y is taken to begin on a multiple of 16 bytes",
      Backend::cpu);
  add("rows_count_from_chunk", "wrong index", "outputs of every chunk of rows go to the first rows",
      Backend::cpu);
  add("cuda_unhandled_tail", "unhandled tail", "a vector that the row ends in is skipped", Backend::cuda);
  add("cuda_ignored_row_stride", "ignored stride", "rows are taken to lie side by side", Backend::cuda);
  add("cuda_no_maximum", "formula", "exp is taken of the logits as they are", Backend::cuda);
  add("cuda_lost_vector", "lost tile", "a thread's last vector is left out of the sum", Backend::cuda);
  add("cuda_half_precision_sum", "low-precision accumulator", "a thread's sum is rounded to binary16",
      Backend::cuda);
  add("cuda_missing_barrier", "missing barrier", "warps read each other's results before they are there",
      Backend::cuda);
  add("cuda_lost_peer", "lost tile", "the last block of a cluster is left out of the sum", Backend::cuda);
  add("cuda_masked_part_shifted", "special value",
      "a block's part that is masked whole is shifted by its maximum, -Inf", Backend::cuda);
  add("cuda_masked_tile_shifted", "special value",
      "the first tiles, masked whole, of a row that is walked twice are shifted by -Inf", Backend::cuda);
  add("cuda_sum_not_rescaled", "formula", "the running sum is not rescaled where the maximum grows",
      Backend::cuda);
  add("cuda_peers_not_rescaled", "formula", "the sums of a cluster are added as they are", Backend::cuda);
  add("cuda_stale_row", "stale state", "of the rows that are streamed through a cluster only the first comes",
      Backend::cuda);
  add("cuda_aligned_by_columns", "ignored stride",
      "rows are taken to be aligned where they would be side by side", Backend::cuda);
}

}  // namespace

void describe_softmax(Suite& suite) {
  suite.calls([] { return draw(9, 16385).arguments(); });
  suite.property({"matches_reference", "agrees with the reference within its bound, whatever shape and type",
                  matches_reference, 100});
  suite.property({"matches_reference_at_every_tile_edge", "agrees around every size that a body is cut at",
                  matches_reference_at_every_edge, 1});
  suite.property(
      {"long_rows", "agrees for rows longer than a block or a cluster of threads holds", long_rows, 1});
  suite.property({"masked_parts_of_long_rows", "agrees where all that a block or a thread holds is -Inf",
                  masked_parts_of_long_rows, 1});
  suite.property({"equal_logits_share_equally",
                  "n equal logits give n equal probabilities within the bound of 1/n",
                  equal_logits_share_equally, 40});
  suite.property({"invariant_under_shift",
                  "adding a constant to a row changes no bit where the addition is exact",
                  invariant_under_shift, 60});
  suite.property({"follows_a_permutation_of_columns", "permuted logits give permuted probabilities",
                  follows_a_permutation_of_columns, 40});
  suite.property({"rows_sum_to_one",
                  "rows sum to one within the sum of the bounds, no element outside [0, 1]", rows_sum_to_one,
                  60});
  suite.property({"infinities_and_nan",
                  "NaN and infinities have the contract's effect, and on their own row alone",
                  infinities_and_nan, 80});
  suite.property({"any_scale", "agrees from subnormal logits to differences that overflow", any_scale, 80});
  suite.property({"probabilities_down_to_the_smallest", "agrees through subnormal probabilities to zero",
                  probabilities_down_to_the_smallest, 1});
  suite.property(
      {"many_long_rows", "a long row has the same bits among more rows than run at once", many_long_rows, 1});
  suite.property({.name = "independent_of_threads",
                  .summary = "any number of threads gives the same bits",
                  .body = independent_of_threads,
                  .cases = 20,
                  .backends = {Backend::cpu}});
  suite.property({"every_class_of_numbers",
                  "agrees for every class of numbers, off the alignment, with rows apart, around the tiles",
                  every_class_of_numbers, 400});
  suite.property({.name = "strided_rows",
                  .summary = "rows that lie apart, at any alignment, give the bits of rows side by side",
                  .body = strided_rows,
                  .cases = 60,
                  .backends = {Backend::cpu, Backend::cuda},
                  .negative_control = strided_rows_control});
  describe_mutants(suite);
}

}  // namespace assay::validation::dense
