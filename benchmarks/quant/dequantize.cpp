#include "benchmarks/blocks/element_cases.hpp"
#include "benchmarks/blocks/matrix.hpp"

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

}  // namespace

void describe_dequantize(Suite& suite) {
  for (const BlockFormat format : {BlockFormat::f16, BlockFormat::q4_0, BlockFormat::q8_0, BlockFormat::q4_k,
                                   BlockFormat::q6_k, BlockFormat::mxfp4})
    blocks::add_element_cases(suite, format, 7, true, arguments);
}

}  // namespace assay::benchmarks::quant
