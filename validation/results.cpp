#include "validation/results.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace assay::validation {

namespace {

using nlohmann::json;

constexpr std::array verdict_names = {"pass",         "fail",    "xfail",   "xpass",  "unsupported",
                                      "not_executed", "vacuous", "crashed", "timeout"};
constexpr std::array kind_names = {"property", "oracle", "golden", "precondition", "mutant_control"};

template <typename Enum, typename Names>
Enum parse(const Names& names, std::string_view name, const char* what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw std::invalid_argument("no " + std::string(what) + " '" + std::string(name) + "'");
  return static_cast<Enum>(found - names.begin());
}

// JSON has no infinities: what is not finite is written by name.
json number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

double number(const json& value) {
  if (!value.is_string()) return value.get<double>();
  const auto text = value.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  return text == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}

// How bad a verdict is when several runs of one check are put together.
int badness(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return 1;
    case Verdict::xfail:
      return 2;
    case Verdict::unsupported:
    case Verdict::not_executed:
    case Verdict::vacuous:
      return 0;
    case Verdict::timeout:
      return 3;
    case Verdict::xpass:
      return 4;
    case Verdict::crashed:
      return 5;
    case Verdict::fail:
      return 6;
  }
  return 0;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  return verdict_names[static_cast<std::size_t>(verdict)];
}
std::string_view name_of(CheckKind kind) {
  return kind_names[static_cast<std::size_t>(kind)];
}
Verdict parse_verdict(std::string_view name) {
  return parse<Verdict>(verdict_names, name, "verdict");
}
CheckKind parse_check_kind(std::string_view name) {
  return parse<CheckKind>(kind_names, name, "kind of check");
}
Backend parse_backend(std::string_view name) {
  constexpr std::array names = {"cpu", "cuda", "reference"};
  return parse<Backend>(names, name, "backend");
}

bool is_red(Verdict verdict) {
  return verdict == Verdict::fail || verdict == Verdict::xpass || verdict == Verdict::crashed ||
         verdict == Verdict::timeout;
}

double UtilisationSample::utilisation() const {
  if (observed == 0) return 0;
  return allowed > 0 ? observed / allowed : std::numeric_limits<double>::infinity();
}

std::string CheckResult::name() const {
  return operation + "/" + property + "/" + backend;
}

void keep_worst(CheckResult& result, std::size_t count) {
  std::stable_sort(result.samples.begin(), result.samples.end(), [](const auto& left, const auto& right) {
    return left.utilisation() > right.utilisation();
  });
  if (result.samples.size() > count) result.samples.resize(count);
  if (result.samples.empty()) return;
  result.observed = result.samples.front().observed;
  result.allowed = result.samples.front().allowed;
  result.utilisation = result.samples.front().utilisation();
}

void merge(CheckResult& into, CheckResult&& later) {
  into.cases += later.cases;
  into.assertions += later.assertions;
  into.elapsed_ms += later.elapsed_ms;
  into.mutant_reached = into.mutant_reached || later.mutant_reached;
  if (badness(later.verdict) > badness(into.verdict)) {
    into.verdict = later.verdict;
    into.message = std::move(later.message);
    into.replay = std::move(later.replay);
    into.seed = later.seed;
  }
  if (later.kind == CheckKind::oracle) {
    into.kind = later.kind;
    into.against = later.against;
  }
  if (into.tables.empty()) into.tables = std::move(later.tables);
  if (into.plots.empty()) into.plots = std::move(later.plots);
  if (into.notes.empty()) into.notes = std::move(later.notes);
  std::move(later.samples.begin(), later.samples.end(), std::back_inserter(into.samples));
  keep_worst(into, 200);
}

void to_json(json& out, const Replay& replay) {
  out = json{{"operation", replay.operation},
             {"property", replay.property},
             {"backend", replay.backend},
             {"version", replay.version},
             {"seed", replay.seed},
             {"cases", replay.cases},
             {"size", replay.size},
             {"threads", replay.threads},
             {"fixed_schedule", replay.fixed_schedule},
             {"reproduce", replay.reproduce},
             {"message", replay.message},
             {"golden", replay.golden},
             {"counterexample", replay.counterexample},
             {"fingerprint", replay.fingerprint},
             {"inputs", replay.inputs},
             {"elements", replay.elements},
             {"non_zeros", replay.non_zeros},
             {"shrink_seconds", replay.shrink_seconds},
             {"shrunk_to_end", replay.shrunk_to_end}};
}

void from_json(const json& in, Replay& replay) {
  in.at("operation").get_to(replay.operation);
  in.at("property").get_to(replay.property);
  in.at("backend").get_to(replay.backend);
  replay.version = in.value("version", "");
  in.at("seed").get_to(replay.seed);
  replay.cases = in.value("cases", 0);
  replay.size = in.value("size", 0);
  replay.threads = in.value("threads", 0u);
  replay.fixed_schedule = in.value("fixed_schedule", false);
  in.at("reproduce").get_to(replay.reproduce);
  replay.golden = in.value("golden", "");
  replay.message = in.value("message", "");
  if (in.contains("counterexample")) in.at("counterexample").get_to(replay.counterexample);
  replay.fingerprint = in.value("fingerprint", "");
  replay.inputs = in.value("inputs", "");
  replay.elements = in.value("elements", std::int64_t{-1});
  replay.non_zeros = in.value("non_zeros", std::int64_t{0});
  replay.shrink_seconds = in.value("shrink_seconds", 0.0);
  replay.shrunk_to_end = in.value("shrunk_to_end", true);
}

void to_json(json& out, const CheckResult& result) {
  out = json{{"operation", result.operation},
             {"property", result.property},
             {"backend", result.backend},
             {"against", result.against},
             {"kind", name_of(result.kind)},
             {"verdict", name_of(result.verdict)},
             {"cases", result.cases},
             {"assertions", result.assertions},
             {"seed", result.seed},
             {"message", result.message},
             {"issue", result.issue},
             {"notes", result.notes},
             {"elapsed_ms", result.elapsed_ms},
             {"mutant_reached", result.mutant_reached}};
  if (result.observed) out["observed"] = number(*result.observed);
  if (result.allowed) out["allowed"] = number(*result.allowed);
  if (result.utilisation) out["utilisation"] = number(*result.utilisation);
  if (result.replay) out["replay"] = *result.replay;
  json& samples = out["samples"] = json::array();
  for (const auto& sample : result.samples) {
    samples.push_back({{"label", sample.label},
                       {"observed", number(sample.observed)},
                       {"allowed", number(sample.allowed)}});
  }
  json& tables = out["tables"] = json::array();
  for (const auto& table : result.tables)
    tables.push_back({{"columns", table.columns}, {"rows", table.rows}});
  json& plots = out["plots"] = json::array();
  for (const auto& plot : result.plots) {
    json series = json::array();
    for (const auto& line : plot.series) {
      json points = json::array();
      for (const auto& [x, y] : line.points) points.push_back({number(x), number(y)});
      series.push_back({{"name", line.name}, {"points", points}});
    }
    plots.push_back(
        {{"title", plot.title}, {"x_label", plot.x_label}, {"y_label", plot.y_label}, {"series", series}});
    if (plot.truth) plots.back()["truth"] = number(*plot.truth);
  }
}

void from_json(const json& in, CheckResult& result) {
  in.at("operation").get_to(result.operation);
  in.at("property").get_to(result.property);
  in.at("backend").get_to(result.backend);
  in.at("against").get_to(result.against);
  result.kind = parse_check_kind(in.at("kind").get<std::string>());
  result.verdict = parse_verdict(in.at("verdict").get<std::string>());
  in.at("cases").get_to(result.cases);
  in.at("assertions").get_to(result.assertions);
  in.at("seed").get_to(result.seed);
  in.at("message").get_to(result.message);
  in.at("issue").get_to(result.issue);
  in.at("notes").get_to(result.notes);
  in.at("elapsed_ms").get_to(result.elapsed_ms);
  in.at("mutant_reached").get_to(result.mutant_reached);
  if (in.contains("observed")) result.observed = number(in.at("observed"));
  if (in.contains("allowed")) result.allowed = number(in.at("allowed"));
  if (in.contains("utilisation")) result.utilisation = number(in.at("utilisation"));
  if (in.contains("replay")) result.replay = in.at("replay").get<Replay>();
  for (const json& sample : in.at("samples")) {
    result.samples.push_back(
        {sample.at("label").get<std::string>(), number(sample.at("observed")), number(sample.at("allowed"))});
  }
  for (const json& table : in.at("tables")) {
    Table& made = result.tables.emplace_back();
    table.at("columns").get_to(made.columns);
    table.at("rows").get_to(made.rows);
  }
  for (const json& plot : in.at("plots")) {
    Plot& made = result.plots.emplace_back();
    plot.at("title").get_to(made.title);
    plot.at("x_label").get_to(made.x_label);
    plot.at("y_label").get_to(made.y_label);
    if (plot.contains("truth")) made.truth = number(plot.at("truth"));
    for (const json& line : plot.at("series")) {
      auto& series = made.series.emplace_back();
      line.at("name").get_to(series.name);
      for (const json& point : line.at("points"))
        series.points.emplace_back(number(point.at(0)), number(point.at(1)));
    }
  }
}

}  // namespace assay::validation
