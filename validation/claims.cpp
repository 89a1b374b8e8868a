#include "validation/claims.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>

namespace assay::validation {

namespace {

/// Indices `parts` of an axis of a contiguous tensor, in that order.
Tensor taken(const Tensor& tensor, std::size_t axis, const std::vector<std::int64_t>& parts) {
  Shape shape = tensor.shape();
  std::size_t inner = size_of(tensor.dtype());
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= static_cast<std::size_t>(shape[i]);
  std::size_t outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(shape[i]);
  const auto extent = static_cast<std::size_t>(shape.at(axis));
  shape[axis] = static_cast<std::int64_t>(parts.size());
  Tensor made(tensor.dtype(), shape);
  if (made.bytes() == 0) return made;
  std::byte* to = made.view().data;
  for (std::size_t block = 0; block < outer; ++block)
    for (const std::int64_t part : parts) {
      std::memcpy(to, tensor.view().data + (block * extent + static_cast<std::size_t>(part)) * inner, inner);
      to += inner;
    }
  return made;
}

/// Parts [first, first + count).
std::vector<std::int64_t> run_of(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> parts(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) parts[static_cast<std::size_t>(i)] = first + i;
  return parts;
}

std::int64_t parts_in(const HostArguments& arguments, const BatchClaim& claim) {
  for (const auto& [name, axis] : claim.inputs) {
    const auto input = arguments.inputs.find(name);
    if (input != arguments.inputs.end()) return input->second.shape().at(axis);
  }
  throw std::invalid_argument("a call without any input of the parts '" + claim.name + "'");
}

HostArguments with_parts(const HostArguments& arguments, const BatchClaim& claim,
                         const std::vector<std::int64_t>& parts) {
  HostArguments made = arguments.clone();
  for (const auto& [name, axis] : claim.inputs)
    if (const auto input = made.inputs.find(name); input != made.inputs.end())
      input->second = taken(input->second, axis, parts);
  if (!claim.counted_from.empty()) {
    auto& from = std::get<std::int64_t>(made.parameters.at(claim.counted_from));
    from += parts.front();
  }
  return made;
}

std::map<std::string, Tensor> parts_of(const std::map<std::string, Tensor>& outputs, const BatchClaim& claim,
                                       std::int64_t part) {
  std::map<std::string, Tensor> made;
  for (const auto& [name, axis] : claim.outputs) made.emplace(name, taken(outputs.at(name), axis, {part}));
  return made;
}

void expect_same(Probe& probe, const std::string& where, const std::map<std::string, Tensor>& left,
                 const std::map<std::string, Tensor>& right) {
  for (const auto& [name, tensor] : left)
    if (const auto other = right.find(name); other != right.end())
      probe.expect_equal(name + " of " + where, other->second, tensor);
}

void expect_invariant(Probe& probe, const Call& call, const HostArguments& arguments,
                      const std::map<std::string, Tensor>& whole, const BatchClaim& claim) {
  const std::int64_t count = parts_in(arguments, claim);
  if (count == 0) return;
  const auto part = static_cast<std::int64_t>(probe.seed() % static_cast<std::uint64_t>(count));
  const auto expected = parts_of(whole, claim, part);
  const auto compare = [&](const std::vector<std::int64_t>& parts, std::int64_t at, const char* how) {
    const auto outputs = call(with_parts(arguments, claim, parts));
    expect_same(probe, fmt::format("{} {} of {}, {}, and in all of them", claim.name, part, count, how),
                expected, parts_of(outputs, claim, at));
  };
  compare({part}, 0, "alone");
  if (count == 1) return;
  compare(run_of(part, count - part), 0, "the first");
  compare(run_of(0, part + 1), part, "the last");
  if (!claim.counted_from.empty()) return;
  // 2 count + 1 parts, falling from the one looked at: a larger call in which every part has another place.
  std::vector<std::int64_t> turned;
  for (std::int64_t i = 0; i < 2 * count + 1; ++i) turned.push_back(((part - i) % count + count) % count);
  compare(turned, count, "among more and in another order");
}

/// One part of every claim at once.
void expect_invariant_together(Probe& probe, const Call& call, const HostArguments& arguments,
                               const std::map<std::string, Tensor>& whole,
                               const std::vector<BatchClaim>& claims) {
  HostArguments alone = arguments.clone();
  std::map<std::string, Tensor> expected;
  for (const auto& [name, tensor] : whole) expected.emplace(name, tensor.clone());
  for (const BatchClaim& claim : claims) {
    const std::int64_t count = parts_in(arguments, claim);
    if (count == 0) return;
    const auto part = static_cast<std::int64_t>(probe.seed() % static_cast<std::uint64_t>(count));
    alone = with_parts(alone, claim, {part});
    for (const auto& [name, axis] : claim.outputs) expected.at(name) = taken(expected.at(name), axis, {part});
  }
  const auto outputs = call(alone);
  for (const auto& [name, axis] : claims.front().outputs)
    probe.expect_equal(name + " of one part of each, alone and in all of them", outputs.at(name),
                       expected.at(name));
}

Call call_of(Probe& probe, std::string operation) {
  return [&probe, operation = std::move(operation)](const HostArguments& arguments) {
    return probe.run(operation, arguments);
  };
}

/// The claims that hold on a backend.
std::vector<BatchClaim> claims_on(const Operation& operation, Backend backend) {
  std::vector<BatchClaim> held;
  std::copy_if(operation.batches.begin(), operation.batches.end(), std::back_inserter(held),
               [&](const BatchClaim& claim) { return claim.holds_on(backend); });
  return held;
}

}  // namespace

void expect_deterministic(Probe& probe, const Call& call, const HostArguments& arguments) {
  const auto first = call(arguments);
  // A call under the preconditions is two runs, which have been compared.
  for (int rerun = 1; rerun < 5; ++rerun) expect_same(probe, "a rerun", first, call(arguments));
}

void expect_batch_invariant(Probe& probe, const Call& call, const HostArguments& arguments,
                            const std::vector<BatchClaim>& claims) {
  const auto whole = call(arguments);
  for (const BatchClaim& claim : claims) expect_invariant(probe, call, arguments, whole, claim);
  if (claims.size() > 1) expect_invariant_together(probe, call, arguments, whole, claims);
}

void add_claim_properties(Suite& suite, const Operation& operation) {
  const auto drawn = [calls = suite.drawn_calls(), name = operation.name]() -> HostArguments {
    if (!calls)
      throw Failed(name + " claims something of its calls, and its suite draws none (Suite::calls)");
    return calls();
  };
  std::vector<Backend> backends = {Backend::cpu};
  if (operation.has(Backend::cuda)) backends.push_back(Backend::cuda);
  if (operation.deterministic)
    suite.property({.name = "claim_deterministic",
                    .summary = "Ten runs of one call give the same bits.",
                    .body = [=, name = operation.name](
                                Probe& probe) { expect_deterministic(probe, call_of(probe, name), drawn()); },
                    .cases = 10,
                    .backends = backends});
  if (operation.batches.empty()) return;
  std::string names;
  for (const BatchClaim& claim : operation.batches) names += (names.empty() ? "" : ", ") + claim.name;
  std::vector<Backend> held_on;
  for (const Backend backend : backends)
    if (!claims_on(operation, backend).empty()) held_on.push_back(backend);
  suite.property({.name = "claim_batch_invariant",
                  .summary = "The same bits alone, among others and in another place: " + names + ".",
                  .body =
                      [=](Probe& probe) {
                        expect_batch_invariant(probe, call_of(probe, operation.name), drawn(),
                                               claims_on(operation, probe.backend()));
                      },
                  .cases = 40,
                  .backends = held_on});
}

void add_claim_properties(std::vector<Suite>& suites) {
  for (Suite& suite : suites)
    if (const Operation* operation = find_operation(suite.operation()))
      add_claim_properties(suite, *operation);
}

}  // namespace assay::validation
