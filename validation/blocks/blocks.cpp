#include "validation/blocks/blocks.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <string>

#include <rapidcheck.h>

#include "engine/tensors/half.hpp"
#include "validation/generators.hpp"

namespace assay::validation {

namespace {

constexpr std::array names = {"random",      "ordinary", "special scales", "every scale", "every byte",
                              "single bits", "counted",  "trained",        "grid"};

constexpr std::array<std::uint16_t, 16> special_halves = {0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF,
                                                          0x0400, 0x8400, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF,
                                                          0x7C00, 0xFC00, 0x7E00, 0x7C01};
constexpr std::array<std::uint32_t, 16> special_floats = {
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x807FFFFF, 0x00800000, 0x80800000,
    0x3F800000, 0xBF800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001};
constexpr std::array<std::uint8_t, 8> special_exponents = {0, 1, 2, 3, 127, 252, 254, 255};

template <typename Number>
void put(double* bytes, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) bytes[i] = static_cast<double>(number >> 8 * i & 0xFF);
}

}  // namespace

Tensor Blocks::tensor() const {
  const std::vector<double> held = values();
  return Tensor::from(std::vector<std::uint8_t>(held.begin(), held.end()), {rows, bytes_of_row()});
}

HostArguments Blocks::arguments_of(Tensor tensor) const {
  HostArguments made;
  const std::int64_t elements = tensor.shape()[1] / layout().bytes * layout().length;
  made.inputs.emplace("blocks", std::move(tensor));
  made.parameters.emplace("format", std::string(layout().name));
  made.parameters.emplace("columns", elements);
  return made;
}

void Blocks::put_number(double* block, Philox& random) const {
  const float value = contents == Contents::grid ? static_cast<float>(static_cast<int>(random.below(17)) - 8)
                                                 : 2 * random.uniform_float() - 1;
  if (format == BlockFormat::f32) put(block, detail::bits_of(value));
  if (format == BlockFormat::f16) put(block, to_half(value).bits);
  if (format == BlockFormat::bf16) put(block, to_bfloat16(value).bits);
}

void Blocks::put_scales(double* block, std::int64_t index, Philox& random) const {
  const auto half = [&](bool minimum) -> std::uint16_t {
    switch (contents) {
      case Contents::ordinary:
      case Contents::trained:
        return static_cast<std::uint16_t>(0x1400 + random.below(0x1000));
      case Contents::special_scales:
        return special_halves[random.below(special_halves.size())];
      case Contents::every_scale:  // of 64 numbers in a row one, and every sign and exponent; minima run
                                   // apart
        return static_cast<std::uint16_t>((index * (minimum ? 23 : 64) + (minimum ? 0x7000 : 0)) % 65536 +
                                          static_cast<std::int64_t>(random.below(minimum ? 1 : 64)));
      default:
        return minimum ? 0x3A00 : 0x3C00;
    }
  };
  const auto single = [&]() -> std::uint32_t {
    switch (contents) {
      case Contents::ordinary:
      case Contents::trained:
        return static_cast<std::uint32_t>(0x3A800000 + random.below(0x02000000));
      case Contents::special_scales:
        return special_floats[random.below(special_floats.size())];
      case Contents::every_scale:
        return static_cast<std::uint32_t>(index) << 22 | static_cast<std::uint32_t>(random.below(1 << 22));
      default:
        return 0x3F800000;
    }
  };
  const auto exponent = [&]() -> std::uint8_t {
    switch (contents) {
      case Contents::ordinary:
      case Contents::trained:
        return static_cast<std::uint8_t>(117 + random.below(5));
      case Contents::special_scales:
        return special_exponents[random.below(special_exponents.size())];
      case Contents::every_scale:
        return static_cast<std::uint8_t>(index);
      default:
        return 127;
    }
  };
  if (layout().scale == BlockScale::binary16) put(block + layout().scale_at, half(false));
  if (layout().scale == BlockScale::binary32) put(block + layout().scale_at, single());
  if (layout().scale == BlockScale::exponent) put(block + layout().scale_at, exponent());
  if (layout().minimum_at >= 0) put(block + layout().minimum_at, half(true));
}

std::vector<double> Blocks::values() const {
  std::vector<double> made(static_cast<std::size_t>(bytes()));
  Philox random(seed);
  const auto size = static_cast<std::size_t>(layout().bytes);
  for (std::size_t index = 0; index * size < made.size(); ++index) {
    double* const block = made.data() + index * size;
    for (std::size_t byte = 0; byte < size; ++byte) {
      constexpr int grounds[] = {0x00, 0xFF, 0xA5};
      const std::size_t bit = index % (8 * size);
      const int ground = grounds[index / (8 * size) % 3];
      switch (contents) {
        case Contents::every_byte:
          block[byte] = static_cast<double>((index + 37 * byte) % 256);
          break;
        case Contents::single_bits:
          block[byte] = bit / 8 == byte ? ground ^ 1 << bit % 8 : ground;
          break;
        case Contents::counted:
          block[byte] = static_cast<double>((index * size + byte) / 2 >> 8 * (byte % 2) & 0xFF);
          break;
        default:
          block[byte] = static_cast<double>(random.below(256));
      }
    }
    if (contents != Contents::random && contents != Contents::counted)
      put_scales(block, static_cast<std::int64_t>(index), random);
    if (contents == Contents::grid || contents == Contents::trained) put_number(block, random);
  }
  kept.apply(made);
  return made;
}

std::ostream& operator<<(std::ostream& out, const Blocks& blocks) {
  out << blocks.rows << " rows of " << blocks.blocks << " blocks of " << blocks.layout().name << ", "
      << names[static_cast<std::size_t>(blocks.contents)] << ", seed " << blocks.seed;
  if (blocks.kept.only) out << ", bytes that are not 0: " << blocks.kept;
  return out;
}

std::vector<Blocks> simpler_blocks(const Blocks& blocks) {
  std::vector<Blocks> made;
  if (!blocks.kept.only)
    for (std::int64_t step = blocks.blocks - 1; step > 0; step /= 2) {
      made.push_back(blocks);
      made.back().blocks -= step;
    }
  for (auto& only : fewer(held_by(blocks.values()))) {
    made.push_back(blocks);
    made.back().kept.only = std::move(only);
  }
  return made;
}

Blocks draw_blocks(std::int64_t most_rows, std::int64_t most_elements, std::vector<Contents> of) {
  if (of.empty()) of = {Contents::random, Contents::ordinary, Contents::special_scales};
  Blocks blocks;
  blocks.format =
      block_layouts[static_cast<std::size_t>(*integers(0, std::ssize(block_layouts) - 1, "format"))].format;
  blocks.rows = *integers(1, most_rows, "rows");
  blocks.blocks =
      *integers(1, std::max<std::int64_t>(1, most_elements / blocks.layout().length), "blocks of a row");
  blocks.contents = of[static_cast<std::size_t>(*integers(0, std::ssize(of) - 1, "contents"))];
  blocks.seed = static_cast<std::uint64_t>(*integers(0, std::int64_t{1} << 40, "seed"));
  blocks.kept = *kept_of(blocks.bytes()).as("bytes that are not 0");
  return blocks;
}

std::vector<Blocks> blocks_of_every_format(Contents contents, std::uint64_t seed,
                                           const std::function<std::int64_t(const BlockLayout&)>& count) {
  std::vector<Blocks> made;
  for (const BlockLayout& layout : block_layouts) {
    Blocks blocks;
    blocks.format = layout.format;
    blocks.blocks = count(layout);
    blocks.contents = contents;
    blocks.seed = seed;
    made.push_back(blocks);
  }
  return made;
}

}  // namespace assay::validation
