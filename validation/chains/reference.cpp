#include <array>

#include "validation/all_of.hpp"
#include "validation/chains/call.hpp"
#include "validation/chains/properties.hpp"
#include "validation/logits/distributions.hpp"

namespace assay::validation::chains {

namespace {

using namespace logits;

void matches_reference(Probe& probe) {
  probe.expect_reference(operation, draw().arguments());
}

/// Every single step on every filling: what a drawn order may hide.
void each_step_matches_reference(Probe& probe) {
  std::vector<Call> list;
  for (int step = 0; step < static_cast<int>(std::ssize(steps)); ++step)
    for (int filling = 0; filling < row_kinds; ++filling)
      for (const bool masked : {false, true}) {
        list.push_back(call_of(rows_of(static_cast<RowKind>(filling), 3, 257, 2,
                                       probe.seed() + static_cast<std::uint64_t>(filling)),
                               {step}));
        list.back().rows.masked = masked;
      }
  const auto simpler = [](const Call& call) {
    std::vector<Call> made;
    const auto fewer_tokens = [&](std::int64_t tokens) {
      made.push_back(call);
      made.back().rows.tokens = tokens;
    };
    if (call.rows.tokens > 8) fewer_tokens(8);
    if (call.rows.tokens > 1) fewer_tokens((call.rows.tokens + 1) / 2);
    if (call.rows.rows > 1) {
      made.push_back(call);
      made.back().rows.rows = 1;
    }
    return made;
  };
  for (const Call& call : *all_of(list, simpler).as("call"))
    probe.expect_reference(operation, call.arguments());
}

/// A vocabulary of the size of today's models, where the cut is found by sampling.
void matches_reference_on_large_vocabularies(Probe& probe) {
  for (const RowKind filling : {RowKind::normal, RowKind::ties, RowKind::equal, RowKind::peaked})
    for (const std::vector<int>& order :
         {std::vector<int>{3}, std::vector<int>{4}, std::vector<int>{6}, std::vector<int>{2, 3, 4, 5}}) {
      const Call call = call_of(rows_of(filling, 2, 50'257, 3, probe.seed()), order);
      probe.expect_reference(operation, call.arguments());
    }
}

/// Rows that more than one block holds, or that are too long for a list, on every filling: one step, or two
/// that work on what another left.
void matches_reference_across_blocks(Probe& probe) {
  struct Size {
    std::int64_t rows, tokens;
  };
  for (const Size size : {Size{2, 1'300}, Size{1, 5'003}, Size{70, 2'050}, Size{34, 2'300}})
    for (int filling = 0; filling < row_kinds; ++filling)
      for (const std::vector<int>& order :
           {std::vector<int>{0}, std::vector<int>{1}, std::vector<int>{2}, std::vector<int>{3},
            std::vector<int>{4}, std::vector<int>{5}, std::vector<int>{6}, std::vector<int>{2, 4, 2},
            std::vector<int>{6, 5, 0, 4}}) {
        if (size.rows > 2 && (order.size() > 1 || filling % 3 != 0)) continue;
        Call call = call_of(rows_of(static_cast<RowKind>(filling), size.rows, size.tokens, 3,
                                    probe.seed() + static_cast<std::uint64_t>(filling)),
                            order);
        call.rows.masked = filling % 2 == 0;
        call.min_keep = filling % 4 == 3 ? 1'100 : 1;
        probe.expect_reference(operation, call.arguments());
      }
}

/// The longest rows, and those around the sizes where another number of blocks takes over.
void matches_reference_on_the_longest_rows(Probe& probe) {
  for (const std::int64_t tokens : {16'385, 32'769, 131'073, 300'000})
    for (const DType type : {DType::f32, DType::f16}) {
      Rows rows = rows_of(RowKind::normal, 1, tokens, 3, probe.seed());
      rows.type = type;
      const std::vector<int> order = type == DType::f32 ? std::vector<int>{2, 4} : std::vector<int>{3, 6};
      probe.expect_reference(operation, call_of(rows, order).arguments());
    }
}

/// Rows that are long enough to be cut without a look at all of their tokens in order, on every filling, from
/// memory or from what steps before have left of them.
void matches_reference_on_long_rows(Probe& probe) {
  const std::vector<int> orders[] = {{2, 3}, {2, 4}, {3, 5}, {4, 2}, {0, 4, 3}, {1, 2, 4}};
  std::uint64_t call_number = 0;
  for (int filling = 0; filling < row_kinds; ++filling)
    for (const std::vector<int>& order : orders) {
      ++call_number;
      // 16,384 is the least of them; the last block of 64 is whole, or nearly empty, or nearly full.
      const std::int64_t tokens =
          16'384 + std::int64_t{64} * filling + std::array{0, 1, 37, 63}[call_number % 4];
      Rows rows = rows_of(static_cast<RowKind>(filling), 3, tokens, 3, probe.seed() + 97 * call_number);
      rows.type = std::array{DType::f32, DType::f16, DType::bf16}[call_number % 3];
      rows.masked = call_number % 5 == 0;
      Call call = call_of(rows, order);
      call.min_keep = std::array<std::int64_t, 3>{1, 3, 900}[call_number % 3];
      probe.expect_reference(operation, call.arguments());
    }
}

}  // namespace

void add_reference_properties(Suite& suite) {
  suite.property({"matches_reference",
                  "Tokens, survivors and their logits are the reference's, in any order of steps.",
                  matches_reference, 400});
  suite.property({"each_step_matches_reference", "Each step alone, on every kind of row.",
                  each_step_matches_reference, 1});
  suite.property({"matches_reference_on_large_vocabularies", "The same on 50,257 tokens.",
                  matches_reference_on_large_vocabularies, 1});
  suite.property({"matches_reference_across_blocks",
                  "Rows that several blocks hold, or that no list takes, on every filling.",
                  matches_reference_across_blocks, 1});
  suite.property({"matches_reference_on_the_longest_rows", "16,385 to 300,000 tokens, f32 and f16.",
                  matches_reference_on_the_longest_rows, 1});
  suite.property({"matches_reference_on_long_rows", "16,384 tokens and more, every filling and type.",
                  matches_reference_on_long_rows, 1});
}

}  // namespace assay::validation::chains
