#include "benchmarks/blocks/matrix.hpp"
#include "benchmarks/peers/cublas.hpp"
#include "benchmarks/suite.hpp"
#include "engine/tensors/half.hpp"

namespace assay::benchmarks::dense {

namespace {

struct Size {
  BlockFormat format;
  std::int64_t rows, columns, batch;
  DType x = DType::f16;
  bool quick = false;
};

HostArguments arguments(const Size& size, std::int64_t rows, std::uint64_t seed) {
  Philox random(seed);
  HostArguments made;
  made.inputs.emplace("weights", blocks::matrix(size.format, rows, size.columns, random));
  Tensor x(size.x, {size.batch, size.columns});
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    const auto value = static_cast<float>(random.normal());
    if (size.x == DType::f16)
      x.as<Half>()[static_cast<std::size_t>(i)] = to_half(value);
    else
      x.as<float>()[static_cast<std::size_t>(i)] = value;
  }
  made.inputs.emplace("x", std::move(x));
  made.parameters.emplace("format", std::string(layout_of(size.format).name));
  return made;
}

void add(Suite& suite, const Size& size) {
  Case item;
  item.label = "rows=" + std::to_string(size.rows) + ",columns=" + std::to_string(size.columns) +
               ",batch=" + std::to_string(size.batch) + "," + std::string(layout_of(size.format).name) + "," +
               std::string(name_of(size.x));
  item.size = static_cast<double>(size.rows * size.columns);
  item.size_name = "weights";
  item.make = [=](std::uint64_t seed) { return arguments(size, size.rows, seed); };
  // The reference decodes single elements. Rows are computed alike and apart: a few stand for all.
  item.check_with = [=](std::uint64_t seed) { return arguments(size, 37, seed); };
  item.quick = size.quick;
  if (size.format == BlockFormat::f16 && size.x == DType::f16) suite.peer(peers::cublas_gemv(item.label));
  suite.add(std::move(item));
}

}  // namespace

void describe_gemv(Suite& suite) {
  for (const BlockFormat format : {BlockFormat::f16, BlockFormat::q4_0, BlockFormat::q8_0, BlockFormat::q4_k,
                                   BlockFormat::q6_k, BlockFormat::mxfp4}) {
    // An expert's matrices of GPT-OSS are 2880 wide, which no block of 256 fills: rows of 11 blocks instead.
    const std::int64_t width = layout_of(format).length == 256 ? 2816 : 2880;
    // Feed-forward matrices of Llama 3 8B, down and up.
    add(suite, {format, 4096, 14336, 1, DType::f16, true});
    add(suite, {format, 4096, 14336, 1, DType::f32});
    add(suite, {format, 14336, 4096, 1});
    add(suite, {format, 5760, width, 1, DType::f16});
    add(suite, {format, 23040, width, 1});  // the four experts of a token of GPT-OSS
    for (const std::int64_t batch : {2, 4, 8}) add(suite, {format, 4096, 14336, batch});
  }
}

}  // namespace assay::benchmarks::dense
