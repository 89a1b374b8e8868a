#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "validation/all_of.hpp"
#include "validation/blocks/blocks.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"

namespace assay::validation::quant {

namespace {

constexpr const char* operation = "quant.dequantize";

/// Floats with one NaN for all of them.
template <typename Number>
Tensor canonical(const Tensor& tensor) {
  std::vector<float> made;
  for (const Number number : tensor.as<Number>())
    made.push_back(std::isnan(number) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(number));
  return Tensor::from(made, tensor.shape());
}

/// The reference's numbers and then its bits, which tell -0 from 0.
void expect_bits(Probe& probe, const HostArguments& arguments, const Placements& placements = {}) {
  const auto outputs = probe.expect_reference(operation, arguments, placements);
  const auto expected = probe.reference(operation, arguments);
  const Tensor& values = outputs.at("values");
  probe.expect_equal("bits of the values and of the reference",
                     values.dtype() == DType::f64 ? canonical<double>(values) : canonical<float>(values),
                     canonical<double>(expected.at("values")));
}

void matches_reference(Probe& probe) {
  const Blocks blocks = draw_blocks(5, 9000);
  const Placement from{*integers(0, 20, "bytes off the alignment"), *integers(0, 40, "bytes between rows")};
  const Placement to{.offset = *integers(0, 15, "values off the alignment")};
  expect_bits(probe, blocks.arguments(), {{"blocks", from}, {"values", to}});
}

void walk(Probe& probe, std::vector<Blocks> list) {
  for (const Blocks& blocks : *all_of(std::move(list), simpler_blocks).as("blocks"))
    expect_bits(probe, blocks.arguments());
}

void every_code_of_every_position(Probe& probe) {
  walk(probe, blocks_of_every_format(Contents::every_byte, 0, [](const BlockLayout&) { return 256; }));
}

void every_bit_alone(Probe& probe) {
  walk(probe, blocks_of_every_format(Contents::single_bits, 0,
                                     [](const BlockLayout& layout) { return 3 * 8 * layout.bytes; }));
}

// 1,024 blocks go once through all signs, exponents and upper fractions; minima go through them in another
// order.
void every_scale(Probe& probe) {
  walk(probe, blocks_of_every_format(Contents::every_scale, probe.seed(), [](const BlockLayout& layout) {
         return layout.length == 256 ? 1024 : 4096;
       }));
}

void every_number_of_sixteen_bits(Probe& probe) {
  std::vector<Blocks> list;
  for (const BlockFormat format : {BlockFormat::f16, BlockFormat::bf16}) {
    Blocks blocks;
    blocks.format = format;
    blocks.blocks = 65536;
    blocks.contents = Contents::counted;
    list.push_back(blocks);
  }
  walk(probe, list);
}

/// One block with all of its bytes changed: the others keep their bits, and each has those that it has alone.
void blocks_know_nothing_of_their_neighbours(Probe& probe) {
  const Blocks blocks = draw_blocks(3, 2000);
  const auto size = static_cast<std::size_t>(blocks.layout().bytes);
  const auto length = static_cast<std::size_t>(blocks.layout().length);
  const Tensor tensor = blocks.tensor();
  const auto count = static_cast<std::int64_t>(tensor.bytes() / size);
  const auto changed = static_cast<std::size_t>(*integers(0, count - 1, "block that is changed"));
  const auto before = probe.run(operation, blocks.arguments());

  Tensor other = tensor.clone();
  for (std::size_t byte = 0; byte < size; ++byte) other.as<std::uint8_t>()[changed * size + byte] ^= 0xFF;
  const auto after = probe.run(operation, blocks.arguments_of(other.clone()));
  const auto without_block = [&](const Tensor& values) {
    Tensor rest = values.clone();
    clear_elements(rest, changed * length, length);
    return rest;
  };
  probe.expect_equal("the other blocks, one of them changed and not", without_block(after.at("values")),
                     without_block(before.at("values")));

  const auto bytes = tensor.as<std::uint8_t>().subspan(changed * size, size);
  const auto alone = probe.run(
      operation, blocks.arguments_of(Tensor::from(std::vector<std::uint8_t>(bytes.begin(), bytes.end()),
                                                  {1, std::ssize(bytes)})));
  probe.expect_equal("a block among others and alone",
                     elements_of(before.at("values"), changed * length, length), alone.at("values"));
}

/// Values of the opposite sign, where every number that they are multiples of has it: what no table or
/// reference has a part in. Equal as numbers, since a sum that is 0 is +0 both times.
void negated_scales_negate_the_values(Probe& probe) {
  const Blocks blocks = draw_blocks(3, 3000, {Contents::ordinary});
  const BlockLayout& layout = blocks.layout();
  Tensor negated = blocks.tensor();
  const auto bytes = negated.as<std::uint8_t>();
  for (std::size_t at = 0; at < bytes.size(); at += static_cast<std::size_t>(layout.bytes)) {
    const auto turn = [&](int byte) { bytes[at + static_cast<std::size_t>(byte)] ^= 0x80; };
    if (layout.scale == BlockScale::none) turn(layout.bytes - 1);
    if (layout.scale == BlockScale::binary16) turn(layout.scale_at + 1);
    if (layout.scale == BlockScale::binary32) turn(layout.scale_at + 3);
    if (layout.minimum_at >= 0) turn(layout.minimum_at + 1);
    if (layout.scale == BlockScale::exponent)  // without a sign of its own: that of each code
      for (int code = 1; code < layout.bytes; ++code) bytes[at + static_cast<std::size_t>(code)] ^= 0x88;
  }
  const auto plain = probe.run(operation, blocks.arguments());
  const auto turned = probe.run(operation, blocks.arguments_of(std::move(negated)));
  const auto left = floats_of(plain.at("values")), right = floats_of(turned.at("values"));
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (std::isnan(left[i]) && std::isnan(right[i])) continue;  // F32, F16, BF16: any number
    probe.expect(left[i] == -right[i], "element " + std::to_string(i) + " is " + std::to_string(left[i]) +
                                           " and " + std::to_string(right[i]) +
                                           ", expected opposite numbers");
  }
}

// Wherever blocks and values begin and the rows lie, the bits are those on the natural alignment. The
// negative control gives the displaced call other blocks.
void compare_placed(Probe& probe, const Blocks& blocks, const Blocks& displaced, Placement from,
                    std::int64_t to_offset) {
  const auto placed =
      probe.run(operation, displaced.arguments(), {{"blocks", from}, {"values", {.offset = to_offset}}});
  const auto aligned = probe.run(operation, blocks.arguments());
  probe.expect_equal("displaced and aligned", placed.at("values"), aligned.at("values"));
}

void wherever_they_lie(Probe& probe) {
  const Blocks blocks = draw_blocks(4, 5000);
  const Placement from{*integers(0, 20, "bytes off the alignment"), *integers(0, 40, "bytes between rows")};
  compare_placed(probe, blocks, blocks, from, *integers(0, 15, "values off the alignment"));
}

void wherever_they_lie_control(Probe& probe) {
  Blocks blocks;
  blocks.rows = 2;
  blocks.contents = Contents::ordinary;
  Blocks other = blocks;
  other.seed = 1;
  compare_placed(probe, blocks, other, {3, 7}, 1);
}

// Large outputs are written another way on the CPU, and are more than one tile for each block of threads on
// CUDA.
void large_outputs_have_the_bits_of_small_ones(Probe& probe) {
  std::vector<Blocks> list =
      blocks_of_every_format(Contents::random, probe.seed(), [](const BlockLayout& layout) {
        return (std::int64_t{1} << 19) / layout.length + (layout.length == 1 ? 5 : 1);
      });
  for (Blocks& blocks : list) blocks.rows = 4;
  for (const Blocks& blocks : *all_of(std::move(list), simpler_blocks).as("blocks")) {
    const Tensor tensor = blocks.tensor();
    const auto together = probe.run(operation, blocks.arguments_of(tensor.clone()));
    const auto displaced =
        probe.run(operation, blocks.arguments_of(tensor.clone()), {{"values", {.offset = 1}}});
    probe.expect_equal("large outputs on and off the alignment", displaced.at("values"),
                       together.at("values"));
    const auto columns = static_cast<std::size_t>(blocks.columns());
    const auto bytes = static_cast<std::size_t>(blocks.bytes_of_row());
    for (std::size_t row = 0; row < static_cast<std::size_t>(blocks.rows); ++row) {
      const auto of_row = tensor.as<std::uint8_t>().subspan(row * bytes, bytes);
      const auto alone = probe.run(
          operation, blocks.arguments_of(Tensor::from(std::vector<std::uint8_t>(of_row.begin(), of_row.end()),
                                                      {1, std::ssize(of_row)})));
      probe.expect_equal("a row among others and alone",
                         elements_of(together.at("values"), row * columns, columns), alone.at("values"));
    }
  }
}

void independent_of_threads(Probe& probe) {
  const Blocks blocks = draw_blocks(40, 9000);
  const HostArguments arguments = blocks.arguments();
  const auto here = probe.run(operation, arguments);
  for (const unsigned threads : {1u, 2u, 5u}) {
    Context context = Context::cpu(threads);
    const auto there = run_on_host(context, *find_operation(operation), arguments.view());
    probe.expect_equal("another number of threads", there.at("values"), here.at("values"));
  }
}

void refuses_bad_arguments(Probe& probe) {
  Blocks blocks;
  blocks.rows = 2;
  blocks.blocks = 2;
  const auto with = [&](const char* format, std::int64_t columns) {
    HostArguments made = blocks.arguments();
    made.parameters["format"] = std::string(format);
    made.parameters["columns"] = columns;
    return made;
  };
  expect_refused(probe, operation, with("Q4_0", 63), "columns", "half a block");
  expect_refused(probe, operation, with("Q4_K", 64), "columns", "a quarter of a block of 256");
  expect_refused(probe, operation, with("Q4_0", 96), "blocks", "a row that is too short");
  expect_refused(probe, operation, with("Q4_0", 32), "blocks", "a row that is too long");
  expect_refused(probe, operation, with("Q4_0", -32), "columns", "a negative number of columns");
  expect_refused(probe, operation, with("Q8_1", 64), "format", "a format that is not decoded");
  HostArguments floats = with("Q4_0", 64);
  floats.inputs.clear();
  floats.inputs.emplace("blocks", Tensor::from<float>({1, 2}, {1, 2}));
  expect_refused(probe, operation, floats, "blocks", "floats for blocks");
  HostArguments one_axis = with("Q4_0", 32);
  one_axis.inputs.clear();
  one_axis.inputs.emplace("blocks", Tensor::from(std::vector<std::uint8_t>(18), {18}));
  expect_refused(probe, operation, one_axis, "blocks", "one row as a vector");
}

void accepts_good_arguments(Probe& probe) {
  expect_refused(probe, operation, Blocks().arguments(), "columns", "a legal call");
}

void describe_mutants(Suite& suite) {
  const auto add = [&](const char* id, const char* fault_class, const char* what,
                       Backend backend = Backend::cpu) {
    suite.mutant({std::string("quant.dequantize.") + id, fault_class, what, backend});
  };
  add("q4_0_offset_missing", "missing offset", "codes are taken from 0 to 15");
  add("q4_0_halves_swapped", "nibble order", "the first sixteen codes are the high halves");
  add("q4_0_neighbours_in_a_byte", "nibble order", "the two codes of a byte are taken for neighbours");
  add("q4_0_scale_sign_lost", "sign", "the scale's magnitude");
  add("q4_1_halves_swapped", "nibble order", "the first sixteen codes are the high halves");
  add("q4_1_scale_and_minimum_swapped", "wrong field", "d is read for m and m for d");
  add("q4_1_minimum_missing", "missing offset", "m is left out");
  add("q4_1_minimum_subtracted", "sign", "m is subtracted, as in the formats of 256");
  add("q5_0_halves_swapped", "nibble order", "the first sixteen codes have the high halves");
  add("q5_0_fifth_bit_lost", "high bits", "the fifth bits are left out");
  add("q5_0_fifth_bits_repeated", "high bits", "the second sixteen have the fifth bits of the first");
  add("q5_0_offset_of_four_bits", "missing offset", "8 is subtracted in place of 16");
  add("q5_1_halves_swapped", "nibble order", "the first sixteen codes have the high halves");
  add("q5_1_fifth_bits_swapped", "high bits",
      "the fifth bits of the first and of the second sixteen change places");
  add("q5_1_fifth_bit_worth_eight", "high bits", "the fifth bit is put in the fourth's place");
  add("q5_1_minimum_missing", "missing offset", "m is left out");
  add("q8_0_sign_lost", "sign", "codes are taken from 0 to 255");
  add("q8_0_codes_from_the_scale", "wrong index", "codes begin where the block does");
  add("q8_0_scale_halved", "formula", "half the scale");
  add("q8_0_second_half_repeated", "wrong index", "the second sixteen values are the first");
  add("q2_k_quarters_reversed", "high bits", "the first 32 of 128 have the highest bits");
  add("q2_k_scale_and_minimum_swapped", "nibble order", "a scale is the high half, a minimum the low one");
  add("q2_k_scale_of_neighbour", "wrong sub-block", "each sixteen have the scale of the sixteen beside them");
  add("q2_k_minimum_added", "sign", "minima are added");
  add("q3_k_high_bit_inverted", "high bits", "4 is subtracted where the high bit is set");
  add("q3_k_high_bit_of_first_plane", "high bits", "all 32 take their high bits from the lowest bit");
  add("q3_k_scale_high_bits_lost", "high bits", "scales have four bits");
  add("q3_k_scale_offset_missing", "missing offset", "scales are taken from 0 to 63");
  add("q4_k_halves_swapped", "nibble order", "the first 32 of 64 are the high halves");
  add("q4_k_scale_high_bits_lost", "high bits", "the last four scales have four bits");
  add("q4_k_scale_of_the_pair", "wrong sub-block", "both 32 of 64 have the first one's scale");
  add("q4_k_minimum_added", "sign", "minima are added");
  add("q4_k_scale_and_minimum_swapped", "wrong field", "scales are read for minima and minima for scales");
  add("q5_k_fifth_bit_lost", "high bits", "the fifth bits are left out");
  add("q5_k_fifth_bit_of_first_plane", "high bits", "all 64 take their fifth bits from the lowest two");
  add("q5_k_scale_high_bits_lost", "high bits", "the last four scales have four bits");
  add("q5_k_minimum_missing", "missing offset", "minima are left out");
  add("q6_k_offset_missing", "missing offset", "codes are taken from 0 to 63");
  add("q6_k_high_bits_lost", "high bits", "codes have four bits");
  add("q6_k_high_bits_of_first_quarter", "high bits", "all 128 take their high bits from the lowest two");
  add("q6_k_scale_of_neighbour", "wrong sub-block", "each sixteen have the scale of the sixteen beside them");
  add("q6_k_scale_sign_lost", "sign", "scales are taken from 0 to 255");
  add("q8_k_scale_of_sixteen_bits", "wrong field", "the scale is read as the upper 16 bits of a binary16");
  add("q8_k_subnormal_scale_flushed", "special value", "a subnormal scale is 0");
  add("q8_k_codes_from_the_sums", "wrong index", "codes begin 32 bytes late and run into the sums");
  add("q8_k_sign_lost", "sign", "codes are taken from 0 to 255");
  add("iq4_nl_halves_swapped", "nibble order", "the first sixteen codes are the high halves");
  add("iq4_nl_level_of_zero", "wrong table", "the ninth level is 0, not 1");
  add("iq4_nl_symmetric_levels", "wrong table", "the last level is 127, not 113");
  add("iq4_nl_linear_levels", "wrong table", "levels are code less 8");
  add("iq4_xs_halves_swapped", "nibble order", "the first sixteen codes of 32 are the high halves");
  add("iq4_xs_scale_high_bits_lost", "high bits", "scales have four bits");
  add("iq4_xs_scale_halves_swapped", "wrong sub-block", "the low halves of two scales change places");
  add("iq4_xs_scale_offset_missing", "missing offset", "scales are taken from 0 to 63");
  add("mxfp4_halves_swapped", "nibble order", "the first sixteen codes are the high halves");
  add("mxfp4_sign_lost", "sign", "codes from 8 on are those without the sign");
  add("mxfp4_subnormal_scale_flushed", "special value", "the two smallest scales are 0");
  add("mxfp4_bias_of_127", "formula", "levels are taken for numbers, of which they are twice");
  add("mxfp4_nan_of_255", "special value", "the exponent 255 gives NaN, as the format's own paper has it");
  add("mxfp4_negative_zero", "special value", "code 8 is -0");
  add("unhandled_tail", "unhandled tail", "numbers after the last whole vector are skipped");
  add("blocks_a_byte_short", "wrong index", "each block begins a byte too early for every one before it");
  add("ignored_row_stride", "ignored stride", "rows are taken to lie side by side");
  add("rows_begin_again", "wrong index", "every row reads the first one's blocks");
  add("large_taken_as_aligned", "misalignment", "large outputs are taken to begin on a multiple of a vector");
  add("lost_chunk_end", "off by one", "the last block of each whole chunk is not decoded");
  add("cuda_missing_barrier", "missing barrier", "bytes are decoded before they are there", Backend::cuda);
  add("cuda_head_lost", "misalignment", "bytes before the first multiple of 16 are not brought",
      Backend::cuda);
  add("cuda_tail_lost", "unhandled tail", "bytes after the last 16 whole ones are not brought",
      Backend::cuda);
  add("cuda_skew_ignored", "misalignment", "blocks are taken to begin on a multiple of 16", Backend::cuda);
  add("cuda_first_scale_for_all", "wrong index", "every block of a tile is the first", Backend::cuda);
  add("cuda_rows_begin_again", "wrong index", "every row reads the first one's blocks", Backend::cuda);
  add("cuda_values_out_of_order", "wrong index", "the middle two of four values change places",
      Backend::cuda);
  add("cuda_last_block_lost", "off by one", "the last block of a tile is not decoded", Backend::cuda);
  add("cuda_ignored_row_stride", "ignored stride", "rows are taken to lie side by side", Backend::cuda);
}

}  // namespace

void describe_dequantize(Suite& suite) {
  suite
      .property({.name = "matches_reference",
                 .summary = "Random blocks of every format, wherever they lie, have the reference's bits.",
                 .body = matches_reference,
                 .cases = 200})
      .property({.name = "every_code_of_every_position",
                 .summary = "Every byte of a block goes through all its values, each format.",
                 .body = every_code_of_every_position,
                 .cases = 1})
      .property({.name = "every_bit_alone",
                 .summary = "Every bit of a block turned round, before blocks of zeros, ones and both.",
                 .body = every_bit_alone,
                 .cases = 1})
      .property({.name = "every_scale",
                 .summary = "Scales and minima of every sign and exponent, infinite and NaN among them.",
                 .body = every_scale,
                 .cases = 1})
      .property({.name = "every_number_of_sixteen_bits",
                 .summary = "All binary16 and all bfloat16.",
                 .body = every_number_of_sixteen_bits,
                 .cases = 1})
      .property({.name = "blocks_know_nothing_of_their_neighbours",
                 .summary = "A changed block changes no other, and each has its bits alone.",
                 .body = blocks_know_nothing_of_their_neighbours,
                 .cases = 150})
      .property({.name = "negated_scales_negate_the_values",
                 .summary = "Scales and minima of the opposite sign give the opposite values.",
                 .body = negated_scales_negate_the_values,
                 .cases = 100})
      .property({.name = "wherever_they_lie",
                 .summary = "Alignment and stride do not change a bit.",
                 .body = wherever_they_lie,
                 .cases = 150,
                 .negative_control = wherever_they_lie_control})
      .property({.name = "large_outputs_have_the_bits_of_small_ones",
                 .summary = "Rows of two million values together and alone, each format.",
                 .body = large_outputs_have_the_bits_of_small_ones,
                 .cases = 1})
      .property({.name = "independent_of_threads",
                 .summary = "One, two and five threads give the same bits.",
                 .body = independent_of_threads,
                 .cases = 20,
                 .backends = {Backend::cpu}})
      .property({.name = "refuses_bad_arguments",
                 .summary = "Formats, columns and blocks that do not fit are refused by name.",
                 .body = refuses_bad_arguments,
                 .cases = 1,
                 .negative_control = accepts_good_arguments})
      .calls([] { return draw_blocks(6, 3000).arguments(); });
  describe_mutants(suite);
}

}  // namespace assay::validation::quant
