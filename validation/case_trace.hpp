#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "engine/operation.hpp"

namespace assay::validation {

/// What one case gave its kernels, what came back and which figures were compared: enough to tell whether two
/// runs of the case were the same bit for bit, and how small a shrunk case is.
class CaseTrace {
 public:
  /// The arguments of one call of an operation. Its size counts where it is the largest of the case so far.
  void took(std::string_view operation, const Arguments& arguments);
  /// The outputs of that call.
  void gave(const std::map<std::string, Tensor>& outputs);
  /// An observed error beside what its bound allows.
  void figure(double observed, double allowed);

  /// 16 hex digits over the bytes of everything above (FNV-1a of 64 bits, Fowler, Noll and Vo); "" where the
  /// case showed nothing.
  std::string fingerprint() const;
  /// The inputs of the largest call: "te.knn: points (7, 2), radii (7)"; "" where no operation was called.
  const std::string& inputs() const { return inputs_; }
  /// Elements of the floating-point inputs of that call, and how many of them are not zero.
  std::int64_t elements() const { return elements_; }
  std::int64_t non_zeros() const { return non_zeros_; }

 private:
  void add(const void* bytes, std::size_t count);
  void add(std::string_view text);
  void add(const ConstTensorView& view);

  std::uint64_t hash_ = 0xCBF29CE484222325u;
  bool anything_ = false;
  std::string inputs_;
  std::int64_t elements_ = -1;
  std::int64_t non_zeros_ = 0;
};

}  // namespace assay::validation
