#pragma once

#include <string>

#include "benchmarks/suite.hpp"

namespace assay::benchmarks::peers {

/// cuBLAS beside the case of dense.gemv with that label, on the same F16 weights and f16 activations:
/// cublasGemmEx with sums of single precision, timed as our calls are (copies of the weights in turn, a CUDA
/// graph). The toolkit's library is opened when the peer is asked for; where it is not there, or the program
/// was built without CUDA, the run says so.
///
/// Some rows of its answer are held to exact ones within n roundings of a tensor core, n the columns; a peer
/// that is further off gets no time.
Peer cublas_gemv(std::string label);

}  // namespace assay::benchmarks::peers
