#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "engine/tensors/half.hpp"
#include "validation/all_of.hpp"
#include "validation/blocks/encoding_error.hpp"
#include "validation/blocks/rows.hpp"
#include "validation/blocks/special_blocks.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"
#include "validation/threads.hpp"

namespace assay::validation::quant {

namespace {

constexpr const char* operation = "quant.quantize";

Tensor blocks_of(Probe& probe, const HostArguments& arguments, const Placements& placements = {}) {
  return std::move(probe.run(operation, arguments, placements).at("blocks"));
}

/// What blocks decode to, by the reference.
std::vector<double> decoded(Probe& probe, const Rows& rows, const Tensor& blocks) {
  HostArguments arguments;
  arguments.inputs.emplace("blocks", blocks.clone());
  arguments.parameters.emplace("format", std::string(rows.layout().name));
  arguments.parameters.emplace("columns", rows.columns());
  const auto outputs = probe.reference("quant.dequantize", arguments);
  const auto values = outputs.at("values").as<double>();
  return {values.begin(), values.end()};
}

void matches_reference(Probe& probe) {
  const Rows rows = draw_rows(4, 2600);
  const Placement from{*integers(0, 20, "values off the alignment"), *integers(0, 40, "values between rows")};
  const Placement to{.offset = *integers(0, 20, "blocks off the alignment")};
  probe.expect_reference(operation, rows.arguments(), {{"values", from}, {"blocks", to}});
}

void every_kind_of_numbers(Probe& probe) {
  for (const Rows& rows : *all_of(rows_of_every_kind(4096, probe.seed()), simpler_rows).as("rows"))
    probe.expect_reference(operation, rows.arguments());
}

/// Each value that is decoded lies within the bound of the element that was encoded. The negative control
/// holds blocks to other elements.
void compare_decoded(Probe& probe, const Rows& rows, const Rows& encoded) {
  const std::vector<double> elements = rows.values();
  const Tensor blocks = blocks_of(probe, encoded.arguments());
  const std::vector<double> values = decoded(probe, rows, blocks);
  const auto length = static_cast<std::size_t>(rows.layout().length);
  double worst = 0;
  for (std::size_t at = 0; at < elements.size(); at += length) {
    const std::span<const double> block(elements.data() + at, length);
    const std::uint8_t* const bytes =
        blocks.as<std::uint8_t>().data() + at / length * static_cast<std::size_t>(rows.layout().bytes);
    const std::vector<double> allowed = encoding_error(rows.format, block, bytes);
    for (std::size_t i = 0; i < length; ++i) {
      const double error = std::fabs(values[at + i] - block[i]);
      if (error == 0) continue;
      worst = std::max(worst, allowed[i] > 0 ? error / allowed[i] : std::numeric_limits<double>::infinity());
    }
  }
  probe.expect_within("error of decoded elements, as a share of what is proven", worst, 1);
}

void decodes_within_the_proven_error(Probe& probe) {
  Rows rows = draw_rows(3, 4000, ordinary_row_numbers);
  rows.exponent = static_cast<int>(*integers(-6, 4, "exponent"));
  compare_decoded(probe, rows, rows);
}

void decodes_to_something_else(Probe& probe) {
  const Rows rows;
  Rows other = rows;
  other.seed = 1;
  compare_decoded(probe, rows, other);
}

void every_kind_decodes_within_the_proven_error(Probe& probe) {
  for (const Rows& rows :
       *all_of(rows_of_every_kind(8192, probe.seed(), ordinary_row_numbers), simpler_rows).as("rows"))
    compare_decoded(probe, rows, rows);
}

/// What was decoded, encoded: the bytes that it was decoded from, where that is proven.
void encodes_again_to_the_same_bytes(Probe& probe) {
  const Rows rows = draw_rows(3, 3000);
  const std::vector<double> elements = rows.values();
  const Tensor once = blocks_of(probe, rows.arguments());
  const std::vector<double> values = decoded(probe, rows, once);
  const Tensor twice = blocks_of(probe, rows.arguments_of(values));
  // Where it need not be the same, the second is taken to be the first.
  Tensor expected = once.clone();
  const auto length = static_cast<std::size_t>(rows.layout().length);
  const auto size = static_cast<std::size_t>(rows.layout().bytes);
  const auto first = expected.as<std::uint8_t>();
  const auto second = twice.as<std::uint8_t>();
  for (std::size_t block = 0; block * length < elements.size(); ++block) {
    const std::span<const double> of_block(elements.data() + block * length, length);
    if (!encodes_again_the_same(rows.format, of_block, first.data() + block * size))
      std::copy_n(second.begin() + static_cast<std::ptrdiff_t>(block * size), size,
                  first.begin() + static_cast<std::ptrdiff_t>(block * size));
  }
  probe.expect_equal("encoded once and again", twice, expected);
}

/// Blocks of other values encode to other bytes: the second time is held to those of the first.
void encodes_again_to_others(Probe& probe) {
  Rows rows;
  rows.blocks = 2;
  Rows other = rows;
  other.seed = 1;
  probe.expect_equal("encoded once and other values again", blocks_of(probe, rows.arguments()),
                     blocks_of(probe, other.arguments()));
}

/// Numbers times a power of 2 have the same codes and the scale times it, where both scales are normal in
/// binary16; other blocks are taken as they come. Not of peaks just below a power of 2, whose logarithms
/// round by their size.
void powers_of_two_change_the_scale_alone(Probe& probe) {
  const Rows rows = draw_rows(2, 2000, static_cast<int>(RowNumbers::just_below));
  Rows larger = rows;
  larger.exponent = static_cast<int>(*integers(1, 4, "exponent"));
  const BlockLayout& layout = rows.layout();
  Tensor expected = blocks_of(probe, rows.arguments());
  const Tensor scaled = blocks_of(probe, larger.arguments());
  const auto size = static_cast<std::size_t>(layout.bytes);
  for (std::size_t begin = 0; begin < expected.bytes(); begin += size) {
    const auto block = expected.as<std::uint8_t>().subspan(begin, size);
    const auto other = scaled.as<std::uint8_t>().subspan(begin, size);
    bool is_normal = true;
    const auto raise = [&](int at) {
      if (at < 0) return;
      Half half;
      std::memcpy(&half.bits, block.data() + at, sizeof half.bits);
      const float before = std::fabs(to_float(half));
      is_normal = is_normal && (before == 0 || (before >= 0x1p-14f && before <= 0x1p11f));
      const std::uint16_t raised = to_half(std::ldexp(to_float(half), larger.exponent)).bits;
      std::memcpy(block.data() + at, &raised, sizeof raised);
    };
    if (layout.scale != BlockScale::exponent)
      raise(layout.scale_at);
    else if (std::ranges::any_of(block, [](std::uint8_t byte) { return byte != 0; }))
      block[0] = static_cast<std::uint8_t>(block[0] + larger.exponent);
    raise(layout.minimum_at);
    if (!is_normal) std::ranges::copy(other, block.begin());
  }
  probe.expect_equal("numbers times a power of 2, and a scale times it", scaled, expected);
}

/// The negated numbers decode to the negated values, in formats without a minimum: what no table and no
/// reference has a part in.
void negated_numbers_decode_to_the_negated(Probe& probe) {
  Rows rows = draw_rows(2, 2000, ordinary_row_numbers);
  if (rows.layout().minimum_at >= 0) rows.format = BlockFormat::q8_0;
  std::vector<double> elements = rows.values();
  const std::vector<double> plain = decoded(probe, rows, blocks_of(probe, rows.arguments_of(elements)));
  for (double& element : elements) element = -element;
  const std::vector<double> negated = decoded(probe, rows, blocks_of(probe, rows.arguments_of(elements)));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) wrong += plain[i] != -negated[i] ? 1 : 0;
  probe.expect(wrong == 0, std::to_string(wrong) + " of " + std::to_string(plain.size()) +
                               " elements do not decode to the opposite of the negated one");
}

/// One block of other numbers: the others keep their bytes, and each has those that it has alone.
void blocks_know_nothing_of_their_neighbours(Probe& probe) {
  const Rows rows = draw_rows(3, 2000);
  std::vector<double> elements = rows.values();
  const auto length = static_cast<std::size_t>(rows.layout().length);
  const auto size = static_cast<std::size_t>(rows.layout().bytes);
  const auto changed = static_cast<std::size_t>(
      *integers(0, static_cast<std::int64_t>(elements.size() / length) - 1, "block that is changed"));
  const Tensor before = blocks_of(probe, rows.arguments());
  const auto first = elements.begin() + static_cast<std::ptrdiff_t>(changed * length);
  const std::vector<double> block(first, first + static_cast<std::ptrdiff_t>(length));
  for (std::size_t i = 0; i < length; ++i) first[static_cast<std::ptrdiff_t>(i)] = 3 - static_cast<double>(i);
  Tensor after = blocks_of(probe, rows.arguments_of(elements));
  const auto among = before.as<std::uint8_t>().subspan(changed * size, size);
  std::copy(among.begin(), among.end(),
            after.as<std::uint8_t>().begin() + static_cast<std::ptrdiff_t>(changed * size));
  probe.expect_equal("the other blocks, one of them changed and not", after, before);
  const Tensor alone = blocks_of(probe, rows.arguments_of(block, rows.layout().length));
  probe.expect_equal("a block among others and alone",
                     Tensor::from(std::vector<std::uint8_t>(among.begin(), among.end()),
                                  {1, static_cast<std::int64_t>(size)}),
                     alone);
}

void expect_special(Probe& probe, const SpecialBlock& special) {
  const BlockLayout& layout = layout_of(special.format);
  std::vector<float> values;
  for (int i = 0; i < layout.length; ++i) values.push_back(special.element(i));
  HostArguments arguments;
  arguments.inputs.emplace("values", Tensor::from(values, {1, layout.length}));
  arguments.parameters.emplace("format", std::string(layout.name));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(layout.bytes),
                                  static_cast<std::uint8_t>(special.rest));
  std::copy(special.first.begin(), special.first.end(), bytes.begin());
  probe.expect_equal(std::string(special.what) + " in " + std::string(layout.name),
                     blocks_of(probe, arguments), Tensor::from(bytes, {1, layout.bytes}));
}

void special_numbers_are_as_the_contract_says(Probe& probe) {
  for (const SpecialBlock& special : special_blocks()) expect_special(probe, special);
}

/// Wherever values and blocks begin and the rows lie. The negative control gives the displaced call others.
void compare_placed(Probe& probe, const Rows& rows, const Rows& displaced, Placement from,
                    std::int64_t to_offset) {
  const Tensor placed =
      blocks_of(probe, displaced.arguments(), {{"values", from}, {"blocks", {.offset = to_offset}}});
  probe.expect_equal("displaced and aligned", placed, blocks_of(probe, rows.arguments()));
}

void wherever_they_lie(Probe& probe) {
  const Rows rows = draw_rows(4, 5000);
  const Placement from{*integers(0, 7, "values off the alignment"), *integers(0, 40, "values between rows")};
  compare_placed(probe, rows, rows, from, *integers(0, 20, "blocks off the alignment"));
}

void wherever_they_lie_control(Probe& probe) {
  Rows rows;
  rows.rows = 2;
  Rows other = rows;
  other.seed = 1;
  compare_placed(probe, rows, other, {3, 7}, 1);
}

// More than one chunk for each worker and more than one tile for each block of threads.
void long_rows_have_the_bytes_of_their_parts(Probe& probe) {
  std::vector<Rows> list = rows_of_every_kind(50 * 4096 + 256, probe.seed(), 1);
  for (const Rows& rows : *all_of(std::move(list), simpler_rows).as("rows")) {
    const Tensor together = blocks_of(probe, rows.arguments());
    const std::vector<double> elements = rows.values();
    std::vector<std::uint8_t> apart;
    for (std::int64_t begin = 0; begin < rows.columns(); begin += 16384) {
      const std::int64_t end = std::min<std::int64_t>(begin + 16384, rows.columns());
      const Tensor part = blocks_of(
          probe, rows.arguments_of({elements.begin() + begin, elements.begin() + end}, end - begin));
      const auto bytes = part.as<std::uint8_t>();
      apart.insert(apart.end(), bytes.begin(), bytes.end());
    }
    probe.expect_equal("a row and its parts", together, Tensor::from(apart, {1, std::ssize(apart)}));
  }
}

void independent_of_threads(Probe& probe) {
  expect_same_on_any_threads(probe, operation, draw_rows(20, 3000).arguments());
}

void refuses_bad_arguments(Probe& probe) {
  Rows rows;
  rows.rows = 2;
  rows.blocks = 2;
  const auto with = [&](const char* format, Tensor values) {
    HostArguments made;
    made.inputs.emplace("values", std::move(values));
    made.parameters.emplace("format", std::string(format));
    return made;
  };
  const auto floats = [](Shape shape) { return Tensor(DType::f32, std::move(shape)); };
  expect_refused(probe, operation, with("Q4_0", floats({2, 63})), "values", "half a block");
  expect_refused(probe, operation, with("Q4_K", floats({2, 64})), "values", "a quarter of a block of 256");
  expect_refused(probe, operation, with("Q6_K", floats({2, 288})), "values", "a block of 256 and 32");
  expect_refused(probe, operation, with("Q4_0", floats({64})), "values", "one row as a vector");
  expect_refused(probe, operation, with("Q5_K", floats({2, 256})), "format", "a format that is decoded only");
  expect_refused(probe, operation, with("F16", floats({2, 64})), "format", "a format without blocks");
  expect_refused(probe, operation, with("Q4_0", Tensor(DType::f64, {2, 64})), "values", "doubles");
}

void accepts_good_arguments(Probe& probe) {
  expect_refused(probe, operation, Rows().arguments(), "values", "a legal call");
}

void describe_mutants(Suite& suite) {
  const auto add = [&](const char* id, const char* fault_class, const char* what,
                       Backend backend = Backend::cpu) {
    suite.mutant({std::string("quant.quantize.") + id, fault_class, what, backend});
  };
  add("last_of_equals", "strictness",
      "of two elements of the largest magnitude the later one gives the sign");
  add("sign_of_peak_lost", "sign", "the scale is made of the peak's magnitude");
  add("rounded_down", "rounding", "codes are cut off, not rounded");
  add("top_code_not_cut", "overflow", "a code above the largest loses its highest bit");
  add("q8_0_ties_to_even", "rounding", "ties of Q8_0 go to even");
  add("scale_of_one_level_more", "formula", "the range is divided by one level more");
  add("minimum_not_stored", "missing offset", "the stored minimum is 0");
  add("fifth_bits_swapped", "high bits", "the fifth bits of both halves change places");
  add("halves_swapped", "nibble order", "the first half of the codes goes to the high bits");
  add("mxfp4_scale_of_six", "formula", "peaks above 6 take the next exponent");
  add("mxfp4_log_not_rounded", "rounding", "the logarithm is exact");
  add("mxfp4_ties_away", "strictness", "of two levels as near the larger is taken");
  add("search_ends_early", "off by one", "the last trial is left out");
  add("search_starts_over", "formula", "every trial begins at the least element");
  add("weights_missing", "formula", "all elements weigh the same in the fits");
  add("positive_minimum_kept", "missing case", "a minimum above 0 is left as it is");
  add("codes_of_the_search", "formula", "codes are those of the search, not of the stored scales");
  add("scale_not_narrowed", "precision", "codes are made by a part's scale before it is narrowed");
  add("q4_k_high_bits_lost", "high bits", "the last four scales and minima have four bits");
  add("q6_k_scale_of_127", "formula", "the largest scale is -127");
  add("q6_k_small_parts_kept", "missing case", "parts below 1e-15 have a scale");
  add("ignored_row_stride", "ignored stride", "rows are taken to lie side by side");
  add("rows_begin_again", "wrong index", "every row encodes the first one's values");
  add("lost_chunk_end", "off by one", "the last block of each whole chunk is not encoded");
  add("cuda_missing_barrier", "missing barrier", "bytes leave before they are there", Backend::cuda);
  add("cuda_head_lost", "misalignment", "bytes before the first multiple of 16 do not leave", Backend::cuda);
  add("cuda_tail_lost", "unhandled tail", "bytes after the last 16 whole ones do not leave", Backend::cuda);
  add("cuda_rows_begin_again", "wrong index", "every row encodes the first one's values", Backend::cuda);
  add("cuda_last_block_lost", "off by one", "the last block of a tile is not encoded", Backend::cuda);
  add("cuda_half_of_the_extent", "missing reduction", "extents are those of sixteen elements", Backend::cuda);
  add("cuda_later_first", "wrong order", "of equal extents the later thread's is taken", Backend::cuda);
  add("cuda_fifth_bits_of_half", "missing reduction", "the fifth bits of sixteen elements are lost",
      Backend::cuda);
  add("cuda_scale_of_half_the_parts", "missing reduction", "half of the parts share a scale", Backend::cuda);
  add("cuda_high_bits_of_half", "missing reduction", "high bits of two quarters are lost", Backend::cuda);
  add("cuda_taken_as_aligned", "misalignment", "values are taken to begin on a multiple of 16 bytes",
      Backend::cuda);
  add("cuda_ignored_row_stride", "ignored stride", "rows are taken to lie side by side", Backend::cuda);
}

}  // namespace

void describe_quantize(Suite& suite) {
  suite
      .property(
          {.name = "matches_reference",
           .summary =
               "Rows of every format, of any numbers and wherever they lie, have the reference's bytes.",
           .body = matches_reference,
           .cases = 200})
      .property({.name = "every_kind_of_numbers",
                 .summary = "Every format with every kind of numbers, special ones among them.",
                 .body = every_kind_of_numbers,
                 .cases = 1})
      .property({.name = "decodes_within_the_proven_error",
                 .summary = "Every element decodes to what lies within the format's proven bound of it.",
                 .body = decodes_within_the_proven_error,
                 .cases = 150,
                 .negative_control = decodes_to_something_else})
      .property({.name = "every_kind_decodes_within_the_proven_error",
                 .summary = "The same of every format with every kind of ordinary numbers.",
                 .body = every_kind_decodes_within_the_proven_error,
                 .cases = 1,
                 .negative_control = decodes_to_something_else})
      .property({.name = "encodes_again_to_the_same_bytes",
                 .summary = "What was decoded encodes to the bytes it came from, where that is proven.",
                 .body = encodes_again_to_the_same_bytes,
                 .cases = 150,
                 .negative_control = encodes_again_to_others})
      .property({.name = "powers_of_two_change_the_scale_alone",
                 .summary = "Numbers times a power of 2 have the same codes and the scale times it.",
                 .body = powers_of_two_change_the_scale_alone,
                 .cases = 100})
      .property({.name = "negated_numbers_decode_to_the_negated",
                 .summary = "Numbers of the opposite sign decode to the opposite values.",
                 .body = negated_numbers_decode_to_the_negated,
                 .cases = 100})
      .property({.name = "blocks_know_nothing_of_their_neighbours",
                 .summary = "A changed block changes no other, and each has its bytes alone.",
                 .body = blocks_know_nothing_of_their_neighbours,
                 .cases = 150})
      .property({.name = "special_numbers_are_as_the_contract_says",
                 .summary = "Zeros, NaN, infinities and extreme scales, worked out by hand.",
                 .body = special_numbers_are_as_the_contract_says,
                 .cases = 1})
      .property({.name = "wherever_they_lie",
                 .summary = "Alignment and stride do not change a byte.",
                 .body = wherever_they_lie,
                 .cases = 150,
                 .negative_control = wherever_they_lie_control})
      .property({.name = "long_rows_have_the_bytes_of_their_parts",
                 .summary = "Two hundred thousand values together and in parts, each format.",
                 .body = long_rows_have_the_bytes_of_their_parts,
                 .cases = 1})
      .property({.name = "independent_of_threads",
                 .summary = "One, two, three and five threads give the same bytes.",
                 .body = independent_of_threads,
                 .cases = 20,
                 .backends = {Backend::cpu}})
      .property({.name = "refuses_bad_arguments",
                 .summary = "Formats and values that do not fit are refused by name.",
                 .body = refuses_bad_arguments,
                 .cases = 1,
                 .negative_control = accepts_good_arguments})
      .calls([] { return draw_rows(5, 2000).arguments(); });
  describe_mutants(suite);
}

}  // namespace assay::validation::quant
