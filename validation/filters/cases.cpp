#include "validation/filters/cases.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "engine/operation.hpp"
#include "engine/runtime/philox.hpp"
#include "reference/operations.hpp"
#include "reference/tokens/margins.hpp"
#include "reference/tokens/rows.hpp"
#include "validation/logits/rows.hpp"
#include "validation/parallel_work.hpp"

namespace assay::validation::filters {

namespace {

using reference::tokens::Tokens;

/// Streams of the seed, apart from those that rows are made of.
constexpr std::uint64_t batch_stream = 4'000'000, parameter_stream = 4'000'001;
constexpr std::int64_t most_rows = 256, most_elements = 100'000;

std::uint64_t below(Philox& random, std::int64_t count) {
  return random.below(static_cast<std::uint64_t>(count));
}

/// One call: rows of one kind and size.
struct Batch {
  logits::Rows rows;
  std::int64_t min_keep = 1;
};

Batch batch_of(std::uint64_t seed, std::uint64_t number) {
  Philox random(seed, batch_stream, number * 16);
  Batch batch;
  batch.rows.type = std::array{DType::f32, DType::f16, DType::bf16}[below(random, 3)];
  const bool small = below(random, 32) != 0;
  batch.rows.tokens = static_cast<std::int64_t>(small ? 2 + below(random, 399) : 401 + below(random, 2600));
  batch.rows.rows = std::clamp<std::int64_t>(most_elements / batch.rows.tokens, 1, most_rows);
  batch.rows.filling = static_cast<logits::RowKind>(below(random, logits::row_kinds));
  batch.rows.scale = std::ldexp(1.0, static_cast<int>(below(random, 6)) - 1);
  batch.rows.masked = below(random, 4) == 0;
  batch.rows.seed = random.next_u64() >> 24;
  batch.min_keep = below(random, 4) == 0 ? static_cast<std::int64_t>(below(random, 4)) : 1;
  return batch;
}

/// Of the first tokens of an order, so many that the random numbers say, as a share of the whole.
double mass_of_a_prefix(const Tokens& tokens, const std::vector<std::size_t>& order, Philox& random) {
  const auto numerators = reference::tokens::numerators_of(tokens);
  long double whole = 0, sum = 0;
  for (const double each : numerators) whole += each;
  const auto length = 1 + below(random, static_cast<std::int64_t>(order.size()));
  for (std::size_t place = 0; place < length; ++place) sum += numerators[order[place]];
  return whole > 0 ? static_cast<double>(sum / whole) : 0.5;
}

/// Without a look at the row: uniform, near 0 or near 1, and the edges.
double drawn_share(std::int64_t tokens, Philox& random) {
  switch (below(random, 4)) {
    case 0:
      return std::exp2(-30 * random.uniform());
    case 1:
      return 1 - std::exp2(-30 * random.uniform());
    case 2: {
      // Of equal tokens this many, to the last bit where their number is a power of two.
      const double exact = static_cast<double>(below(random, tokens + 1)) / static_cast<double>(tokens);
      constexpr double edges[] = {0.0, 1.0, -1.0, 1e-300, 4e-320};
      const auto which = below(random, 10);
      return which < 5 ? edges[which] : exact;
    }
    default:
      return random.uniform();
  }
}

/// One parameter of a row. `here`: whether it was put at a threshold of the row.
struct Chosen {
  double value;
  bool here;
};

double neighbour(double value, Philox& random) {
  const auto which = below(random, 3);
  return which == 0 ? std::nextafter(value, -1.0) : which == 1 ? std::nextafter(value, 2.0) : value;
}

/// What is known of an operation here.
struct Counted {
  const char* operation;
  const char* parameter;
  Chosen (*choose)(const Tokens&, std::int64_t tokens, Philox&);
  double (*margin)(const Tokens&, double value, std::size_t kept);
};

template <typename Order>
Chosen choose_mass(const Tokens& tokens, std::int64_t count, Philox& random, const Order& order_of) {
  const bool here = below(random, 8) == 0 && !tokens.empty() &&
                    reference::tokens::maximum_of(tokens) > reference::tokens::minus_infinity;
  if (!here) return {drawn_share(count, random), false};
  return {neighbour(mass_of_a_prefix(tokens, order_of(tokens), random), random), true};
}

constexpr Counted counted[] = {
    {"sampling.top_k", "top_k",
     [](const Tokens&, std::int64_t count, Philox& random) {
       return Chosen{static_cast<double>(below(random, count + 4)) - 1, false};
     },
     [](const Tokens&, double, std::size_t) { return reference::tokens::no_threshold; }},
    {"sampling.top_p", "top_p",
     [](const Tokens& tokens, std::int64_t count, Philox& random) {
       return choose_mass(tokens, count, random,
                          [](const Tokens& row) { return reference::tokens::falling(row); });
     },
     [](const Tokens& tokens, double p, std::size_t) { return reference::tokens::top_p_margin(tokens, p); }},
    {"sampling.min_p", "min_p",
     [](const Tokens& tokens, std::int64_t count, Philox& random) {
       const float most = reference::tokens::maximum_of(tokens);
       if (below(random, 8) != 0 || tokens.empty() || std::isinf(most))
         return Chosen{std::min(1.0, drawn_share(count, random)), false};
       const auto at = static_cast<std::size_t>(below(random, static_cast<std::int64_t>(tokens.size())));
       const double distance = static_cast<double>(most) - static_cast<double>(tokens[at].logit);
       return Chosen{std::min(1.0, neighbour(std::exp(-distance), random)), true};
     },
     [](const Tokens& tokens, double p, std::size_t) { return reference::tokens::min_p_margin(tokens, p); }},
    {"sampling.typical", "typical_p",
     [](const Tokens& tokens, std::int64_t count, Philox& random) {
       return choose_mass(tokens, count, random, [](const Tokens& row) {
         return reference::tokens::rising(reference::tokens::distances_from_entropy(row));
       });
     },
     [](const Tokens& tokens, double p, std::size_t kept) {
       return reference::tokens::typical_margin(tokens, p, kept);
     }}};

const Counted& counted_as(const std::string& operation) {
  const auto* const found = std::find_if(std::begin(counted), std::end(counted),
                                         [&](const Counted& one) { return operation == one.operation; });
  if (found == std::end(counted)) throw std::invalid_argument(operation + " is not a filter that is counted");
  return *found;
}

struct Made {
  HostArguments arguments;
  std::vector<Tokens> tokens;
  std::vector<Chosen> chosen;
};

Made call_of(const Batch& batch, const Counted& one) {
  Made made;
  batch.rows.add_to(made.arguments);
  const Arguments view = made.arguments.view();
  for (std::int64_t row = 0; row < batch.rows.rows; ++row) {
    Philox random(batch.rows.seed, parameter_stream, static_cast<std::uint64_t>(row) * 16);
    made.tokens.push_back(reference::tokens::row_of(view, row));
    made.chosen.push_back(one.choose(made.tokens.back(), batch.rows.tokens, random));
  }
  const auto value_of = [&](std::int64_t row) { return made.chosen[static_cast<std::size_t>(row)].value; };
  const std::string_view parameter = one.parameter;
  made.arguments.inputs.emplace(
      one.parameter,
      parameter == "top_k"
          ? logits::per_row<std::int32_t>(
                batch.rows.rows, [&](std::int64_t row) { return static_cast<std::int32_t>(value_of(row)); })
          : logits::per_row<double>(batch.rows.rows, value_of));
  if (parameter != "top_k") made.arguments.parameters = {{"min_keep", batch.min_keep}};
  return made;
}

std::string described(const Batch& batch, std::size_t row, const Chosen& chosen, const Counted& one,
                      std::uint64_t number) {
  std::ostringstream text;
  text.precision(17);
  text << "batch " << number << ", row " << row << " of " << batch.rows << ", " << one.parameter << " "
       << chosen.value << ", min_keep " << batch.min_keep;
  return text.str();
}

FilterCounts count_batch(const RunCall& run, const Counted& one, const Batch& batch, std::uint64_t number,
                         std::int64_t wanted) {
  const Made made = call_of(batch, one);
  const auto outputs = run(one.operation, made.arguments);
  const Operation& operation = *find_operation(one.operation);
  const auto expected = reference::run(operation, made.arguments.view());
  const auto words = static_cast<std::size_t>((batch.rows.tokens + 31) / 32);
  const auto got_bits = outputs.at("left").as<std::uint32_t>();
  const auto expected_bits = expected.at("left").as<std::uint32_t>();
  FilterCounts counts;
  for (std::size_t row = 0; row < static_cast<std::size_t>(wanted); ++row) {
    const bool same =
        std::equal(got_bits.begin() + static_cast<std::ptrdiff_t>(row * words),
                   got_bits.begin() + static_cast<std::ptrdiff_t>((row + 1) * words),
                   expected_bits.begin() + static_cast<std::ptrdiff_t>(row * words)) &&
        outputs.at("kept").as<std::int32_t>()[row] == expected.at("kept").as<std::int32_t>()[row];
    const auto kept = static_cast<std::size_t>(expected.at("kept").as<std::int32_t>()[row]);
    const bool near = one.margin(made.tokens[row], made.chosen[row].value, kept) <= close;
    Counts& to = made.chosen[row].here ? counts.at_threshold : counts.drawn;
    ++to.cases;
    to.close_calls += near ? 1 : 0;
    if (same) continue;
    ++to.differing;
    to.differing_among_close += near ? 1 : 0;
    if (!near && counts.first.empty()) counts.first = described(batch, row, made.chosen[row], one, number);
  }
  return counts;
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  cases += other.cases;
  differing += other.differing;
  close_calls += other.close_calls;
  differing_among_close += other.differing_among_close;
  return *this;
}

Counts FilterCounts::all() const {
  Counts sum = drawn;
  sum += at_threshold;
  return sum;
}

std::vector<std::string> counted_operations() {
  std::vector<std::string> names;
  for (const Counted& one : counted) names.emplace_back(one.operation);
  return names;
}

FilterCounts count_filter_cases(const RunCall& run, const std::string& operation, std::int64_t cases,
                                std::uint64_t seed, unsigned threads,
                                const std::function<void(std::int64_t)>& progress) {
  const Counted& one = counted_as(operation);
  std::vector<Batch> batches;
  for (std::int64_t planned = 0; planned < cases; planned += batches.back().rows.rows)
    batches.push_back(batch_of(seed, batches.size()));
  std::vector<FilterCounts> counts(batches.size());
  std::int64_t surplus = -cases;
  for (const Batch& batch : batches) surplus += batch.rows.rows;
  std::mutex guard;
  std::int64_t done = 0;
  parallel_work(batches.size(), threads, [&](std::size_t number) {
    const std::int64_t rows = batches[number].rows.rows;
    const std::int64_t wanted = number + 1 == batches.size() ? rows - surplus : rows;
    counts[number] = count_batch(run, one, batches[number], number, wanted);
    const std::lock_guard lock(guard);
    done += wanted;
    if (progress) progress(done);
  });
  FilterCounts sum;
  for (const FilterCounts& each : counts) {
    sum.drawn += each.drawn;
    sum.at_threshold += each.at_threshold;
    if (sum.first.empty()) sum.first = each.first;
  }
  return sum;
}

}  // namespace assay::validation::filters
