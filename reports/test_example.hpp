#pragma once

#include <cmath>
#include <random>

#include "reports/test_records.hpp"

/// A night as it might really be: several operations and backends, some of it wrong, slow, missing or new.
namespace assay::reports::test {

struct Night {
  int number = 0;
  bool with_device = false;
  bool broken = false;    // a check fails, a mutant survives
  double slowdown = 1.0;  // of te.ksg at n=10000
  bool old_machine = false;
};

inline OperationInfo operation(const std::string& name, const std::string& summary, const std::string& body) {
  OperationInfo o;
  o.name = name;
  o.summary = summary;
  o.paper = "Kraskov, Stögbauer, Grassberger 2004, eq. 8";
  o.backends = body == "none" ? std::vector<std::string>{"cpu"} : std::vector<std::string>{"cpu", "cuda"};
  o.cuda_body = body;
  return o;
}

inline Benchmark timed(const std::string& operation_name, int n, double centre_ns, std::mt19937_64& noise) {
  Benchmark b;
  b.operation = operation_name;
  b.label = "n=" + std::to_string(n) + ",k=4";
  b.backend = "cpu";
  std::normal_distribution<double> spread(0.0, 0.012);
  const double level = centre_ns * (1.0 + 0.01 * std::abs(spread(noise) / 0.012));
  for (int i = 0; i < 30; ++i) b.samples_ns.push_back(level * (1.0 + std::abs(spread(noise))));
  b.flops = 40.0 * n * std::log2(n) * 12;
  b.bytes = 24.0 * n * 40;
  b.ceilings = {{"copy rate", 11.8, "GB/s", "memcpy of 256 MiB, best of 10"},
                {"fma rate", 84.0, "GFLOP/s", "independent AVX2 chains on 2 cores"}};
  b.checked = true;
  b.check_verdict = Verdict::pass;
  b.cache = "warm";
  b.threads = 2;
  b.problem_size = n;
  b.size_name = "N";
  summarise(b);
  const double roof = std::max(b.bytes / 11.8, b.flops / 84.0);
  b.roofline_share = roof / b.median_ns;
  return b;
}

inline Check bounded(const std::string& operation_name, const std::string& name, double worst,
                     std::mt19937_64& noise) {
  Check c = check(name);
  c.operation = operation_name;
  c.kind = CheckKind::oracle;
  std::lognormal_distribution<double> error(-4.0, 1.5);
  for (int i = 0; i < 60; ++i) {
    const double share = std::min(worst, worst * error(noise));
    c.samples.push_back({"n=" + std::to_string(50 + i), share * 1e-9, 1e-9});
  }
  c.samples.push_back({"worst", worst * 1e-9, 1e-9});
  c.utilisation = worst;
  c.observed_error = worst * 1e-9;
  c.allowed_error = 1e-9;
  c.elapsed_ms = 20 + 300 * worst;
  c.cases = 61;
  return c;
}

inline Check accuracy_check() {
  Check c = check("analytic_coverage");
  c.against = "analytic";
  c.table = Table{"transfer entropy of a linear-Gaussian pair, nats",
                  {"rho", "N", "truth", "KSG", "histogram", "bins", "error of KSG", "error of the histogram"},
                  {{"0.0", "1000", "0", "0.002", "0.051", "12", "0.002", "0.051"},
                   {"0.3", "1000", "0.0472", "0.0463", "0.0934", "12", "-0.0009", "0.0462"},
                   {"0.6", "1000", "0.2231", "0.2208", "0.2611", "12", "-0.0023", "0.0380"},
                   {"0.9", "1000", "0.8304", "0.8255", "0.7391", "12", "-0.0049", "-0.0913"}}};
  for (const bool ksg : {true, false}) {
    Series s;
    s.plot = "Estimate over N at rho = 0.6";
    s.name = ksg ? "KSG, k = 4" : "histogram, 12 bins";
    s.x_label = "N";
    s.y_label = "nats";
    for (const double n : {100.0, 300.0, 1000.0, 3000.0, 10000.0}) {
      s.points.push_back({n, ksg ? 0.2231 - 0.4 / n : 0.2231 + 38.0 / n});
      s.y_error.push_back(1.3 / std::sqrt(n));
    }
    s.truth = 0.2231;
    s.log_x = true;
    c.series.push_back(s);
  }
  return c;
}

inline void add_mutants(RunRecord& r, bool broken) {
  const std::vector<std::array<std::string, 4>> planted{
      {"te.ksg/non_strict", "te.ksg", "< for <=", "counts with <= where the formula has <"},
      {"te.ksg/k_minus_one", "te.ksg", "off-by-one bound", "takes the distance of neighbour k - 1"},
      {"te.ksg/psi_n", "te.ksg", "wrong formula", "adds psi(N) as the two-term form does"},
      {"te.knn/self", "te.knn", "missing mask", "does not exclude the point itself"},
      {"te.knn/theiler", "te.knn", "missing mask", "ignores the Theiler window"},
      {"te.knn/tail", "te.knn", "unhandled tail", "skips the last incomplete tile"},
      {"te.embed/delay", "te.embed", "ignored stride", "takes the delay as 1"},
      {"dense.softmax/no_max", "dense.softmax", "wrong scale", "does not subtract the maximum"}};
  for (const auto& [id, operation_name, category, change] : planted) {
    Mutant m;
    m.id = id;
    m.operation = operation_name;
    m.category = category;
    m.backend = "cpu";
    m.change = change;
    m.status = broken && id == "te.knn/tail" ? MutantStatus::missed
               : id == "te.embed/delay"      ? MutantStatus::crashed
                                             : MutantStatus::caught;
    m.property = counts_as_caught(m.status) ? "equal_neighbours" : "";
    m.cases = 7;
    r.mutants.push_back(m);
  }
}

inline void add_checks(RunRecord& r, const Night& night, std::mt19937_64& noise) {
  for (const char* name : {"chain_rule", "symmetry", "constant_shift", "affine_rescaling", "relabelling",
                           "unrelated_variables", "surrogate_mean", "nonlinear_coupling"})
    r.checks.push_back(check(name));
  std::uniform_real_distribution<double> wobble(0.8, 1.25);
  r.checks.push_back(bounded("te.ksg", "ksg_against_reference", 0.41 * wobble(noise), noise));
  r.checks.push_back(bounded("te.knn", "distances_against_reference", 0.08 * wobble(noise), noise));
  r.checks.push_back(bounded("te.digamma", "digamma_against_reference", 0.72 * wobble(noise), noise));
  r.checks.push_back(bounded("dense.softmax", "softmax_against_reference", 0.22 * wobble(noise), noise));
  r.checks.push_back(accuracy_check());
  for (int i = 0; i < 6; ++i) {
    r.checks.push_back(check("case_" + std::to_string(i)));
    r.checks.back().kind = CheckKind::golden;
    r.checks.back().against = "golden te";
  }
  r.checks.push_back(
      check("softmax_against_reference", night.with_device ? Verdict::pass : Verdict::not_executed, "cuda"));
  r.checks.back().operation = "dense.softmax";
  r.checks.back().message = night.with_device ? "" : "no CUDA device";
  if (!night.broken) return;
  r.checks[1].verdict = Verdict::fail;
  r.checks[1].message =
      "I(X;Y) = 0.1438 but I(Y;X) = 0.1441, allowed 1e-9\n  smallest case: n = 9, k = 2, 3 values <not "
      "zero>\n"
      "  x: 0 0 1 0 0 0 1 0 0";
  r.checks[1].replay = "te.ksg-symmetry-cpu-42.json";
}

inline RunRecord night(const Night& night) {
  std::mt19937_64 noise(static_cast<std::uint64_t>(night.number) + 17);
  RunRecord r;
  const std::string day = std::to_string(1 + night.number % 28);
  r.run = run("2025-03-" + std::string(day.size() == 1 ? "0" : "") + day + "T02:00:07.250Z");
  r.run.finished_at = r.run.started_at.substr(0, 14) + "09:41.000Z";
  r.run.commit = std::to_string(1000 + night.number) + "a7c3f0d2e4b59687a1c2d3e4f5061728394a5";
  r.run.seed = 20250301;
  r.run.state = RunState::complete;
  if (night.old_machine) r.run.environment.facts["cpu"] = "Older CPU 2.4 GHz";
  if (night.with_device) r.run.environment.facts["device"] = "NVIDIA H200";
  r.operations = {operation("te.ksg", "conditional mutual information, Kraskov's estimator", "none"),
                  operation("te.knn", "k nearest neighbours in max-norm", "none"),
                  operation("te.digamma", "digamma function", "none"),
                  operation("te.range_count", "points within each point's own radius", "none"),
                  operation("dense.softmax", "softmax over rows", "shared")};
  add_checks(r, night, noise);
  const double machine = night.old_machine ? 1.4 : 1.0;
  for (const int n : {1000, 3000, 10000, 30000}) {
    const double slow = n == 10000 ? night.slowdown : 1.0;
    r.benchmarks.push_back(timed("te.ksg", n, machine * slow * 130.0 * n * std::log2(n), noise));
    r.benchmarks.push_back(timed("te.knn", n, machine * 85.0 * n * std::log2(n), noise));
    Benchmark peer = timed("te.ksg", n, machine * 1150.0 * n * std::log2(n), noise);
    peer.peer = "JIDT";
    peer.roofline_share.reset();
    r.benchmarks.push_back(peer);
  }
  add_mutants(r, night.broken);
  return r;
}

}  // namespace assay::reports::test
