#include "benchmarks/blocks/matrix.hpp"
#include "benchmarks/suite.hpp"

namespace assay::benchmarks::quant {

namespace {

HostArguments arguments(BlockFormat format, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Philox random(seed);
  HostArguments made;
  made.inputs.emplace("blocks", blocks::matrix(format, rows, columns, random));
  made.parameters.emplace("format", std::string(layout_of(format).name));
  made.parameters.emplace("columns", columns);
  return made;
}

void add(Suite& suite, BlockFormat format, std::int64_t rows, std::int64_t columns, bool quick) {
  Case item;
  item.label = "rows=" + std::to_string(rows) + ",columns=" + std::to_string(columns) + "," +
               std::string(layout_of(format).name);
  item.size = static_cast<double>(rows * columns);
  item.size_name = "elements";
  item.make = [=](std::uint64_t seed) { return arguments(format, rows, columns, seed); };
  // The reference decodes single elements. Blocks are decoded alike and apart: a few rows stand for all.
  item.check_with = [=](std::uint64_t seed) { return arguments(format, 7, columns, seed); };
  item.quick = quick;
  suite.add(std::move(item));
}

}  // namespace

void describe_dequantize(Suite& suite) {
  for (const BlockFormat format : {BlockFormat::f16, BlockFormat::q4_0, BlockFormat::q8_0, BlockFormat::q4_k,
                                   BlockFormat::q6_k, BlockFormat::mxfp4}) {
    add(suite, format, 4096, 14336, true);  // a feed-forward matrix of Llama 3 8B
    // An expert's matrices of GPT-OSS are 2880 wide, which no block of 256 fills: rows of 11 blocks instead.
    add(suite, format, 5760, layout_of(format).length == 256 ? 2816 : 2880, false);
  }
}

}  // namespace assay::benchmarks::quant
