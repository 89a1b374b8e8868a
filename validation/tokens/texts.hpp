#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "engine/tensors/tensor.hpp"

namespace assay::validation::tokens {

/// Short texts at which the published patterns decide something: contractions in either case, kinds of
/// letters, numbers, marks, white space and symbols of many scripts, ends of the ranges that patterns name.
/// All of them are characters of Unicode 14, which the reference's PCRE2 knows too.
const std::vector<std::string>& atoms();

/// Text as a sequence of atoms, which is drawn and shrunk in place of its bytes.
struct Text {
  std::vector<int> parts;  ///< indices into atoms()
  int repeats = 1;         ///< of the whole
  std::string bytes() const;
};
std::ostream& operator<<(std::ostream& out, const Text& text);

/// Up to `most` atoms; of few kinds where `narrow`, so that merges meet. Shrinks to fewer and earlier atoms,
/// once.
rc::Gen<Text> texts(int most, bool narrow = false, int most_repeats = 1);

/// (n) u8
Tensor tensor_of(std::string_view bytes);

}  // namespace assay::validation::tokens
