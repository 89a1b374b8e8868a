#include <dlfcn.h>
#include <library_types.h>

#include <cmath>
#include <memory>
#include <stdexcept>

#include "benchmarks/peers/cublas.hpp"
#include "benchmarks/prepared_call.hpp"
#include "engine/error_bounds.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/tensors/half.hpp"

namespace assay::benchmarks::peers {

namespace {

/// What is used of the library, as cublas_v2.h of CUDA 13 declares it.
struct Library {
  using Handle = struct cublasContext*;
  int (*create)(Handle*);
  int (*destroy)(Handle);
  int (*set_stream)(Handle, CUstream_st*);
  int (*gemm_ex)(Handle, int, int, int, int, int, const void*, const void*, cudaDataType_t, int, const void*,
                 cudaDataType_t, int, const void*, void*, cudaDataType_t, int, int, int);
};

/// Opened once and kept: it has threads and memory of its own, which unloading does not take back.
const Library& library() {
  static const Library opened = [] {
    void* const held = dlopen("libcublas.so.13", RTLD_NOW | RTLD_LOCAL);
    if (held == nullptr)
      throw std::runtime_error("libcublas.so.13 is not there (it is part of the CUDA toolkit)");
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(held, name));
      if (function == nullptr) throw std::runtime_error(std::string("libcublas.so.13 has no ") + name);
    };
    Library made;
    find(made.create, "cublasCreate_v2");
    find(made.destroy, "cublasDestroy_v2");
    find(made.set_stream, "cublasSetStream_v2");
    find(made.gemm_ex, "cublasGemmEx");
    return made;
  }();
  return opened;
}

void check(int status, const char* what) {
  if (status != 0)
    throw std::runtime_error(std::string(what) + ": cuBLAS reports status " + std::to_string(status));
}

/// A handle on a context's stream.
std::shared_ptr<struct cublasContext> handle_for(Context& context) {
  Library::Handle handle = nullptr;
  check(library().create(&handle), "cublasCreate");
  std::shared_ptr<struct cublasContext> made(handle, [](Library::Handle held) { library().destroy(held); });
  check(library().set_stream(handle, context.stream().handle()), "cublasSetStream");
  return made;
}

/// dense.gemv by cuBLAS: (rows, columns) row-major are (columns, rows) of cuBLAS, to be transposed.
Operation by_cublas(const Operation& ours, std::shared_ptr<struct cublasContext> handle) {
  Operation theirs = ours;
  theirs.name = "cublas.gemv";
  theirs.run = [handle = std::move(handle)](Context&, const Arguments& arguments, const Outputs& outputs) {
    const ConstTensorView& weights = arguments.input("weights");
    const ConstTensorView& x = arguments.input("x");
    const int rows = static_cast<int>(weights.extent(0)), columns = static_cast<int>(x.extent(1));
    const float one = 1, zero = 0;
    constexpr int transposed = 1, plain = 0, compute_in_float = 68, any_algorithm = -1;
    check(library().gemm_ex(handle.get(), transposed, plain, rows, static_cast<int>(x.extent(0)), columns,
                            &one, weights.data, CUDA_R_16F, columns, x.data, CUDA_R_16F, columns, &zero,
                            outputs.at("y").data, CUDA_R_32F, rows, compute_in_float, any_algorithm),
          "cublasGemmEx");
  };
  return theirs;
}

/// Throws where a row of the answer is further off than n roundings of a tensor core, n the columns.
void hold_to_exact(const HostArguments& arguments, const Tensor& y) {
  const Tensor& x = arguments.inputs.at("x");
  const std::int64_t batch = x.shape()[0], columns = x.shape()[1], rows = y.shape()[1];
  const auto* weights = reinterpret_cast<const Half*>(arguments.inputs.at("weights").view().data);
  for (std::int64_t vector = 0; vector < batch; ++vector)
    for (std::int64_t row = 0; row < rows; row += std::max<std::int64_t>(1, rows / 64)) {
      Terms terms;
      for (std::int64_t j = 0; j < columns; ++j)
        terms.add(exactly(double{to_float(weights[row * columns + j])} *
                          to_float(x.as<Half>()[static_cast<std::size_t>(vector * columns + j)])));
      const Bounded exact = assay::sum(terms, static_cast<double>(columns), in_tensor_core);
      const double theirs = y.as<float>()[static_cast<std::size_t>(vector * rows + row)];
      if (!(std::fabs(theirs - exact.exact) <= exact.error))
        throw std::runtime_error("row " + std::to_string(row) + " is " + std::to_string(theirs) +
                                 " by cuBLAS and " + std::to_string(exact.exact) + " exactly");
    }
}

PeerTimes run(const HostArguments& arguments, int repeats) {
  const Operation* ours = find_operation("dense.gemv");
  if (ours == nullptr) throw std::runtime_error("there is no dense.gemv to compare with");
  Context context = Context::cuda();
  const Operation theirs = by_cublas(*ours, handle_for(context));
  PreparedCall call(context, theirs, arguments);
  PeerTimes times;
  times.calls_per_sample = call.calibrate();
  hold_to_exact(arguments, call.outputs().at("y"));
  for (int sample = 0; sample < std::max(repeats, 30); ++sample)
    times.samples_ns.push_back(call.sample().seconds * 1e9 / static_cast<double>(times.calls_per_sample));
  times.cache = call.cache();
  return times;
}

}  // namespace

Peer cublas_gemv(std::string label) {
  Peer peer;
  peer.name = "cuBLAS";
  peer.label = std::move(label);
  peer.beside = {Backend::cuda};
  peer.run = run;
  return peer;
}

}  // namespace assay::benchmarks::peers
