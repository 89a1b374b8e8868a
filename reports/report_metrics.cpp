#include <fmt/format.h>

#include <cmath>

#include "reports/escape.hpp"
#include "reports/report.hpp"

namespace assay::reports {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

std::string metric_value(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

/// One metric with all its samples. A set of labels occurs once: the last value counts.
class Gauge {
 public:
  Gauge(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}

  void set(const Labels& labels, double value) { samples_[text(labels)] = value; }
  void count(const Labels& labels) { samples_[text(labels)] += 1.0; }

  std::string exposition() const {
    if (samples_.empty()) return {};
    std::string out = fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name_, help_);
    for (const auto& [labels, value] : samples_) out += name_ + labels + ' ' + metric_value(value) + '\n';
    return out;
  }

 private:
  static std::string text(const Labels& labels) {
    std::string out;
    for (const auto& [name, value] : labels)
      out += (out.empty() ? "{" : ",") + name + "=\"" + escape_prometheus(value) + '"';
    return out.empty() ? out : out + '}';
  }

  std::string name_;
  std::string help_;
  std::map<std::string, double> samples_;
};

std::string check_metrics(const ReportInput& input) {
  Gauge verdicts("assay_checks", "Checks of the run by operation, backend and verdict.");
  Gauge utilisation("assay_bound_utilisation_ratio", "Worst observed error over the error allowed.");
  for (const Check& check : input.run.checks) {
    verdicts.count({{"operation", check.operation},
                    {"backend", check.backend},
                    {"verdict", std::string(to_string(check.verdict))}});
    if (check.utilisation)
      utilisation.set({{"operation", check.operation},
                       {"check", check.name},
                       {"kind", std::string(to_string(check.kind))},
                       {"backend", check.backend}},
                      *check.utilisation);
  }
  Gauge mutants("assay_mutants", "Planted faults by operation, backend and status.");
  for (const Mutant& mutant : input.run.mutants)
    mutants.count({{"operation", mutant.operation},
                   {"backend", mutant.backend},
                   {"status", std::string(to_string(mutant.status))}});
  return verdicts.exposition() + utilisation.exposition() + mutants.exposition();
}

std::string benchmark_metrics(const ReportInput& input) {
  Gauge median("assay_benchmark_median_seconds", "Median time of one iteration.");
  Gauge low("assay_benchmark_median_low_seconds", "Lower end of the 95 % interval of the median.");
  Gauge high("assay_benchmark_median_high_seconds", "Upper end of the 95 % interval of the median.");
  Gauge share("assay_benchmark_roofline_ratio", "Share of the measured roofline.");
  Gauge valid("assay_benchmark_valid", "1 where the measurement can be used.");
  for (const Benchmark& benchmark : input.run.benchmarks) {
    const Labels labels{{"operation", benchmark.operation},
                        {"case", benchmark.label},
                        {"backend", benchmark.backend},
                        {"peer", benchmark.peer}};
    valid.set(labels, benchmark.validity == Validity::valid ? 1.0 : 0.0);
    if (benchmark.median_ns > 0.0) median.set(labels, benchmark.median_ns / 1e9);
    if (benchmark.high_ns > 0.0) {
      low.set(labels, benchmark.low_ns / 1e9);
      high.set(labels, benchmark.high_ns / 1e9);
    }
    if (benchmark.roofline_share) share.set(labels, *benchmark.roofline_share);
  }
  return median.exposition() + low.exposition() + high.exposition() + share.exposition() + valid.exposition();
}

}  // namespace

std::string metrics_report(const ReportInput& input) {
  const Run& run = input.run.run;
  Gauge info("assay_run_info", "The run that these values are of.");
  info.set({{"id", run.id},
            {"command", run.command},
            {"branch", run.branch},
            {"commit", run.commit},
            {"fingerprint", run.environment.fingerprint()},
            {"started_at", run.started_at}},
           1.0);
  Gauge exit_code("assay_gate_exit_code", "Exit code of the gate; 0 is green.");
  exit_code.set({}, input.gate.exit_code);
  Gauge items("assay_gate_items", "What the gate looked at, by verdict.");
  for (const auto& [verdict, count] : input.gate.counts)
    items.set({{"verdict", std::string(to_string(verdict))}}, count);
  return info.exposition() + exit_code.exposition() + items.exposition() + check_metrics(input) +
         benchmark_metrics(input);
}

}  // namespace assay::reports
