#include "validation/transfer_entropy/points.hpp"

#include <algorithm>
#include <array>
#include <ostream>

#include "engine/analysis/prepare.hpp"

namespace assay::validation::transfer_entropy {

namespace {

constexpr std::array<const char*, 3> searches = {"auto", "sorted", "tree"};

std::int64_t admissible(const std::vector<std::int64_t>& trial_lengths, std::int64_t rows,
                        std::int64_t window) {
  const std::vector<std::int64_t> lengths = trial_lengths.empty() ? std::vector{rows} : trial_lengths;
  return analysis::admissible_neighbours(lengths, window);
}

template <typename T>
Tensor take(const Tensor& points, const std::vector<std::int64_t>& rows, std::int64_t first,
            std::int64_t count) {
  const std::int64_t width = points.shape().at(1);
  Tensor made(points.dtype(), {static_cast<std::int64_t>(rows.size()), count});
  const auto from = points.as<T>();
  const auto to = made.template as<T>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::int64_t c = 0; c < count; ++c) {
      to[i * static_cast<std::size_t>(count) + static_cast<std::size_t>(c)] =
          from[static_cast<std::size_t>(rows[i] * width + first + c)];
    }
  }
  return made;
}

}  // namespace

void Neighbourhood::add_to(HostArguments& arguments, bool with_k) const {
  if (!trial_lengths.empty()) arguments.inputs.emplace("trial_lengths", integers_tensor(trial_lengths));
  arguments.parameters.emplace("theiler_window", theiler_window);
  arguments.parameters.emplace("search", search);
  if (with_k) arguments.parameters.emplace("k", k);
}

Neighbourhood draw_neighbourhood(std::int64_t rows) {
  Neighbourhood drawn;
  const std::int64_t trials = *integers(0, 4, "trials");
  const std::int64_t cut = *integers(0, 1000, "cut");
  if (trials > 0) drawn.trial_lengths = split_trials(rows, trials, static_cast<std::uint64_t>(cut));
  drawn.theiler_window = *integers(0, 5, "theiler_window");
  while (drawn.theiler_window > 0 && admissible(drawn.trial_lengths, rows, drawn.theiler_window) < 1) {
    --drawn.theiler_window;
  }
  const std::int64_t most = admissible(drawn.trial_lengths, rows, drawn.theiler_window);
  // Mostly small, as in use; sometimes anything up to all the others.
  const std::int64_t asked = *integers(1, 12, "k");
  drawn.k = asked == 12 ? most : std::min(asked, most);
  drawn.search = searches[static_cast<std::size_t>(*integers(0, 2, "search"))];
  return drawn;
}

std::ostream& operator<<(std::ostream& out, const SearchedCloud& searched) {
  return out << searched.points << "; k " << searched.where.k << ", window " << searched.where.theiler_window
             << ", search " << searched.where.search;
}

std::vector<SearchedCloud> simpler_searched(const SearchedCloud& searched) {
  const std::int64_t zone = 2 * searched.where.theiler_window + 1;
  return simpler_by(searched, &SearchedCloud::points, {.min_rows = searched.where.k + zone});
}

HostArguments KsgCase::arguments() const {
  HostArguments made;
  made.inputs.emplace("x", x.clone());
  made.inputs.emplace("y", y.clone());
  if (z.shape().at(1) > 0) made.inputs.emplace("z", z.clone());
  made.parameters.emplace("algorithm", algorithm);
  where.add_to(made);
  return made;
}

KsgCase draw_ksg_case(const CloudLimits& limits, int with_condition) {
  CloudLimits whole = limits;
  const std::int64_t dx = *integers(1, limits.max_columns, "dx");
  const std::int64_t dy = *integers(1, limits.max_columns, "dy");
  const std::int64_t dz =
      with_condition == 0 ? 0 : *integers(with_condition == 1 ? 1 : 0, limits.max_columns, "dz");
  whole.min_rows = std::max<std::int64_t>(2, limits.min_rows);
  whole.min_columns = whole.max_columns = dx + dy + dz;
  const Cloud cloud = *clouds(whole).as("points");
  const Tensor points = cloud.tensor();
  KsgCase drawn{
      columns_of(points, 0, dx), columns_of(points, dx, dy), columns_of(points, dx + dy, dz), {}, 1};
  drawn.algorithm = *integers(1, 2, "algorithm");
  drawn.where = draw_neighbourhood(cloud.rows);
  return drawn;
}

Tensor columns_of(const Tensor& points, std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(points.shape().at(0)));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  return take<double>(points, rows, first, count);
}

Tensor rows_of(const Tensor& points, const std::vector<std::int64_t>& order) {
  return points.dtype() == DType::i64 ? take<std::int64_t>(points, order, 0, points.shape().at(1))
                                      : take<double>(points, order, 0, points.shape().at(1));
}

Tensor integers_tensor(const std::vector<std::int64_t>& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

}  // namespace assay::validation::transfer_entropy
