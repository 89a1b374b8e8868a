#include <algorithm>
#include <vector>

#include "benchmarks/suite.hpp"
#include "engine/runtime/philox.hpp"
#include "engine/tensors/half.hpp"

namespace assay::benchmarks::dense {

namespace {

struct Size {
  std::int64_t rows;
  std::int64_t columns;
  std::vector<Backend> backends;
  bool quick;
};

// Normal logits of scale 3, as attention scores and language models have them. Sums of uniforms stand in for
// normals: the draw is a small part of a run's time that way. What is drawn, 2^22 values, is repeated beyond
// that with a shift, so that no two rows are alike: the time of a draw of half a gigabyte would exceed that
// of the measurement.
template <typename Element>
Tensor logits(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Tensor x(dtype_of<Element>(), {rows, columns});
  Philox random(seed);
  const auto values = x.as<Element>();
  constexpr std::size_t drawn = (std::size_t{1} << 22) - 3;
  for (std::size_t at = 0; at < std::min(drawn, values.size()); ++at) {
    float sum = -2;
    for (int term = 0; term < 4; ++term) sum += random.uniform_float();
    values[at] = from_float<Element>(3 * 1.7320508f * sum);
  }
  for (std::size_t at = drawn; at < values.size(); ++at) values[at] = values[at - drawn];
  return x;
}

HostArguments arguments(DType type, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  HostArguments made;
  made.inputs.emplace("x", type == DType::f32   ? logits<float>(rows, columns, seed)
                           : type == DType::f16 ? logits<Half>(rows, columns, seed)
                                                : logits<BFloat16>(rows, columns, seed));
  return made;
}

}  // namespace

void describe_softmax(Suite& suite) {
  const std::vector<Backend> both = {Backend::cpu, Backend::cuda};
  const std::vector<Backend> cuda = {Backend::cuda};
  const std::vector<Size> sizes = {
      {1024, 1024, both, true},    // small enough for any machine
      {64, 32000, both, true},     // one step of decoding: a batch over a vocabulary
      {131072, 128, cuda, false},  // short rows: windowed attention, routers
      {16384, 4096, cuda, true},   // attention scores
      {8192, 8192, cuda, true},   {4096, 16384, cuda, false},
      {512, 128256, cuda, true},  // Llama 3's vocabulary
      {8192, 8191, cuda, false},  // odd columns: no row is aligned with the last
  };
  for (const Size& size : sizes) {
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
      Case item;
      item.label = "rows=" + std::to_string(size.rows) + ",columns=" + std::to_string(size.columns) + "," +
                   std::string(name_of(type));
      item.size = static_cast<double>(size.rows * size.columns);
      item.make = [=](std::uint64_t seed) { return arguments(type, size.rows, size.columns, seed); };
      // The reference takes tens of seconds on the large ones. Rows are computed alike and apart: a few stand
      // for all.
      if (size.rows * size.columns > (1 << 21))
        item.check_with = [=](std::uint64_t seed) { return arguments(type, 7, size.columns, seed); };
      item.backends = size.backends;
      item.quick = size.quick;
      suite.add(std::move(item));
    }
  }
  // What a device's cache serves, beside the same size from memory.
  Case warm;
  warm.label = "rows=1024,columns=1024,f32,warm";
  warm.size = 1024.0 * 1024.0;
  warm.make = [](std::uint64_t seed) { return arguments(DType::f32, 1024, 1024, seed); };
  warm.backends = cuda;
  warm.warm = true;
  suite.add(std::move(warm));
}

}  // namespace assay::benchmarks::dense
