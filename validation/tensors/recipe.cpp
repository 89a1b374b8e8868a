#include "validation/tensors/recipe.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>

#include <fmt/format.h>

#include "engine/analysis/splitmix.hpp"
#include "engine/tensors/half.hpp"
#include "validation/kept.hpp"
#include "validation/tensors/format.hpp"
#include "validation/tensors/ill_conditioned.hpp"

namespace assay::validation {

namespace {

std::uint64_t mixed(std::uint64_t key, std::int64_t with) {
  return analysis::SplitMix64(key ^ (static_cast<std::uint64_t>(with) * 0xD1342543DE82EF95u)).next();
}

std::int64_t extent_of_rows(const Shape& shape) {
  return shape.empty() ? 1 : shape.back();
}

/// A key for every element, of the seed and its place in the tensor that this one was cut out of; that of a
/// row is the key of its first element's row.
class Keys {
 public:
  explicit Keys(const TensorRecipe& recipe) : recipe_(recipe) {}

  std::uint64_t of_row(std::int64_t row) const {
    std::uint64_t key = mixed(0, static_cast<std::int64_t>(recipe_.seed));
    // Innermost of the outer axes first.
    for (std::size_t axis = recipe_.shape.size(); axis-- > 1;) {
      const std::int64_t extent = recipe_.shape[axis - 1];
      key = mixed(key, row % extent + origin(axis - 1));
      row /= extent;
    }
    return key;
  }
  std::uint64_t of_element(std::uint64_t row_key, std::int64_t column) const {
    return mixed(row_key, column + (recipe_.shape.empty() ? 0 : origin(recipe_.shape.size() - 1)));
  }

 private:
  std::int64_t origin(std::size_t axis) const { return recipe_.origin.empty() ? 0 : recipe_.origin[axis]; }
  const TensorRecipe& recipe_;
};

double simplified(const TensorRecipe& recipe, double value) {
  if (!std::isfinite(value) || value == 0) return value;
  if (recipe.exponent != 0 && is_moderate(recipe.numbers)) {
    const double scaled = round_to(recipe.type, std::ldexp(value, recipe.exponent));
    value = std::isfinite(scaled) ? scaled : std::copysign(format_of(recipe.type).largest(), value);
  }
  if (recipe.powers_of_two && value != 0) value = std::copysign(std::ldexp(1.0, std::ilogb(value)), value);
  return value;
}

}  // namespace

bool is_moderate(Numbers numbers) {
  return numbers == Numbers::grid || numbers == Numbers::constant || numbers == Numbers::ties ||
         numbers == Numbers::normal;
}

std::vector<double> TensorRecipe::values() const {
  const std::int64_t columns = extent_of_rows(shape), count = elements();
  std::vector<double> made(static_cast<std::size_t>(count));
  const Keys keys(*this);
  bool any_special = false;
  for (std::int64_t row = 0; row * columns < count; ++row) {
    double* first = made.data() + row * columns;
    const std::uint64_t row_key = keys.of_row(row);
    if (numbers == Numbers::ill_conditioned) {
      const auto sum = ill_conditioned_sum(type, columns, condition_bits, row_key);
      std::copy(sum.terms.begin(), sum.terms.end(), first);
      continue;
    }
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::uint64_t key = keys.of_element(row_key, column);
      any_special = any_special || is_special(numbers, key);
      first[column] = draw_number(numbers, type, key);
    }
  }
  if (!any_special && count > 0 && (numbers == Numbers::infinities || numbers == Numbers::nan)) {
    const std::uint64_t key = mixed(~seed, count);
    made[static_cast<std::size_t>(key % static_cast<std::uint64_t>(count))] =
        draw_number(numbers, type, key, true);
  }
  Kept{kept}.apply(made);
  for (double& value : made) value = simplified(*this, value);
  return made;
}

std::int64_t TensorRecipe::non_zeros() const {
  const std::vector<double> held = values();
  return std::count_if(held.begin(), held.end(), [](double value) { return value != 0; });
}

Tensor TensorRecipe::tensor() const {
  return encode(type, values(), shape);
}

Tensor encode(DType type, const std::vector<double>& values, Shape shape) {
  const auto as = [&]<typename Element>(Element) {
    std::vector<Element> elements(values.size());
    std::transform(values.begin(), values.end(), elements.begin(), [&](double value) {
      if constexpr (std::is_same_v<Element, double>)
        return value;
      else  // rounded to the type first: twice rounded is not always once rounded
        return from_float<Element>(static_cast<float>(round_to(type, value)));
    });
    return Tensor::from(elements, std::move(shape));
  };
  switch (type) {
    case DType::f16:
      return as(Half{});
    case DType::bf16:
      return as(BFloat16{});
    case DType::f32:
      return as(float{});
    default:
      return as(double{});
  }
}

std::ostream& operator<<(std::ostream& out, const TensorRecipe& recipe) {
  out << fmt::format("{} {} {}", to_string(recipe.shape), name_of(recipe.type), name_of(recipe.numbers));
  if (recipe.numbers == Numbers::ill_conditioned) out << fmt::format(" near 2^{}", recipe.condition_bits);
  out << ", seed " << recipe.seed;
  if (std::any_of(recipe.origin.begin(), recipe.origin.end(), [](std::int64_t at) { return at != 0; }))
    out << ", cut out at " << to_string(recipe.origin);
  if (recipe.exponent != 0 && is_moderate(recipe.numbers)) out << ", times 2^" << recipe.exponent;
  if (recipe.powers_of_two) out << ", cut down to powers of two";
  if (recipe.kept)
    out << (recipe.kept->empty() ? ", all 0" : ", 0 but for elements " + ranges_of(*recipe.kept));
  if (recipe.placement.offset != 0) out << ", begins " << recipe.placement.offset << " elements off";
  if (recipe.placement.row_gap != 0) out << ", rows " << recipe.placement.row_gap << " elements apart";
  return out;
}

}  // namespace assay::validation
