#include <cuda.h>
#include <cudaTypedefs.h>
#include <cuda_runtime_api.h>

#include <string>
#include <vector>

#include "engine/runtime/device.hpp"
#include "engine/runtime/event.hpp"
#include "engine/runtime/graph.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/with_cuda_check.hpp"

namespace assay {

using detail::check;

Stream::Stream(int device) : device_(device) {
  const DeviceScope scope(device);
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  handle_.reset(stream);
}

void Stream::Destroy::operator()(CUstream_st* stream) const noexcept {
  (void)cudaStreamDestroy(stream);
}

void Stream::synchronize() {
  check(cudaStreamSynchronize(handle_.get()), "cudaStreamSynchronize");
}

bool Stream::idle() const {
  const cudaError_t code = cudaStreamQuery(handle_.get());
  if (code == cudaErrorNotReady) {
    (void)cudaGetLastError();
    return false;
  }
  check(code, "cudaStreamQuery");
  return true;
}

void Stream::wait(const Event& event) {
  check(cudaStreamWaitEvent(handle_.get(), event.handle(), 0), "cudaStreamWaitEvent");
}

void Stream::copy(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  const DeviceScope scope(device_);
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, handle_.get()), "cudaMemcpyAsync");
}

void Stream::fill(void* memory, unsigned char value, std::size_t bytes) {
  if (bytes == 0) return;
  const DeviceScope scope(device_);
  check(cudaMemsetAsync(memory, value, bytes, handle_.get()), "cudaMemsetAsync");
}

Event::Event(int device, bool timing) {
  const DeviceScope scope(device);
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, timing ? cudaEventDefault : cudaEventDisableTiming),
        "cudaEventCreateWithFlags");
  handle_.reset(event);
}

void Event::Destroy::operator()(CUevent_st* event) const noexcept {
  (void)cudaEventDestroy(event);
}

void Event::record(const Stream& stream) {
  check(cudaEventRecord(handle_.get(), stream.handle()), "cudaEventRecord");
}

void Event::synchronize() const {
  check(cudaEventSynchronize(handle_.get()), "cudaEventSynchronize");
}

bool Event::done() const {
  const cudaError_t code = cudaEventQuery(handle_.get());
  if (code == cudaErrorNotReady) {
    (void)cudaGetLastError();
    return false;
  }
  check(code, "cudaEventQuery");
  return true;
}

double milliseconds_between(const Event& from, const Event& to) {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, from.handle(), to.handle()), "cudaEventElapsedTime");
  return milliseconds;
}

namespace {
struct DestroyGraph {
  void operator()(CUgraph_st* graph) const noexcept { (void)cudaGraphDestroy(graph); }
};

std::string text_of(const dim3& size) {
  return std::to_string(size.x) + " x " + std::to_string(size.y) + " x " + std::to_string(size.z);
}

/// From the driver: the runtime refuses kernels that another copy of it launched, and libraries have their
/// own.
CUDA_KERNEL_NODE_PARAMS kernel_of(cudaGraphNode_t node) {
  static const auto of_node = [] {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result{};
    check(cudaGetDriverEntryPointByVersion("cuGraphKernelNodeGetParams", &found, 12000, cudaEnableDefault,
                                           &result),
          "cudaGetDriverEntryPointByVersion");
    return reinterpret_cast<PFN_cuGraphKernelNodeGetParams_v12000>(found);
  }();
  CUDA_KERNEL_NODE_PARAMS kernel{};
  if (of_node == nullptr || of_node(node, &kernel) != CUDA_SUCCESS)
    throw DeviceError("the driver does not describe a kernel of a graph", false);
  return kernel;
}

std::string description_of(cudaGraphNode_t node) {
  cudaGraphNodeType type{};
  check(cudaGraphNodeGetType(node, &type), "cudaGraphNodeGetType");
  if (type == cudaGraphNodeTypeKernel) {
    const CUDA_KERNEL_NODE_PARAMS kernel = kernel_of(node);
    return "kernel, grid " + text_of({kernel.gridDimX, kernel.gridDimY, kernel.gridDimZ}) + ", block " +
           text_of({kernel.blockDimX, kernel.blockDimY, kernel.blockDimZ}) + ", " +
           std::to_string(kernel.sharedMemBytes) + " bytes shared";
  }
  if (type == cudaGraphNodeTypeMemcpy) {
    cudaMemcpy3DParms copy{};
    check(cudaGraphMemcpyNodeGetParams(node, &copy), "cudaGraphMemcpyNodeGetParams");
    return "copy of " + std::to_string(copy.extent.width * copy.extent.height * copy.extent.depth) + " bytes";
  }
  if (type == cudaGraphNodeTypeMemset) {
    cudaMemsetParams fill{};
    check(cudaGraphMemsetNodeGetParams(node, &fill), "cudaGraphMemsetNodeGetParams");
    return "fill of " + std::to_string(fill.width * fill.height * fill.elementSize) + " bytes";
  }
  return "other";
}
}  // namespace

Graph Graph::capture(Stream& stream, const std::function<void()>& work) {
  const DeviceScope scope(stream.device());
  check(cudaStreamBeginCapture(stream.handle(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t captured = nullptr;
  try {
    work();
  } catch (...) {  // the stream must leave capture mode before anybody can use it again
    (void)cudaStreamEndCapture(stream.handle(), &captured);
    if (captured != nullptr) (void)cudaGraphDestroy(captured);
    (void)cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(stream.handle(), &captured), "cudaStreamEndCapture");
  const std::unique_ptr<CUgraph_st, DestroyGraph> recorded(captured);
  Graph graph;
  check(cudaGraphGetNodes(recorded.get(), nullptr, &graph.nodes_), "cudaGraphGetNodes");
  std::vector<cudaGraphNode_t> nodes(graph.nodes_);
  check(cudaGraphGetNodes(recorded.get(), nodes.data(), &graph.nodes_), "cudaGraphGetNodes");
  for (cudaGraphNode_t node : nodes) ++graph.launches_[description_of(node)];
  cudaGraphExec_t executable = nullptr;
  check(cudaGraphInstantiate(&executable, recorded.get(), 0), "cudaGraphInstantiate");
  graph.handle_.reset(executable);
  return graph;
}

void Graph::launch(const Stream& stream) const {
  const DeviceScope scope(stream.device());
  check(cudaGraphLaunch(handle_.get(), stream.handle()), "cudaGraphLaunch");
}

void Graph::Destroy::operator()(CUgraphExec_st* graph) const noexcept {
  (void)cudaGraphExecDestroy(graph);
}

}  // namespace assay
