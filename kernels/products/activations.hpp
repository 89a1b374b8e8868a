#pragma once

#include <cstdint>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::products {

/// The vectors of a call as the bodies want them; what a format has no use for is nullptr.
struct Activations {
  const float* widened;   ///< (batch, columns), `stride` apart
  std::int64_t stride;    ///< in elements
  const float* arranged;  ///< (batch, columns) in the order of activations_inl.hpp
  const float* sums;      ///< (batch, columns / width), of `width` activations each
  std::int64_t columns;

  const float* widened_of(int vector) const { return widened + chosen(vector) * stride; }
  const float* arranged_of(int vector) const { return arranged + chosen(vector) * columns; }
  const float* sums_of(int vector, int width) const { return sums + chosen(vector) * (columns / width); }

 private:
  static std::int64_t chosen(int vector) { return mutant("dense.gemv.first_vector_for_all") ? 0 : vector; }
};

}  // namespace assay::kernels::products
