// The steps of a sampling chain on CUDA, and the draw. A row lives in shared memory, spread over the blocks
// of a cluster (1 to 8) by rising id; the logits are read once. Filters that leave few tokens hand them to
// the first block as a list, and the others leave. Sums of probabilities are of integers
// (kernels/distribution), so that blocks, warps and lanes add in whatever order.
//
//   tokens of a row      blocks
//   up to 16,384         1; more where there are too few rows to fill the device
//   up to 300,000        2, 4, 8
//
// Without clusters one block holds what its shared memory has room for.
#include <cooperative_groups.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/distribution/draw.hpp"
#include "kernels/filters/rows_cuda.hpp"
#include "kernels/filters/wide.cuh"

namespace assay::kernels::filters {

namespace {

__device__ Way apply(Wide& wide, Step step, const RowParameters& one) {
  switch (step) {
    case Step::penalties:
      wide.penalties(one);
      break;
    case Step::bias:
      wide.bias(one);
      break;
    case Step::temperature:
      wide.temperature(one.temperature);
      break;
    case Step::top_k:
      return wide.top_k(one.top_k);
    case Step::top_p:
      return wide.top_p(one.top_p, one.min_keep);
    case Step::min_p:
      return wide.min_p(one.min_p, one.min_keep);
    case Step::typical:
      return wide.typical(one.typical, one.min_keep);
  }
  return Way::wide;
}

__device__ void apply(Few& few, Step step, const RowParameters& one) {
  switch (step) {
    case Step::penalties:
      return few.penalties(one);
    case Step::bias:
      return few.bias(one);
    case Step::temperature:
      return few.temperature(one.temperature);
    case Step::top_k:
      return few.top_k(one.top_k);
    case Step::top_p:
      return few.top_p(one.top_p, one.min_keep);
    case Step::min_p:
      return few.min_p(one.min_p, one.min_keep);
    case Step::typical:
      return few.typical(one.typical, one.min_keep);
  }
}

__device__ std::uint64_t random_of(const RowsCall& call, std::int64_t row, Faults faults) {
  auto seed = static_cast<std::uint64_t>(call.seed[row]);
  auto position = static_cast<std::uint64_t>(call.position[row]);
  if (faults(Fault::counter_reused)) position = 0;
  if (faults(Fault::row_in_the_seed)) seed += static_cast<std::uint64_t>(row);
  return distribution::draw_bits(seed, position);
}

/// Where a row's survivors are written.
struct Survivors {
  std::uint32_t* left;
  float* logits;
  float* probabilities;
  int tokens, words;

  __device__ Survivors(const RowsCall& call, std::int64_t row)
      : left(call.left == nullptr ? nullptr : call.left + row * call.in.words()),
        logits(call.left_logits == nullptr ? nullptr : call.left_logits + row * call.in.tokens),
        probabilities(call.probabilities == nullptr ? nullptr : call.probabilities + row * call.in.tokens),
        tokens(static_cast<int>(call.in.tokens)),
        words(static_cast<int>(call.in.words())) {}

  __device__ bool wanted() const { return left != nullptr || logits != nullptr || probabilities != nullptr; }

  /// Nothing of this block's part is left.
  __device__ void clear(const Part& part) const {
    const int end = min(tokens, part.first + part.segment * block_warps);
    for (int id = part.first + static_cast<int>(threadIdx.x); id < end; id += block_threads) {
      if (logits != nullptr) logits[id] = rows::minus_infinity();
      if (probabilities != nullptr) probabilities[id] = 0;
      if (left != nullptr && id % 32 == 0) left[id / 32] = 0;
    }
  }

  /// What the list holds, after clear() by all.
  __device__ void add(const Few& few, Word total) const {
    for (int i = static_cast<int>(threadIdx.x); i < few.count(); i += block_threads) {
      const int id = id_in(few.entry(i));
      if (left != nullptr) atomicOr(&left[id / 32], 1u << (id % 32));
      if (logits != nullptr) logits[id] = logit_in(few.entry(i));
      if (probabilities != nullptr) probabilities[id] = distribution::probability_of(few.weight(i), total);
    }
  }

  /// What this block's part holds. A warp goes by whole words of the mask.
  __device__ void write(const Part& part, float maximum, Word total, Faults faults) const {
    __syncthreads();
    const int lane = static_cast<int>(threadIdx.x % 32);
    const int held = part.segment * block_warps;
    for (int at = static_cast<int>(threadIdx.x / 32) * 32; at < held; at += block_threads) {
      const int id = part.first + at + lane;
      const float logit = part.values[at + lane];
      const unsigned bits = __ballot_sync(0xFFFFFFFFu, is_left(logit));
      if (id >= tokens) continue;
      if (left != nullptr && lane == 0) left[id / 32] = bits;
      if (logits != nullptr) logits[id] = is_left(logit) ? logit : rows::minus_infinity();
      if (probabilities != nullptr) probabilities[id] = distribution::probability_of(weight_under(maximum, logit, faults), total);
    }
  }
};

__device__ void finish_wide(const RowsCall& call, std::int64_t row, Wide& wide, const Part& part,
                            Peers& peers, Faults faults) {
  if (call.kept != nullptr && peers.rank() == 0 && threadIdx.x == 0) call.kept[row] = wide.state().count;
  if (call.seed != nullptr) wide.draw(random_of(call, row, faults), call.token + row, call.log_prob + row);
  const Survivors survivors(call, row);
  if (!survivors.wanted()) return;
  const float maximum = wide.state().maximum;
  const Word total = call.probabilities == nullptr ? 0 : total_of(part, peers, maximum, faults);
  survivors.write(part, maximum, total, faults);
}

/// Of the first block, which goes on alone from `step`.
__device__ void finish_few(const RowsCall& call, std::int64_t row, Few& few, int step,
                           const RowParameters& one, Faults faults) {
  for (; step < call.steps.count; ++step) apply(few, call.steps.list[step], one);
  __syncthreads();
  if (call.kept != nullptr && threadIdx.x == 0) call.kept[row] = few.count();
  const Survivors survivors(call, row);
  if (survivors.wanted())
    survivors.add(few, call.probabilities == nullptr || few.count() == 0 ? 0 : few.reach(1).total);
  if (call.seed != nullptr) few.draw(random_of(call, row, faults), call.token + row, call.log_prob + row);
}

template <typename T>
__global__ void __launch_bounds__(block_threads, 2)
    run_rows(const __grid_constant__ RowsCall call, int blocks, int segment, bool aligned, Faults faults) {
  extern __shared__ float4 part_memory[];
  __shared__ Room room;
  const int rank = static_cast<int>(blockIdx.x) % blocks;
  const std::int64_t row = static_cast<int>(blockIdx.x) / blocks;
  Peers peers(room.exchange, blocks, rank);
  const auto tokens = static_cast<int>(call.in.tokens);
  const RowParameters one = parameters_of(call.parameters, row);
  if (!are_legal(one, tokens, call.status)) return;  // all blocks of the row alike
  peers.arrive();

  const Part part{reinterpret_cast<float*>(part_memory), segment, rank * segment * block_warps};
  const bool divided = call.steps.count > 0 && call.steps.list[0] == Step::temperature && one.temperature > 0;
  const Source<T> source{reinterpret_cast<const T*>(call.in.data) + row * call.in.row_stride,
                         call.in.mask == nullptr ? nullptr : call.in.mask + row * call.in.words(), tokens,
                         aligned, divided ? one.temperature : 0.0f};
  const Word held = load(part, peers, source, faults);
  peers.wait();  // nobody's shared memory is written to before that block runs
  Wide wide(part, peers, room, faults);
  wide.loaded(state_of(peers.join(held, CountAndMaximum(), 0)));

  int step = divided ? 1 : 0;
  Way way = Way::wide;
  while (way == Way::wide && step < call.steps.count && wide.state().count > most_few) {
    way = apply(wide, call.steps.list[step], one);
    if (way != Way::listed) ++step;
  }
  if (way == Way::wide && wide.state().count > most_few)
    return finish_wide(call, row, wide, part, peers, faults);
  if (way == Way::wide) wide.list_all();
  const Survivors survivors(call, row);
  if (survivors.wanted()) {
    survivors.clear(part);
    peers.sync();
  }
  if (rank != 0) return;
  Few few(room.list, wide.listed(), part.values, peers.alone(), faults);
  if (way != Way::cut_list) few.sort();
  finish_few(call, row, few, step, one, faults);
}

// Whether the current device runs clusters and this program holds machine code of its generation.
bool has_clusters(int device) {
  int major = 0;
  detail::check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
                "cudaDeviceGetAttribute");
  constexpr int compiled_for[] = {__CUDA_ARCH_LIST__};
  return major >= 9 && std::any_of(std::begin(compiled_for), std::end(compiled_for),
                                   [&](int architecture) { return architecture / 100 == major; });
}

int blocks_for(const LogitRows& in, int device) {
  if (!has_clusters(device)) return 1;
  constexpr std::int64_t most_tokens_of_block = 16'384, least_tokens_of_block = 1'024;
  int multiprocessors = 0;
  detail::check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                "cudaDeviceGetAttribute");
  int blocks = 1;
  while (blocks < most_blocks && in.tokens > blocks * most_tokens_of_block) blocks *= 2;
  while (blocks < most_blocks && in.rows * blocks * 2 <= multiprocessors &&
         in.tokens > blocks * least_tokens_of_block)
    blocks *= 2;
  return blocks;
}

template <typename T>
void launch(CUstream_st* stream, const RowsCall& call) {
  int device = 0;
  detail::check(cudaGetDevice(&device), "cudaGetDevice");
  const int blocks = blocks_for(call.in, device);
  const auto segment = static_cast<int>(segment_of(call.in.tokens, blocks));
  const std::size_t memory = bytes_of_part(segment);
  int most = 0;
  detail::check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
                "cudaDeviceGetAttribute");
  if (memory + sizeof(Room) > static_cast<std::size_t>(most))
    throw DeviceError("sampling on CUDA: a row of " + std::to_string(call.in.tokens) +
                          " tokens does not fit into a block of this device, which has no clusters; expected "
                          "compute capability 9.0 or later",
                      false);
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(call.in.data) % (4 * sizeof(T)) == 0 && call.in.row_stride % 4 == 0;
  const auto kernel = run_rows<T>;
  detail::check(
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(memory)),
      "cudaFuncSetAttribute");
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {static_cast<unsigned>(blocks), 1, 1};
  cudaLaunchConfig_t configuration{};
  configuration.gridDim = dim3(static_cast<unsigned>(call.in.rows * blocks));
  configuration.blockDim = dim3(block_threads);
  configuration.dynamicSmemBytes = memory;
  configuration.stream = stream;
  configuration.attrs = &cluster;
  configuration.numAttrs = blocks > 1 ? 1 : 0;
  detail::check(cudaLaunchKernelEx(&configuration, kernel, call, blocks, segment, aligned, selected_faults()),
                "run_rows: launch");
}

}  // namespace

void run_rows_cuda(CUstream_st* stream, const RowsCall& call) {
  if (call.in.dtype == DType::f32) launch<float>(stream, call);
  if (call.in.dtype == DType::f16) launch<__half>(stream, call);
  if (call.in.dtype == DType::bf16) launch<__nv_bfloat16>(stream, call);
}

}  // namespace assay::kernels::filters
