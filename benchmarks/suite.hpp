#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/operation.hpp"

namespace assay::benchmarks {

/// One size of an operation. The runner checks the answer, then times it; a wrong answer gets no time.
struct Case {
  std::string label;  ///< "n=10000,k=4"
  double size = 0;    ///< for time-versus-size plots
  /// Fresh random inputs for a seed.
  std::function<HostArguments(std::uint64_t seed)> make;
  std::vector<Backend> backends = {Backend::cpu, Backend::cuda};
  /// What bounds it: "memory" (bytes at the copy rate), "compute" (flops at the fused multiply-add rate), or
  /// "none".
  std::string ceiling = "memory";
  bool quick = true;  ///< part of a --quick run
  /// The answer is held to the reference; where that would take minutes, to the reference on this smaller
  /// case.
  std::function<HostArguments(std::uint64_t seed)> check_with = {};
};

/// Another program or library that does the same work, run in the same session.
struct Peer {
  std::string name;   ///< "JIDT 1.6, k-d tree, double"
  std::string label;  ///< the label of the case it stands beside
  /// Times of `repeats` runs in nanoseconds; throws std::runtime_error with the reason where the peer is not
  /// there.
  std::function<std::vector<double>(const HostArguments&, int repeats)> run;
};

class Suite {
 public:
  explicit Suite(std::string operation) : operation_(std::move(operation)) {}
  Suite& add(Case item) {
    cases_.push_back(std::move(item));
    return *this;
  }
  Suite& peer(Peer item) {
    peers_.push_back(std::move(item));
    return *this;
  }
  const std::string& operation() const { return operation_; }
  const std::vector<Case>& cases() const { return cases_; }
  const std::vector<Peer>& peers() const { return peers_; }

 private:
  std::string operation_;
  std::vector<Case> cases_;
  std::vector<Peer> peers_;
};

/// All operations, in the order of engine/operations.cmake. A slice defines
/// `void assay::benchmarks::<family>::describe_<operation>(Suite&)`.
std::vector<Suite> suites();

}  // namespace assay::benchmarks
