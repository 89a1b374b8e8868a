#include "ci/program/translate.hpp"

#include "engine/operation.hpp"
#include "reports/statistics.hpp"

namespace assay::program {
namespace {

reports::Verdict verdict_of(validation::Verdict verdict) {
  return reports::parse_verdict(validation::name_of(verdict)).value();
}

reports::CheckKind kind_of(validation::CheckKind kind) {
  switch (kind) {
    case validation::CheckKind::property:
      return reports::CheckKind::property;
    case validation::CheckKind::oracle:
      return reports::CheckKind::oracle;
    case validation::CheckKind::golden:
      return reports::CheckKind::golden;
    case validation::CheckKind::precondition:
      return reports::CheckKind::precondition;
    case validation::CheckKind::mutant_control:
      return reports::CheckKind::mutant_control;
  }
  return reports::CheckKind::property;
}

}  // namespace

reports::Check check_of(const validation::CheckResult& result, const std::string& replay) {
  reports::Check check;
  check.operation = result.operation;
  check.name = result.property;
  check.backend = result.backend;
  check.against = result.against;
  check.kind = kind_of(result.kind);
  check.verdict = verdict_of(result.verdict);
  check.cases = result.cases;
  check.seed = result.seed;
  check.observed_error = result.observed;
  check.allowed_error = result.allowed;
  check.utilisation = result.utilisation;
  for (const auto& sample : result.samples)
    check.samples.push_back({sample.label, sample.observed, sample.allowed});
  check.message = result.message;
  check.replay = replay;
  check.issue = result.issue;
  check.elapsed_ms = result.elapsed_ms;
  for (const auto& [name, value] : result.notes) check.notes[name] = value;
  if (!result.tables.empty())
    check.table = reports::Table{"", result.tables.front().columns, result.tables.front().rows};
  for (const validation::Plot& plot : result.plots) {
    for (const auto& line : plot.series) {
      reports::Series series;
      series.plot = plot.title;
      series.name = line.name;
      series.x_label = plot.x_label;
      series.y_label = plot.y_label;
      for (const auto& [x, y] : line.points) series.points.push_back({x, y});
      series.truth = plot.truth;
      check.series.push_back(std::move(series));
    }
  }
  return check;
}

reports::Benchmark benchmark_of(const benchmarks::Measurement& measurement, std::uint64_t seed) {
  reports::Benchmark made;
  made.operation = measurement.operation;
  made.label = measurement.label;
  made.backend = assay::name_of(measurement.backend);
  made.peer = measurement.peer;
  made.samples_ns = measurement.samples_ns;
  made.flops = measurement.flops;
  made.bytes = measurement.bytes;
  for (const auto& ceiling : measurement.ceilings) {
    made.ceilings.push_back({ceiling.name, ceiling.value, ceiling.unit, ceiling.how});
  }
  if (measurement.roofline_share > 0) made.roofline_share = measurement.roofline_share;
  made.impossible = measurement.impossible;
  made.checked = measurement.checked;
  made.check_verdict = !measurement.failure.empty() ? reports::Verdict::fail
                       : measurement.checked        ? reports::Verdict::pass
                                                    : reports::Verdict::not_executed;
  const bool unusable = !measurement.invalid_reason.empty() || !measurement.failure.empty();
  made.validity = unusable ? reports::Validity::invalid : reports::Validity::valid;
  made.invalid_reason = measurement.failure.empty() ? measurement.invalid_reason
                                                    : "the answer is wrong: " + measurement.failure;
  made.cache = measurement.cache;
  made.threads = static_cast<int>(measurement.threads);
  made.iterations = measurement.calls_per_sample;
  made.problem_size = measurement.size;
  made.size_name = measurement.size_name;
  made.axes = measurement.axes;
  made.chosen = measurement.chosen;
  made.telemetry = {measurement.telemetry.begin(), measurement.telemetry.end()};
  made.notes["seed"] = std::to_string(seed);
  reports::summarise(made);
  return made;
}

std::string_view name_of(CudaBody body) {
  switch (body) {
    case CudaBody::none:
      return "none";
    case CudaBody::shared:
      return "shared";
    case CudaBody::cuda_only:
      return "cuda-only";
  }
  return "none";
}

std::vector<std::string> backends_of(const Operation& operation) {
  std::vector<std::string> backends{"cpu"};
  if (operation.has(Backend::cuda)) backends.emplace_back("cuda");
  backends.emplace_back("reference");
  return backends;
}

std::vector<reports::OperationInfo> operation_infos(const std::vector<validation::Suite>& properties,
                                                    const std::vector<benchmarks::Suite>& sizes) {
  std::vector<reports::OperationInfo> infos;
  for (const Operation& operation : operations()) {
    reports::OperationInfo info;
    info.name = operation.name;
    info.summary = operation.summary;
    info.paper = operation.paper;
    info.backends = backends_of(operation);
    info.cuda_body = name_of(operation.cuda_body);
    for (const auto& suite : properties) {
      if (suite.operation() != operation.name) continue;
      for (const auto& property : suite.properties()) info.properties.push_back(property.name);
    }
    for (const auto& suite : sizes) {
      if (suite.operation() != operation.name) continue;
      for (const auto& item : suite.cases()) info.benchmark_cases.push_back(item.label);
      for (const auto& item : suite.scalings()) info.scalings.push_back({item.axis, item.exponent, item.why});
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace assay::program
