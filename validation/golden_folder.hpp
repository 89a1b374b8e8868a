#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/analysis/auto_embed.hpp"
#include "engine/analysis/measure.hpp"
#include "engine/runtime/result.hpp"

namespace assay::validation {

/// What a golden case expects of every observation.
struct GoldenLocals {
  std::vector<std::int64_t> rows;
  std::vector<double> kth_distance;
  std::vector<std::int64_t> counts;  ///< (n, 3): n_xz, n_yz, n_z
  std::vector<double> values;        ///< nats
};

/// One case of a manifest: a question about a table, and the answer. Field by field as the manifest has it.
struct GoldenCase {
  std::string id;
  std::string measure;  ///< "te", "cte", "te_matrix", "mi", "cmi", "ais"
  std::string file;
  std::optional<std::int64_t> use_first_rows;
  std::optional<std::int64_t> trial_column;
  analysis::EstimationOptions options;
  std::variant<analysis::TeSpec, analysis::CmiSpec, analysis::AisSpec> question;
  std::vector<std::int64_t> matrix_columns;  ///< of a te_matrix
  std::optional<analysis::EmbedSearch> search;
  std::optional<std::int64_t> observations;
  double average = 0;
  double tolerance = 0;
  std::optional<double> published, published_tolerance;
  std::vector<std::vector<std::optional<double>>> matrix;  ///< [source][target]
  std::vector<std::vector<std::int64_t>> permutations;
  std::vector<double> surrogate_averages;
  std::optional<double> p_value;
  std::optional<GoldenLocals> locals;
  std::vector<std::string> tags;

  bool has_tag(std::string_view tag) const;
  /// Whether a difference beyond the tolerance is information only: the answer depends on the order of tied
  /// neighbours, or on how the normalisation was rounded.
  bool information_only() const;
};

/// A folder of golden cases with its data, read and checked.
struct GoldenFolder {
  std::string path;
  std::string vacuous;  ///< why there is nothing to run: no manifest, or one without cases; else empty
  std::vector<GoldenCase> cases;
  std::map<std::string, analysis::SeriesTable> tables;  ///< by file
};

/// Reads `manifest.json` (format_version 1, nats, maximum norm) and every file that it names. A folder
/// without a manifest, or with one that holds no case, is not an error here: `vacuous` says so. Errors, one
/// line each with the file, the case and the field: a folder that is not there, JSON that does not parse, a
/// field that is missing or has the wrong type, an unknown measure or normalisation, a data file that is
/// missing or malformed.
Result<GoldenFolder> read_golden(const std::string& path);

}  // namespace assay::validation
