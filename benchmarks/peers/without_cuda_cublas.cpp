#include <stdexcept>

#include "benchmarks/peers/cublas.hpp"

namespace assay::benchmarks::peers {

Peer cublas_gemv(std::string label) {
  Peer peer;
  peer.name = "cuBLAS";
  peer.label = std::move(label);
  peer.beside = {Backend::cuda};
  peer.run = [](const HostArguments&, int) -> PeerTimes {
    throw std::runtime_error("this program was built without CUDA");
  };
  return peer;
}

}  // namespace assay::benchmarks::peers
