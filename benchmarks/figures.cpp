#include "benchmarks/figures.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "engine/analysis/prepare.hpp"
#include "engine/analysis/splitmix.hpp"
#include "engine/runtime/buffer.hpp"
#include "engine/runtime/event.hpp"
#include "engine/runtime/philox.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/te/network.hpp"

namespace assay::benchmarks {

namespace {

constexpr std::int64_t kNeighbours = 4;

/// (variables, n, histories) lags 1 .. histories and (variables, n, 1) next values, z-scored.
struct Series {
  Tensor past, next;
};

Series series_of(const FigureRequest& request, std::uint64_t seed) {
  constexpr std::int64_t transient = 100;
  analysis::SplitMix64 random(seed);
  const auto width = static_cast<std::size_t>(request.variables);
  const std::int64_t rows = request.observations + request.histories;
  std::vector<double> now(width, 0.0), before(width, 0.0), all;
  all.reserve(static_cast<std::size_t>(rows) * width);
  const auto noise = [&] {
    if (request.kind != SeriesKind::heavy_tailed) return random.irwin_hall();
    return std::tan(3.141592653589793 * (random.uniform() - 0.5));
  };
  for (std::int64_t time = -transient; time < rows; ++time) {
    std::swap(now, before);
    for (std::size_t v = 0; v < width; ++v)
      now[v] = 0.4 * before[v] + (v > 0 ? 0.4 * before[v - 1] : 0.0) + noise();
    if (time < 0) continue;
    for (const double value : now)
      all.push_back(request.kind == SeriesKind::rounded ? std::round(value * 10.0) / 10.0 : value);
  }
  const std::int64_t n = request.observations, h = request.histories;
  Series made{Tensor(DType::f64, {request.variables, n, h}), Tensor(DType::f64, {request.variables, n, 1})};
  const auto column = [&](std::size_t v, std::int64_t lag, std::int64_t d, std::int64_t c, Tensor& into) {
    std::vector<double> values(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i)
      values[static_cast<std::size_t>(i)] = all[static_cast<std::size_t>(i + h - lag) * width + v];
    analysis::normalise_columns(values, n, 1);
    for (std::int64_t i = 0; i < n; ++i)
      into.as<double>()[static_cast<std::size_t>((static_cast<std::int64_t>(v) * n + i) * d + c)] =
          values[static_cast<std::size_t>(i)];
  };
  for (std::size_t v = 0; v < width; ++v) {
    column(v, 0, 1, 0, made.next);
    for (std::int64_t lag = 1; lag <= h; ++lag) column(v, lag, h, lag - 1, made.past);
  }
  return made;
}

/// A host tensor where the context computes.
struct Placed {
  Placed(Context& context, const Tensor& host) : view(host.view()) {
    if (context.backend() != Backend::cuda) return;
    memory = DeviceBuffer(context.device(), host.bytes());
    context.stream().copy(memory.data(), host.view().data, host.bytes());
    view = assay::as_const(view_of(memory, host.dtype(), host.shape()));
  }
  DeviceBuffer memory;
  ConstTensorView view;
};

struct Output {
  Output(Context& context, DType type, const Shape& shape) : host(type, shape), view(host.view()) {
    if (context.backend() != Backend::cuda) return;
    memory = DeviceBuffer(context.device(), host.bytes());
    view = view_of(memory, type, shape);
  }
  void fetch(Context& context) {
    if (context.backend() == Backend::cuda) context.stream().copy(host.view().data, view.data, view.bytes());
    context.synchronize();
  }
  Tensor host;
  DeviceBuffer memory;
  TensorView view;
};

/// Milliseconds of one call: device events on CUDA, the steady clock on the CPU.
template <typename Call>
double time_of(Context& context, const Call& call) {
  if (context.backend() != Backend::cuda) {
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
  Event begin(context.device()), end(context.device());
  begin.record(context.stream());
  call();
  end.record(context.stream());
  end.synchronize();
  return milliseconds_between(begin, end);
}

double distance(const double* values, std::int64_t d, std::int64_t i, std::int64_t j) {
  double largest = 0;
  for (std::int64_t c = 0; c < d; ++c)
    largest = std::max(largest, std::fabs(values[i * d + c] - values[j * d + c]));
  return largest;
}

/// n_xz, n_yz, n_z of point i by the definition.
std::array<std::int64_t, 3> brute_counts(const double* x, const double* y, const double* z, std::int64_t n,
                                         std::int64_t histories, std::int64_t i) {
  std::vector<double> joint;
  std::vector<std::array<double, 3>> parts;
  for (std::int64_t j = 0; j < n; ++j) {
    if (j == i) continue;
    parts.push_back({distance(x, histories, i, j), distance(y, 1, i, j), distance(z, histories, i, j)});
    joint.push_back(std::max({parts.back()[0], parts.back()[1], parts.back()[2]}));
  }
  std::nth_element(joint.begin(), joint.begin() + (kNeighbours - 1), joint.end());
  const double eps = joint[kNeighbours - 1];
  std::array<std::int64_t, 3> counts{};
  for (const auto& part : parts) {
    counts[0] += part[0] < eps && part[2] < eps;
    counts[1] += part[1] < eps && part[2] < eps;
    counts[2] += part[2] < eps;
  }
  return counts;
}

}  // namespace

Figure measure_figure(Context& context, const FigureRequest& request, std::uint64_t seed) {
  const Series series = series_of(request, seed);
  const bool network = request.variables > 2;
  const std::int64_t v = request.variables, n = request.observations, h = request.histories;
  const std::int64_t m = network ? v : 1, t = network ? v : 1;
  const auto part = [&](const Tensor& all, std::int64_t first, std::int64_t count, std::int64_t d) {
    return Tensor::from(std::span<const double>(all.as<double>().data() + first * n * d,
                                                static_cast<std::size_t>(count * n * d)),
                        {count, n, d});
  };
  const Tensor x = part(series.past, 0, m, h), y = part(series.next, network ? 0 : 1, t, 1),
               z = part(series.past, network ? 0 : 1, t, h);
  const Placed sources(context, x), next(context, y), past(context, z);
  Output values(context, DType::f64, {m, t});
  std::vector<std::int64_t> skip;
  for (std::int64_t j = 0; network && j < t; ++j) skip.push_back(j);
  const te::KsgParameters parameters{.k = kNeighbours};
  te::NetworkSurrogates surrogates{.count = request.surrogates};
  for (std::int64_t s = 0; s < m && request.surrogates > 0; ++s)
    surrogates.seeds.push_back(static_cast<std::uint64_t>(s));
  // Surrogates of a network are taken a few targets at a time, as their reduction is.
  const std::int64_t step = request.surrogates > 0 ? std::min<std::int64_t>(t, 50) : t;
  Output drawn(context, DType::f64, {m, step, request.surrogates});
  Output some_values(context, DType::f64, {m, step});

  Figure figure{request, {}, 0, 0, 0};
  const auto call = [&] {
    if (!network && request.surrogates == 0) {
      const auto flat = [](ConstTensorView view) {
        view.shape.erase(view.shape.begin());
        view.strides = contiguous_strides(view.shape);
        return view;
      };
      te::KsgOutputs outputs;
      outputs.value = values.view;
      outputs.value.shape = {1};
      outputs.value.strides = {1};
      te::ksg(context, flat(sources.view), flat(next.view), flat(past.view), {}, parameters, outputs);
      return;
    }
    te::NetworkPlan plan(context, sources.view, {}, parameters, surrogates);
    if (request.surrogates == 0) {
      plan.evaluate(context, next.view, past.view, skip, {.values = values.view});
      return;
    }
    for (std::int64_t first = 0; first < t; first += step) {
      const auto rows = [&](ConstTensorView view) {
        view.data += first * n * view.shape[2] * static_cast<std::int64_t>(sizeof(double));
        view.shape[0] = step;
        return view;
      };
      const std::span<const std::int64_t> of =
          skip.empty()
              ? std::span<const std::int64_t>()
              : std::span(skip).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(step));
      plan.evaluate(context, rows(next.view), rows(past.view), of,
                    {.values = some_values.view, .surrogates = drawn.view});
    }
  };
  call();
  context.synchronize();
  for (std::int64_t run = 0; run < request.runs; ++run) figure.samples_ms.push_back(time_of(context, call));
  context.synchronize();

  // The same plan again, with the counts of a sample written out.
  Philox random(seed, 99);
  std::vector<te::NetworkPair> pairs;
  std::set<std::pair<std::int64_t, std::int64_t>> drawn_already;
  const std::int64_t wanted =
      network ? std::max<std::int64_t>(1, std::min<std::int64_t>(1'000, 2'400'000'000 / (24 * n))) : 1;
  while (static_cast<std::int64_t>(pairs.size()) < wanted) {
    const te::NetworkPair pair{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(m))),
                               static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(t)))};
    if (network && (pair.source == pair.target || !drawn_already.insert({pair.source, pair.target}).second))
      continue;
    pairs.push_back(pair);
  }
  Output counts(context, DType::i64, {wanted, n, 3});
  if (!network) {
    Output value(context, DType::f64, {1});
    const auto flat = [](ConstTensorView view) {
      view.shape.erase(view.shape.begin());
      view.strides = contiguous_strides(view.shape);
      return view;
    };
    te::KsgOutputs outputs;
    outputs.value = value.view;
    outputs.counts = counts.view;
    outputs.counts.shape = {n, 3};
    outputs.counts.strides = {3, 1};
    te::ksg(context, flat(sources.view), flat(next.view), flat(past.view), {}, parameters, outputs);
  } else {
    te::NetworkPlan(context, sources.view, {}, parameters)
        .evaluate(context, next.view, past.view, skip,
                  {.values = values.view, .counts = counts.view, .counted = pairs});
  }
  counts.fetch(context);
  const std::int64_t points = std::clamp<std::int64_t>(4'000'000'000 / (wanted * n), 1, n);
  std::vector<std::int64_t> wrong(static_cast<std::size_t>(wanted), 0);
  const auto held = counts.host.as<std::int64_t>();
  const auto check = [&](std::int64_t p, std::int64_t i) {
    const te::NetworkPair& pair = pairs[static_cast<std::size_t>(p)];
    const auto expected =
        brute_counts(x.as<double>().data() + pair.source * n * h, y.as<double>().data() + pair.target * n,
                     z.as<double>().data() + pair.target * n * h, n, h, i);
    for (std::size_t c = 0; c < 3; ++c)
      if (held[static_cast<std::size_t>((p * n + i) * 3) + c] != expected[c]) return std::int64_t{1};
    return std::int64_t{0};
  };
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(points));
  for (std::int64_t i = 0; i < points; ++i)
    chosen[static_cast<std::size_t>(i)] =
        points == n ? i : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  std::vector<std::int64_t> wrong_points(static_cast<std::size_t>(wanted * points), 0);
  context.pool().parallel_for(wanted * points, 64, [&](std::int64_t begin, std::int64_t end, unsigned) {
    for (std::int64_t item = begin; item < end; ++item)
      wrong_points[static_cast<std::size_t>(item)] =
          check(item / points, chosen[static_cast<std::size_t>(item % points)]);
  });
  figure.pairs_checked = wanted;
  figure.points_checked = wanted * points;
  figure.counts_wrong = std::accumulate(wrong_points.begin(), wrong_points.end(), std::int64_t{0});
  return figure;
}

std::vector<FigureRequest> quoted_figures() {
  return {{.name = "one TE", .observations = 10'000},
          {.name = "one TE", .observations = 100'000},
          {.name = "one TE", .observations = 1'000'000},
          {.name = "one TE, 100 surrogates", .observations = 10'000, .surrogates = 100},
          {.name = "all pairs", .variables = 1'000, .observations = 200},
          {.name = "all pairs", .variables = 1'000, .observations = 1'000},
          {.name = "all pairs, heavy-tailed",
           .variables = 1'000,
           .observations = 1'000,
           .kind = SeriesKind::heavy_tailed},
          {.name = "all pairs, rounded to one decimal",
           .variables = 1'000,
           .observations = 1'000,
           .kind = SeriesKind::rounded},
          {.name = "all pairs, histories 2",
           .variables = 1'000,
           .observations = 1'000,
           .runs = 5,
           .histories = 2},
          {.name = "all pairs, 100 surrogates",
           .variables = 1'000,
           .observations = 1'000,
           .surrogates = 100,
           .runs = 1},
          {.name = "all pairs", .variables = 100, .observations = 10'000, .runs = 5},
          {.name = "all pairs", .variables = 100, .observations = 100'000, .runs = 2},
          {.name = "all pairs, heavy-tailed",
           .variables = 100,
           .observations = 100'000,
           .kind = SeriesKind::heavy_tailed,
           .runs = 1}};
}

}  // namespace assay::benchmarks
