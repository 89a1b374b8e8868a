#include "validation/speculation/call.hpp"

#include <cmath>

#include "engine/runtime/philox.hpp"
#include "validation/generators.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation::speculation {

using namespace logits;

std::vector<double> Call::draft_values(const std::vector<double>& target) const {
  std::vector<double> made;
  for (std::int64_t call = 0; call < calls; ++call)
    for (std::int64_t step = 0; step < steps; ++step)
      for (std::int64_t id = 0; id < rows.tokens; ++id) {
        const double value = target[static_cast<std::size_t>((call * (steps + 1) + step) * rows.tokens + id)];
        Philox random(rows.seed, static_cast<std::uint64_t>(5'000'000 + call * steps + step),
                      static_cast<std::uint64_t>(id) * 4);
        const double noise = random.normal();
        // A whole step up: exact where the values are few bits long.
        made.push_back(kin == Kin::same      ? value
                       : kin == Kin::shifted ? value + 4
                       : kin == Kin::near    ? value + noise / 4
                                             : rows.scale * noise);
      }
  return made;
}

std::int32_t Call::token(const std::vector<double>& draft, std::int64_t at) const {
  Philox random(rows.seed, 6'000'000, static_cast<std::uint64_t>(at));
  if (random.below(3) == 0)
    return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(rows.tokens)));
  const auto begin = draft.begin() + at * rows.tokens;
  std::int64_t best = 0;
  for (std::int64_t id = 0; id < rows.tokens; ++id)
    if (begin[id] > begin[best]) best = id;
  return static_cast<std::int32_t>(best);
}

HostArguments Call::arguments() const {
  HostArguments made;
  const std::vector<double> target = rows.values(), draft = draft_values(target);
  made.inputs.emplace("target_logits", encode(rows.type, target, {calls, steps + 1, rows.tokens}));
  made.inputs.emplace("draft_logits", encode(rows.type, draft, {calls, steps, rows.tokens}));
  std::vector<std::int32_t> tokens;
  for (std::int64_t at = 0; at < calls * steps; ++at) tokens.push_back(token(draft, at));
  made.inputs.emplace("draft_tokens", Tensor::from<std::int32_t>(tokens, {calls, steps}));
  made.inputs.emplace("seed", per_row<std::int64_t>(calls, [&](std::int64_t row) {
                        return static_cast<std::int64_t>(rows.seed) + 17 * row;
                      }));
  made.inputs.emplace("position", per_row<std::int64_t>(
                                      calls, [&](std::int64_t row) { return row % 3 == 2 ? -1 : 5 * row; }));
  if (lengths)
    made.inputs.emplace(
        "drafted", per_row<std::int32_t>(calls, [&](std::int64_t row) {
          Philox random(rows.seed, 7'000'000, static_cast<std::uint64_t>(row));
          return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(steps + 1)));
        }));
  return made;
}

Call call_of(Rows rows, std::int64_t calls, std::int64_t steps, Kin kin) {
  Call call;
  call.rows = std::move(rows);
  call.rows.rows = calls * (steps + 1);
  call.calls = calls;
  call.steps = steps;
  call.kin = kin;
  return call;
}

Call draw() {
  Rows rows;
  rows.type = *rc::gen::element(DType::f32, DType::f16, DType::bf16);
  rows.tokens = *rc::gen::element<std::int64_t>(1, 2, 3, 5, 31, 33, 127, 129, 513, 600);
  rows.filling = static_cast<RowKind>(*integers(0, row_kinds - 1, "filling"));
  rows.scale = std::ldexp(1.0, static_cast<int>(*integers(-1, 3, "log2 scale")));
  rows.seed = static_cast<std::uint64_t>(*integers(0, std::int64_t{1} << 40, "seed"));
  const std::int64_t calls = *integers(1, 4, "rows"), steps = *integers(1, 4, "steps");
  Call call = call_of(rows, calls, steps, static_cast<Kin>(*integers(0, kins - 1, "draft")));
  call.lengths = *integers(0, 1, "lengths") == 1;
  call.rows.kept = *kept_of(call.rows.rows * rows.tokens).as("not 0");
  return call;
}

}  // namespace assay::validation::speculation
