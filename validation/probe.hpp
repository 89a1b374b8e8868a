#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "validation/case_trace.hpp"
#include "validation/results.hpp"
#include "validation/suite.hpp"

namespace assay::validation {

/// What the cases of one check have shown so far.
struct Record {
  std::int64_t assertions = 0;
  bool used_reference = false;
  std::vector<UtilisationSample> samples;
  std::vector<std::pair<std::string, std::string>> notes;
  std::vector<Table> tables;
  std::vector<Plot> plots;
  std::optional<CaseTrace> trace;  ///< of the last case, where one is wanted: it reads every byte
};

/// The probe that the runner hands to a property: one case on one backend.
class CaseProbe final : public Probe {
 public:
  /// With `tamper`, the first call of run() in the case gives back outputs with one element changed: the
  /// kernel that every property must reject (the negative control of a property that names none of its own).
  CaseProbe(Context& context, Backend backend, std::uint64_t seed, Record& record, bool tamper = false)
      : context_(context), backend_(backend), seed_(seed), record_(record), tamper_(tamper) {}

  Context& context() override { return context_; }
  Backend backend() const override { return backend_; }
  std::uint64_t seed() const override { return seed_; }

  std::map<std::string, Tensor> run(std::string_view operation, const HostArguments& arguments,
                                    const Placements& placements = {}) override;
  std::map<std::string, Tensor> reference(std::string_view operation,
                                          const HostArguments& arguments) override;
  std::map<std::string, Tensor> expect_reference(std::string_view operation, const HostArguments& arguments,
                                                 const Placements& placements = {}) override;
  void expect_within(std::string_view what, double observed, double allowed) override;
  void expect(bool holds, std::string_view what) override;
  void expect_equal(std::string_view what, const Tensor& left, const Tensor& right) override;

  void note(std::string_view name, std::string_view value) override;
  void show(Table table) override { record_.tables.push_back(std::move(table)); }
  void show(Plot plot) override { record_.plots.push_back(std::move(plot)); }

 private:
  Context& context_;
  Backend backend_;
  std::uint64_t seed_;
  Record& record_;
  bool tamper_;
};

}  // namespace assay::validation
