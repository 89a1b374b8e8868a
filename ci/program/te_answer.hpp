#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ci/program/backend_choice.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/series_input.hpp"
#include "engine/analysis/measure.hpp"

namespace assay::program {

/// One estimate with what it came from: what the te commands print.
struct TeAnswer {
  std::string measure;   ///< "transfer entropy"
  std::string question;  ///< "x -> y given z"
  bool transfer = true;  ///< the value is called te_nats, else value_nats
  analysis::Estimate estimate;
  analysis::MeasureOptions options;
  nlohmann::ordered_json parameters;  ///< further members of the JSON document: columns, histories
  double elapsed_ms = 0;
};

/// Prints it: the JSON document, or lines that explain the number.
void print_answer(const Invocation& invocation, const ChosenBackend& chosen, const TeAnswer& answer);

/// Whether anything random takes part; then the seed is said on standard error.
void note_seed(const Invocation& invocation, const analysis::MeasureOptions& options);

/// "x, y" of the named columns of a table.
std::string names_of(const analysis::SeriesTable& table, const std::vector<std::int64_t>& columns);

/// The same as a list.
std::vector<std::string> name_list(const analysis::SeriesTable& table,
                                   const std::vector<std::int64_t>& columns);

/// Milliseconds since a moment.
double milliseconds_since(std::chrono::steady_clock::time_point start);

/// A number for people: six significant digits.
std::string number_text(double value);

}  // namespace assay::program
