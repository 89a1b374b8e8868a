#include "validation/filters/calls.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <ostream>
#include <stdexcept>

#include "engine/operation.hpp"
#include "engine/runtime/philox.hpp"
#include "validation/generators.hpp"

namespace assay::validation::filters {

namespace {

using logits::Rows;

/// One of the values, by row and parameter.
template <typename T>
T choose(const Rows& rows, std::int64_t row, std::uint64_t parameter, std::initializer_list<T> values) {
  Philox random(rows.seed, 2'000'000 + parameter, static_cast<std::uint64_t>(row));
  return *(values.begin() + static_cast<std::ptrdiff_t>(random.below(values.size())));
}

template <typename T>
Tensor chosen(const Rows& rows, std::uint64_t parameter, std::initializer_list<T> values) {
  return logits::per_row<T>(rows.rows,
                            [&](std::int64_t row) { return choose<T>(rows, row, parameter, values); });
}

constexpr std::int64_t ids_of_a_row = 12;

template <typename T, typename Make>
Tensor row_of_ids(const Rows& rows, std::uint64_t stream, const Make& make) {
  std::vector<T> made;
  for (std::int64_t i = 0; i < rows.rows * ids_of_a_row; ++i) {
    Philox random(rows.seed, stream, static_cast<std::uint64_t>(i));
    made.push_back(make(i % ids_of_a_row, random));
  }
  return Tensor::from<T>(made, {rows.rows, ids_of_a_row});
}

Tensor parameter(const Rows& rows, std::string_view name) {
  const std::int64_t v = rows.tokens;
  const auto all = static_cast<std::int32_t>(v);
  const auto id_below = [](Philox& random, std::int64_t end) {
    return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(end)));
  };
  if (name == "temperature") return chosen<float>(rows, 0, {1.0F, 0.7F, 0.0F, 2.5F, -1.0F, 1e-3F, 1.3F});
  if (name == "top_k")
    return chosen<std::int32_t>(rows, 1, {1, 2, 40, 0, -3, all - 1, all, all + 5, (all + 1) / 2});
  if (name == "top_p")
    return chosen<double>(rows, 2, {0.9, 0.95, 0.5, 0.0, 1.0, 0.1, 0.999, -1.0, 1.5, 1e-12});
  if (name == "min_p") return chosen<double>(rows, 3, {0.05, 0.1, 0.0, 1.0, 0.5, 1e-8, -2.0});
  if (name == "typical_p") return chosen<double>(rows, 4, {0.9, 0.5, 0.2, 1.0, 0.0, 2.0});
  if (name == "repetition") return chosen<float>(rows, 5, {1.0F, 1.1F, 0.5F, 3.0F});
  if (name == "presence") return chosen<float>(rows, 6, {0.0F, 0.5F, -1.25F});
  if (name == "frequency") return chosen<float>(rows, 7, {0.0F, 0.1F, -0.3F});
  if (name == "last_n") return chosen<std::int32_t>(rows, 8, {64, 3, 0, 1, -1});
  if (name == "previous")
    return row_of_ids<std::int32_t>(rows, 3'000'000, [&](std::int64_t place, Philox& random) {
      return place < 2 ? -1 : id_below(random, std::min<std::int64_t>(v, 7));
    });
  if (name == "bias_ids")
    return row_of_ids<std::int32_t>(rows, 3'000'001, [&](std::int64_t place, Philox& random) {
      return place == 0 ? -1 : id_below(random, v);
    });
  if (name == "biases")
    return row_of_ids<float>(rows, 3'000'002, [](std::int64_t, Philox& random) {
      return random.below(9) == 0 ? -std::numeric_limits<float>::infinity()
                                  : static_cast<float>(random.below(17)) / 4 - 2;
    });
  throw std::invalid_argument("no step takes an input '" + std::string(name) + "'");
}

const Operation& known(std::string_view name) {
  const Operation* operation = find_operation(name);
  if (operation == nullptr) throw std::invalid_argument("no operation " + std::string(name));
  return *operation;
}

}  // namespace

void add_parameter(HostArguments& arguments, const Rows& rows, std::string_view name) {
  arguments.inputs.emplace(name, parameter(rows, name));
}

HostArguments Call::arguments() const {
  HostArguments made;
  rows.add_to(made);
  std::uint64_t place = 0;
  for (const TensorInfo& input : known(operation).inputs) {
    if (input.name == "logits" || input.name == "mask") continue;
    if (input.optional && (left_out >> place++ & 1u) != 0) continue;
    add_parameter(made, rows, input.name);
  }
  if (!known(operation).parameters.empty()) made.parameters = {{"min_keep", min_keep}};
  return made;
}

std::ostream& operator<<(std::ostream& out, const Call& call) {
  out << call.operation << " of " << call.rows << ", at least " << call.min_keep;
  if (call.left_out != 0) out << ", without the optional inputs of bits " << call.left_out;
  return out;
}

Call draw(std::string_view operation, const logits::Limits& limits) {
  Call call;
  call.operation = operation;
  call.rows = logits::draw(limits);
  if (!known(operation).parameters.empty()) call.min_keep = *integers(0, 3, "min_keep");
  const auto& inputs = known(operation).inputs;
  const auto optional = std::count_if(inputs.begin(), inputs.end(), [](const TensorInfo& input) {
    return input.optional && input.name != "mask";
  });
  if (optional > 0)
    call.left_out = static_cast<std::uint64_t>(
        *integers(0, (std::int64_t{1} << optional) - 1, "optional inputs left out (bits)"));
  return call;
}

}  // namespace assay::validation::filters
