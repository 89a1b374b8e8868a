#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

struct CUgraphExec_st;  // cudaGraphExec_t is a pointer to this

namespace assay {

class Stream;

/// Device work recorded once and launched many times for the cost of one launch. Move-only.
/// Calls throw DeviceError, or BackendUnavailable without CUDA.
class Graph {
 public:
  /// Records what `work` puts on the stream; nothing runs. The work must neither synchronise nor allocate:
  /// run it once before, so that workspaces have grown. An exception of `work` ends the capture and is passed
  /// on.
  static Graph capture(Stream& stream, const std::function<void()>& work);

  void launch(const Stream& stream) const;
  /// Number of nodes (kernels, copies, fills) that were recorded.
  std::size_t nodes() const { return nodes_; }
  /// What the nodes are, each with its number: "kernel, grid 4 x 1 x 1, block 256 x 1 x 1, 0 bytes shared",
  /// "copy of 4096 bytes", "fill of 64 bytes", "other".
  const std::map<std::string, std::size_t>& launches() const { return launches_; }

 private:
  struct Destroy {
    void operator()(CUgraphExec_st* graph) const noexcept;
  };
  std::unique_ptr<CUgraphExec_st, Destroy> handle_;
  std::size_t nodes_ = 0;
  std::map<std::string, std::size_t> launches_;
};

}  // namespace assay
