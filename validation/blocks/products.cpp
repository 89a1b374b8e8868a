#include "validation/blocks/products.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

#include <rapidcheck.h>

#include "validation/generators.hpp"

namespace assay::validation {

HostArguments Products::arguments_of(Tensor activations) const {
  HostArguments made;
  made.inputs.emplace("weights", weights.tensor());
  made.inputs.emplace("x", std::move(activations));
  if (bias) {
    TensorRecipe recipe;
    recipe.shape = {weights.rows};
    recipe.numbers = Numbers::grid;
    recipe.seed = weights.seed + 1;
    made.inputs.emplace("bias", recipe.tensor());
  }
  made.parameters.emplace("format", std::string(weights.layout().name));
  return made;
}

std::ostream& operator<<(std::ostream& out, const Products& products) {
  return out << products.weights << "; x: " << products.x << (products.bias ? "; bias" : "");
}

std::vector<Products> simpler_products(const Products& products) {
  std::vector<Products> made;
  const auto add = [&](const auto& change) {
    made.push_back(products);
    change(made.back());
  };
  for (std::int64_t step = products.weights.rows - 1; step > 0; step /= 2)
    if (!products.weights.kept.only) add([&](Products& smaller) { smaller.weights.rows -= step; });
  for (std::int64_t step = products.batch() - 1; step > 0; step /= 2)
    add([&](Products& smaller) { smaller.x.shape[0] -= step; });
  for (std::int64_t step = products.weights.blocks - 1; step > 0; step /= 2)
    if (!products.weights.kept.only && !products.x.kept)
      add([&](Products& smaller) {
        smaller.weights.blocks -= step;
        smaller.x.shape[1] = smaller.weights.columns();
      });
  if (products.bias) add([](Products& smaller) { smaller.bias = false; });
  for (auto& only : fewer(held_by(products.x.values())))
    add([&](Products& smaller) { smaller.x.kept = std::move(only); });
  for (auto& only : fewer(held_by(products.weights.values())))
    add([&](Products& smaller) { smaller.weights.kept.only = std::move(only); });
  return made;
}

Products products_of(const Blocks& weights, std::int64_t batch, Numbers numbers) {
  Products made{.weights = weights};
  made.x.shape = {batch, weights.columns()};
  made.x.numbers = numbers;
  made.x.seed = weights.seed;
  return made;
}

Products draw_products(std::int64_t most_rows, std::int64_t most_columns, std::vector<Contents> contents,
                       std::vector<Numbers> numbers) {
  Products made;
  made.weights = draw_blocks(most_rows, most_columns, std::move(contents));
  const auto of = numbers[static_cast<std::size_t>(*integers(0, std::ssize(numbers) - 1, "numbers of x"))];
  made = products_of(made.weights, *integers(1, 8, "vectors"), of);
  made.x.type = *integers(0, 1, "x is f16") == 1 ? DType::f16 : DType::f32;
  made.bias = *integers(0, 1, "bias") == 1;
  const Kept kept = *kept_of(made.x.elements()).as("elements of x that are not 0");
  made.x.kept = kept.only;
  return made;
}

}  // namespace assay::validation
