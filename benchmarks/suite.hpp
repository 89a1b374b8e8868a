#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/operation.hpp"

namespace assay::benchmarks {

/// One size of an operation. The runner checks the answer, then times it; a wrong answer gets no time.
struct Case {
  /// Parts `name=value`, by commas: "n=10000,k=4". Those with a number are the case's place on axes of that
  /// name; cases that differ in one of them alone are a line of the report's plots over that axis. A part
  /// `parameter=word` is one side of a choice that the same label without it leaves to the operation.
  std::string label;
  double size = 0;              ///< of the problem: the largest case stands for the operation
  std::string size_name = "N";  ///< what it counts, as people call it
  /// Fresh random inputs for a seed.
  std::function<HostArguments(std::uint64_t seed)> make;
  std::vector<Backend> backends = {Backend::cpu, Backend::cuda};
  /// What bounds it: "memory" (bytes at the copy rate), "compute" (flops at the fused multiply-add rate), or
  /// "none".
  std::string ceiling = "memory";
  bool quick = true;  ///< part of a --quick run
  /// On a device the same buffers are used again, so that what fits its cache is found there. The label says
  /// so.
  bool warm = false;
  /// The answer is held to the reference; where that would take minutes, to the reference on this smaller
  /// case.
  std::function<HostArguments(std::uint64_t seed)> check_with = {};
};

/// The numbers of a label by name: "n=1000,search=tree" gives {n: 1000}.
std::map<std::string, double> axes_of(std::string_view label);

/// How the time of an operation is predicted to grow along an axis of its cases, all else equal.
struct Scaling {
  std::string axis;
  double exponent = 0;  ///< time ~ axis^exponent
  std::string why;      ///< where the prediction comes from, one sentence
};

/// What a peer was measured to take.
struct PeerTimes {
  std::vector<double> samples_ns;  ///< of one call, one a sample
  std::string cache = "warm";      ///< what is in the caches when a sample begins
  std::int64_t calls_per_sample = 1;
  std::map<std::string, std::string> notes = {};  ///< how it ran, how its answers compare: for the record
};

/// Another program or library that does the same work, run in the same session.
struct Peer {
  std::string name;   ///< "JIDT 1.6, k-d tree, double"
  std::string label;  ///< the label of the case it stands beside
  /// Times of `repeats` runs, or of as many as it takes by itself; throws std::runtime_error with the reason
  /// where the peer is not there.
  std::function<PeerTimes(const HostArguments&, int repeats)> run;
  std::vector<Backend> beside = {Backend::cpu,
                                 Backend::cuda};  ///< backends of ours that it is measured beside
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
  Suite& scaling(Scaling item) {
    scalings_.push_back(std::move(item));
    return *this;
  }
  const std::string& operation() const { return operation_; }
  const std::vector<Scaling>& scalings() const { return scalings_; }
  const std::vector<Case>& cases() const { return cases_; }
  const std::vector<Peer>& peers() const { return peers_; }

 private:
  std::string operation_;
  std::vector<Case> cases_;
  std::vector<Peer> peers_;
  std::vector<Scaling> scalings_;
};

/// All operations, in the order of engine/operations.cmake. A slice defines
/// `void assay::benchmarks::<family>::describe_<operation>(Suite&)`.
std::vector<Suite> suites();

}  // namespace assay::benchmarks
