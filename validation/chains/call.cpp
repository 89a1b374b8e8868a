#include "validation/chains/call.hpp"

#include <ostream>

#include "validation/filters/calls.hpp"
#include "validation/generators.hpp"

namespace assay::validation::chains {

std::string Call::order_text() const {
  std::string text;
  for (const int step : order) text += (text.empty() ? "" : ",") + std::string(steps[step]);
  return text;
}

HostArguments Call::arguments() const {
  HostArguments made;
  rows.add_to(made);
  const std::int64_t n = rows.rows;
  for (const char* const name : {"temperature", "top_k", "top_p", "min_p", "typical_p", "repetition",
                                 "presence", "frequency", "last_n", "previous", "bias_ids", "biases"})
    filters::add_parameter(made, rows, name);
  const auto add = [&](const char* name, Tensor tensor) { made.inputs.emplace(name, std::move(tensor)); };
  add("seed", logits::per_row<std::int64_t>(
                  n, [&](std::int64_t row) { return static_cast<std::int64_t>(rows.seed) + 17 * row; }));
  add("position", logits::per_row<std::int64_t>(n, [&](std::int64_t row) { return 5 * row; }));
  made.parameters = {{"order", order_text()}, {"min_keep", min_keep}, {"survivors", true}};
  return made;
}

Call call_of(logits::Rows rows, std::vector<int> order) {
  Call call;
  call.rows = std::move(rows);
  call.order = std::move(order);
  return call;
}

std::ostream& operator<<(std::ostream& out, const Call& call) {
  return out << call.rows << ", order '" << call.order_text() << "', at least " << call.min_keep;
}

Call draw(const logits::Limits& limits) {
  Call call;
  call.rows = logits::draw(limits);
  const std::int64_t length = *integers(0, 5, "steps");
  for (std::int64_t i = 0; i < length; ++i)
    call.order.push_back(static_cast<int>(*integers(0, std::ssize(steps) - 1, "step")));
  call.min_keep = *integers(0, 3, "min_keep");
  return call;
}

}  // namespace assay::validation::chains
