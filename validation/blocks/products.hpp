#pragma once

#include <cstdint>
#include <iosfwd>
#include <vector>

#include "engine/arguments.hpp"
#include "validation/blocks/blocks.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation {

/// Rows of blocks, vectors that they are multiplied with and a bias: what is drawn and shrunk of a call of
/// dense.gemv.
struct Products {
  Blocks weights;
  TensorRecipe x = {};  ///< (batch, columns)
  bool bias = false;

  std::int64_t batch() const { return x.shape.at(0); }
  HostArguments arguments() const { return arguments_of(x.tensor()); }
  /// The same weights and bias with other activations of (batch, columns).
  HostArguments arguments_of(Tensor activations) const;
};
std::ostream& operator<<(std::ostream& out, const Products& products);

/// The shrinks of what a fixed check walks: fewer rows, blocks and vectors; fewer bytes and activations that
/// are not 0.
std::vector<Products> simpler_products(const Products& products);

/// Products of a number of blocks of a row and vectors of a class of numbers, x of type f32.
Products products_of(const Blocks& weights, std::int64_t batch, Numbers numbers);

/// Draws weights of those contents (empty: all that are random), one to eight vectors of f32 or f16 of those
/// classes, and whether there is a bias.
Products draw_products(std::int64_t most_rows, std::int64_t most_columns, std::vector<Contents> contents,
                       std::vector<Numbers> numbers);

}  // namespace assay::validation
