#include "validation/filters/properties.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/comparison.hpp"
#include "engine/operation.hpp"
#include "validation/all_of.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"

namespace assay::validation::filters {

namespace {

using logits::RowKind;

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

bool same_bits(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

std::vector<Call> simpler(const Call& call) {
  std::vector<Call> made;
  const auto fewer = [&](std::int64_t rows, std::int64_t tokens) {
    made.push_back(call);
    made.back().rows.rows = rows;
    made.back().rows.tokens = tokens;
  };
  if (call.rows.tokens > 8) fewer(call.rows.rows, 8);
  if (call.rows.tokens > 1) fewer(call.rows.rows, (call.rows.tokens + 1) / 2);
  if (call.rows.rows > 1) fewer(1, call.rows.tokens);
  return made;
}

void every_filling(Probe& probe, const std::string& operation) {
  std::vector<Call> list;
  for (int filling = 0; filling < logits::row_kinds; ++filling)
    for (const DType type : {DType::f32, DType::f16, DType::bf16})
      for (const bool masked : {false, true}) {
        Call call;
        call.operation = operation;
        call.rows = rows_of(static_cast<RowKind>(filling), 7, 257, 2,
                            probe.seed() + static_cast<std::uint64_t>(filling));
        call.rows.type = type;
        call.rows.masked = masked;
        call.min_keep = filling % 3;
        list.push_back(std::move(call));
      }
  for (const Call& call : *all_of(list, simpler).as("call"))
    probe.expect_reference(operation, call.arguments());
}

/// Rows that one block holds and that several do, and more rows than blocks of one wave.
void several_blocks(Probe& probe, const std::string& operation) {
  struct Size {
    std::int64_t rows, tokens;
  };
  std::vector<Call> list;
  for (const Size size : {Size{3, 1'024}, Size{2, 1'300}, Size{1, 5'003}, Size{70, 2'050}})
    for (const RowKind filling : {RowKind::normal, RowKind::ties, RowKind::equal, RowKind::infinite}) {
      Call call;
      call.operation = operation;
      call.rows = rows_of(filling, size.rows, size.tokens, 3, probe.seed());
      call.rows.masked = filling == RowKind::ties;
      call.min_keep = filling == RowKind::equal ? 1'100 : 1;
      list.push_back(std::move(call));
    }
  for (const Call& call : *all_of(list, simpler).as("call"))
    probe.expect_reference(operation, call.arguments());
}

void large_vocabularies(Probe& probe, const std::string& operation) {
  struct Size {
    RowKind filling;
    std::int64_t rows, tokens;
  };
  for (const Size size :
       {Size{RowKind::normal, 3, 50'257}, Size{RowKind::ties, 2, 50'257}, Size{RowKind::peaked, 2, 50'257},
        Size{RowKind::normal, 1, 151'936}, Size{RowKind::normal, 1, 300'000}}) {
    Call call;
    call.operation = operation;
    call.rows = rows_of(size.filling, size.rows, size.tokens, 3, probe.seed());
    probe.expect_reference(operation, call.arguments());
  }
}

/// Rows of logits apart from each other, and tensors that begin between the boundaries of vectors.
void wherever_tensors_lie(Probe& probe, const std::string& name) {
  const Call call = draw(name);
  const HostArguments arguments = call.arguments();
  const Operation& operation = *find_operation(name);
  Placements placements;
  placements["logits"] = {*integers(0, 9, "offset of the logits"), *integers(0, 9, "gap between their rows")};
  if (call.rows.masked) placements["mask"] = {*integers(0, 3, "offset of the mask")};
  for (const TensorInfo& output : operation.outputs)
    placements[output.name] = {*integers(0, 5, "offset of an output")};
  const auto displaced = probe.expect_reference(name, arguments, placements);
  const auto in_place = probe.run(name, arguments);
  for (const auto& [output, tensor] : in_place) probe.expect_equal(output, tensor, displaced.at(output));
}

void expect_agreement(Probe& probe, const Call& call, const HostArguments& arguments,
                      const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto all_left = left_in(outputs);
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const Row& row = rows[at];
    const LeftOfRow& left = all_left[at];
    const auto allowed = static_cast<std::int64_t>(row.order.size());
    const auto bits = std::count(left.left.begin(), left.left.end(), true);
    probe.expect(bits == left.kept, "kept is the number of bits");
    probe.expect(bits >= std::min(allowed, std::max<std::int64_t>(1, call.min_keep)),
                 "one token is kept, and min_keep are, where there are so many");
    for (std::size_t id = 0; id < row.logits.size(); ++id) {
      probe.expect(row.allowed[id] || !left.left[id], "what the mask forbids is not left");
      probe.expect(same_bits(left.logits[id], left.left[id] ? row.logits[id] : minus_infinity),
                   "left_logits holds the logits of what is left, and -Inf elsewhere");
    }
  }
}

void expect_prefix(Probe& probe, const Call&, const HostArguments& arguments, const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto all_left = left_in(outputs);
  for (std::size_t at = 0; at < rows.size(); ++at)
    for (std::size_t place = 0; place < rows[at].order.size(); ++place)
      probe.expect(all_left[at].left[static_cast<std::size_t>(rows[at].order[place])] ==
                       (static_cast<std::int32_t>(place) < all_left[at].kept),
                   "the survivors are the first of the order");
}

}  // namespace

std::vector<Row> rows_in(const HostArguments& arguments) {
  const Tensor& logits = arguments.inputs.at("logits");
  const auto tokens = static_cast<std::size_t>(logits.shape()[1]), words = (tokens + 31) / 32;
  const auto values = to_doubles(logits.view());
  const auto mask = arguments.inputs.find("mask");
  std::vector<Row> made(static_cast<std::size_t>(logits.shape()[0]));
  for (std::size_t at = 0; at < made.size(); ++at) {
    Row& row = made[at];
    for (std::size_t id = 0; id < tokens; ++id) {
      const auto value = static_cast<float>(values[at * tokens + id]);
      row.logits.push_back(std::isnan(value) ? minus_infinity : value == 0 ? 0.0F : value);
      row.allowed.push_back(mask == arguments.inputs.end() ||
                            (mask->second.as<std::uint32_t>()[at * words + id / 32] >> (id % 32) & 1u) != 0);
      if (row.allowed.back()) row.order.push_back(static_cast<std::int64_t>(id));
    }
    std::stable_sort(row.order.begin(), row.order.end(), [&](std::int64_t a, std::int64_t b) {
      return row.logits[static_cast<std::size_t>(a)] > row.logits[static_cast<std::size_t>(b)];
    });
  }
  return made;
}

std::vector<LeftOfRow> left_in(const TensorMap& outputs) {
  const Tensor& logits = outputs.at("left_logits");
  const auto tokens = static_cast<std::size_t>(logits.shape()[1]), words = (tokens + 31) / 32;
  const auto bits = outputs.at("left").as<std::uint32_t>();
  const auto values = floats_of(logits);
  std::vector<LeftOfRow> made(static_cast<std::size_t>(logits.shape()[0]));
  for (std::size_t at = 0; at < made.size(); ++at) {
    made[at].kept = outputs.at("kept").as<std::int32_t>()[at];
    for (std::size_t id = 0; id < tokens; ++id) {
      made[at].left.push_back((bits[at * words + id / 32] >> (id % 32) & 1u) != 0);
      made[at].logits.push_back(values[at * tokens + id]);
    }
  }
  return made;
}

std::vector<long double> numerators_of(const Row& row) {
  std::vector<long double> made(row.logits.size(), 0);
  if (row.order.empty()) return made;
  const long double most = row.logits[static_cast<std::size_t>(row.order.front())];
  if (std::isinf(most) && most < 0) return made;
  for (const std::int64_t id : row.order) {
    const long double logit = row.logits[static_cast<std::size_t>(id)];
    made[static_cast<std::size_t>(id)] = std::isinf(most) ? (logit == most ? 1 : 0) : std::exp(logit - most);
  }
  return made;
}

void add_look(Suite& suite, Look look) {
  const std::string operation = suite.operation();
  const auto with = [operation, body = look.body](const std::function<void(TensorMap&)>& change) {
    return [=](Probe& probe) {
      const Call call = draw(operation);
      const HostArguments arguments = call.arguments();
      TensorMap outputs = probe.run(operation, arguments);
      if (change) change(outputs);
      body(probe, call, arguments, outputs);
    };
  };
  suite.property({.name = look.name,
                  .summary = look.summary,
                  .body = with({}),
                  .cases = look.cases,
                  .negative_control = with(look.spoil)});
}

void flip_a_token(TensorMap& outputs) {
  outputs.at("left").as<std::uint32_t>()[0] ^= 1u;
}

void add_reference_properties(Suite& suite) {
  const std::string operation = suite.operation();
  suite.calls([operation] { return draw(operation).arguments(); });
  suite.property(
      {"matches_reference", "The outputs are the reference's on drawn calls.",
       [operation](Probe& probe) { probe.expect_reference(operation, draw(operation).arguments()); }, 300});
  suite.property({"matches_reference_on_every_filling",
                  "Each kind of row, each type, with and without a mask.",
                  [operation](Probe& probe) { every_filling(probe, operation); }, 1});
  suite.property({"does_not_depend_on_where_tensors_lie",
                  "Strided rows and unaligned tensors give the same bits.",
                  [operation](Probe& probe) { wherever_tensors_lie(probe, operation); }, 60});
  suite.property({"matches_reference_across_blocks", "Rows that one block of a device holds, or several.",
                  [operation](Probe& probe) { several_blocks(probe, operation); }, 1});
  suite.property({"matches_reference_on_large_vocabularies", "50,257 to 300,000 tokens.",
                  [operation](Probe& probe) { large_vocabularies(probe, operation); }, 1});
}

void add_survivors_agree(Suite& suite) {
  add_look(suite, {"survivors_agree",
                   "kept counts the bits of left, left_logits holds their logits, and enough is kept.",
                   expect_agreement, flip_a_token});
}

void add_prefix(Suite& suite) {
  add_look(suite,
           {"keeps_a_prefix_of_the_order", "The survivors are the first by falling logit and rising id.",
            expect_prefix, flip_a_token});
}

void add_idempotence(Suite& suite) {
  const std::string operation = suite.operation();
  add_look(suite,
           {"is_idempotent", "Applied to its own output, it changes nothing.",
            [operation](Probe& probe, const Call&, const HostArguments& arguments, const TensorMap& outputs) {
              HostArguments again = with_input(arguments, "logits", as_floats(outputs.at("left_logits")));
              again = with_input(again, "mask", outputs.at("left").clone());
              const auto twice = probe.run(operation, again);
              for (const auto& [name, tensor] : outputs) probe.expect_equal(name, twice.at(name), tensor);
            },
            [](TensorMap& outputs) { outputs.at("kept").as<std::int32_t>()[0] += 1; }});
}

void add_fault(Suite& suite, const char* id, const char* fault_class, const char* what, Backend backend) {
  suite.mutant({suite.operation() + "." + id, fault_class, what, backend});
}

HostArguments with_input(const HostArguments& arguments, const char* name, Tensor tensor) {
  HostArguments changed = arguments.clone();
  changed.inputs.erase(name);
  changed.inputs.emplace(name, std::move(tensor));
  return changed;
}

}  // namespace assay::validation::filters
