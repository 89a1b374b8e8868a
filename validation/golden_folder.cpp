#include "validation/golden_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/io/bytes.hpp"
#include "engine/io/csv.hpp"

namespace assay::validation {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// Carries an error out of nested reading; does not leave this file.
struct Malformed {
  InputError error;
};

[[noreturn]] void malformed(std::string message) {
  throw Malformed{{InputError::Code::malformed, std::move(message), {}, {}, {}}};
}

// An object of the manifest together with the words that say where it stands.
class Fields {
 public:
  Fields(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) malformed(where_ + ": expected an object");
  }

  bool has(const char* name) const { return object_.contains(name) && !object_.at(name).is_null(); }
  Fields inner(const char* name) const { return {at(name), where_ + ", " + name}; }

  const json& at(const char* name) const {
    if (!object_.contains(name)) malformed(fmt::format("{}: '{}' is missing", where_, name));
    return object_.at(name);
  }
  double real(const char* name) const { return real(at(name), name); }
  std::int64_t integer(const char* name) const { return integer(at(name), name); }
  std::string text(const char* name) const {
    const json& value = at(name);
    if (!value.is_string())
      malformed(fmt::format("{}: '{}' is {}; expected a string", where_, name, shown(value)));
    return value.get<std::string>();
  }
  std::vector<std::int64_t> integers(const char* name) const {
    std::vector<std::int64_t> made;
    for (const json& value : array(name)) made.push_back(integer(value, name));
    return made;
  }
  std::vector<double> reals(const char* name) const {
    std::vector<double> made;
    for (const json& value : array(name)) made.push_back(real(value, name));
    return made;
  }
  const json& array(const char* name) const {
    const json& value = at(name);
    if (!value.is_array())
      malformed(fmt::format("{}: '{}' is {}; expected an array", where_, name, shown(value)));
    return value;
  }
  const std::string& where() const { return where_; }
  double real(const json& value, const char* name) const {
    if (!value.is_number())
      malformed(fmt::format("{}: '{}' is {}; expected a number", where_, name, shown(value)));
    return value.get<double>();
  }
  std::int64_t integer(const json& value, const char* name) const {
    if (!value.is_number_integer()) {
      malformed(fmt::format("{}: '{}' is {}; expected an integer", where_, name, shown(value)));
    }
    return value.get<std::int64_t>();
  }

 private:
  static std::string shown(const json& value) {
    return io::printable(value.dump(-1, ' ', false, json::error_handler_t::replace));
  }
  const json& object_;
  std::string where_;
};

class Reader {
 public:
  explicit Reader(std::string path) { folder_.path = std::move(path); }

  GoldenFolder read() {
    const std::string file = (fs::path(folder_.path) / "manifest.json").string();
    std::error_code code;
    if (!fs::is_directory(folder_.path, code)) {
      throw Malformed{
          {InputError::Code::not_found, folder_.path + ": no such folder of golden data", {}, {}, {}}};
    }
    if (!fs::exists(file, code)) {
      folder_.vacuous = folder_.path + ": holds no manifest.json";
      return std::move(folder_);
    }
    const auto bytes = io::read_file(file);
    if (!bytes) throw Malformed{bytes.error()};
    json document;
    try {
      document = json::parse(bytes.value().view());
    } catch (const json::parse_error& error) {
      throw Malformed{{InputError::Code::malformed,
                       fmt::format("{}: no JSON at byte {}", file, error.byte),
                       error.byte,
                       {},
                       {}}};
    }
    const Fields top(document, file);
    if (top.integer("format_version") != 1) {
      malformed(fmt::format("{}: format_version {}; expected 1", file, top.integer("format_version")));
    }
    if (top.has("units") && top.text("units") != "nats")
      malformed(file + ": units " + top.text("units") + "; expected nats");
    if (top.has("norm") && top.text("norm") != "max")
      malformed(file + ": norm " + top.text("norm") + "; expected max");
    std::size_t index = 0;
    for (const json& entry : top.array("cases")) {
      const Fields unnamed(entry, fmt::format("{}: case number {}", file, index++));
      const Fields fields(entry, file + ": case '" + unnamed.text("id") + "'");
      folder_.cases.push_back(read_case(fields));
    }
    if (folder_.cases.empty()) folder_.vacuous = file + ": holds no case";
    return std::move(folder_);
  }

 private:
  GoldenCase read_case(const Fields& fields) {
    GoldenCase made;
    made.id = fields.text("id");
    made.measure = fields.text("measure");
    made.file = fields.text("file");
    if (fields.has("use_first_rows")) made.use_first_rows = fields.integer("use_first_rows");
    if (fields.has("trial_column")) made.trial_column = fields.integer("trial_column");
    if (fields.has("n_observations")) made.observations = fields.integer("n_observations");
    if (fields.has("tags")) {
      for (const json& tag : fields.array("tags")) {
        if (!tag.is_string()) malformed(fields.where() + ": a tag is no string");
        made.tags.push_back(tag.get<std::string>());
      }
    }
    made.tolerance = fields.real("tolerance_abs");
    read_question(fields.inner("params"), made);
    if (fields.has("auto_embed")) made.search = read_search(fields.inner("auto_embed"));
    read_expected(fields, made);
    load_table(made.file, fields.where());
    return made;
  }

  static void read_question(const Fields& params, GoldenCase& made) {
    made.options.k = params.integer("k");
    made.options.algorithm = static_cast<int>(params.integer("algorithm"));
    made.options.theiler_window = params.integer("theiler");
    const std::string normalise = params.text("normalise");
    if (normalise == "embedded_columns")
      made.options.normalise = analysis::Normalise::columns;
    else if (normalise == "full_series")
      made.options.normalise = analysis::Normalise::series;
    else if (normalise == "none")
      made.options.normalise = analysis::Normalise::none;
    else
      malformed(params.where() + ": normalise '" + normalise +
                "'; expected none, embedded_columns or full_series");

    if (made.measure == "te" || made.measure == "cte" || made.measure == "te_matrix") {
      analysis::TeSpec spec;
      if (made.measure == "te_matrix") {
        made.matrix_columns = params.integers("variables");
        spec.sources = spec.targets = {};
      } else {
        spec.sources = params.integers("source");
        spec.targets = params.integers("target");
      }
      spec.k_history = params.integer("k_history");
      spec.k_tau = params.integer("k_tau");
      spec.l_history = params.integer("l_history");
      spec.l_tau = params.integer("l_tau");
      spec.delay = params.integer("delay");
      if (made.measure == "cte") {
        spec.conditionals = params.integers("conditionals");
        spec.cond_history = params.integers("cond_history");
        spec.cond_tau = params.integers("cond_tau");
        spec.cond_delay = params.integers("cond_delay");
      }
      made.question = std::move(spec);
    } else if (made.measure == "mi" || made.measure == "cmi") {
      analysis::CmiSpec spec{params.integers("x"), params.integers("y"), {}};
      if (made.measure == "cmi") spec.z = params.integers("z");
      made.question = std::move(spec);
    } else if (made.measure == "ais") {
      made.question =
          analysis::AisSpec{params.integers("series"), params.integer("k_history"), params.integer("k_tau")};
    } else {
      malformed(params.where() + ": measure '" + made.measure +
                "'; expected te, cte, te_matrix, mi, cmi or ais");
    }
  }

  static analysis::EmbedSearch read_search(const Fields& fields) {
    analysis::EmbedSearch search;
    const auto method = analysis::embed_method_of(fields.text("method"));
    if (!method) malformed(fields.where() + ": unknown method '" + fields.text("method") + "'");
    search.method = *method;
    search.k_search_max = fields.integer("k_search_max");
    search.tau_search_max = fields.integer("tau_search_max");
    if (fields.has("ragwitz_num_nns")) search.ragwitz_neighbours = fields.integer("ragwitz_num_nns");
    return search;
  }

  void read_expected(const Fields& fields, GoldenCase& made) {
    const Fields expected = fields.inner("expected");
    if (made.measure == "te_matrix") {
      const json& rows = expected.array("matrix_source_by_target");
      for (const json& row : rows) {
        if (!row.is_array() || row.size() != rows.size() || rows.size() != made.matrix_columns.size()) {
          malformed(expected.where() + ": matrix_source_by_target is not square over the variables");
        }
        auto& values = made.matrix.emplace_back();
        for (const json& value : row) {
          if (value.is_null())
            values.push_back(std::nullopt);
          else
            values.push_back(expected.real(value, "matrix_source_by_target"));
        }
      }
      return;
    }
    made.average = expected.real("average");
    if (expected.has("published")) {
      made.published = expected.real("published");
      made.published_tolerance = expected.real("published_tolerance");
    }
    if (fields.has("permutation_file")) {
      made.permutations = read_permutations(fields.text("permutation_file"));
      made.surrogate_averages = expected.reals("surrogate_averages");
      if (expected.has("p_value")) made.p_value = expected.real("p_value");
      if (made.surrogate_averages.size() != made.permutations.size()) {
        malformed(fmt::format("{}: {} surrogate_averages for {} permutations", expected.where(),
                              made.surrogate_averages.size(), made.permutations.size()));
      }
    }
    if (fields.has("local_file")) made.locals = read_locals(fields.text("local_file"));
  }

  std::string path_of(const std::string& file) const { return (fs::path(folder_.path) / file).string(); }

  io::NumberTable read_csv(const std::string& file, io::Header header) const {
    const auto opened = io::CsvFile::open(path_of(file), header);
    if (!opened) throw Malformed{opened.error()};
    auto table = opened.value().read_all();
    if (!table) throw Malformed{table.error()};
    return std::move(table).value();
  }

  void load_table(const std::string& file, const std::string& where) {
    if (folder_.tables.find(file) != folder_.tables.end()) return;
    try {
      io::NumberTable read = read_csv(file, io::Header::present);
      analysis::SeriesTable table;
      const auto columns = static_cast<std::int64_t>(read.names.size());
      table.values = Tensor::from(read.values, {read.rows, columns});
      table.names = std::move(read.names);
      folder_.tables.emplace(file, std::move(table));
    } catch (Malformed& problem) {
      problem.error.message = where + ": " + problem.error.message;
      throw;
    }
  }

  std::vector<std::vector<std::int64_t>> read_permutations(const std::string& file) const {
    const io::NumberTable table = read_csv(file, io::Header::absent);
    const std::size_t width = table.names.size();
    std::vector<std::vector<std::int64_t>> made(static_cast<std::size_t>(table.rows));
    for (std::size_t i = 0; i < table.values.size(); ++i) {
      made[i / width].push_back(static_cast<std::int64_t>(table.values[i]));
    }
    return made;
  }

  GoldenLocals read_locals(const std::string& file) const {
    const io::NumberTable table = read_csv(file, io::Header::present);
    const std::vector<std::string> expected = {"row", "kth_distance", "n_xz", "n_yz", "n_z", "local"};
    if (table.names != expected)
      malformed(path_of(file) + ": expected the columns row,kth_distance,n_xz,n_yz,n_z,local");
    GoldenLocals made;
    for (std::size_t i = 0; i < table.values.size(); i += expected.size()) {
      made.rows.push_back(static_cast<std::int64_t>(table.values[i]));
      made.kth_distance.push_back(table.values[i + 1]);
      for (std::size_t c = 2; c < 5; ++c)
        made.counts.push_back(static_cast<std::int64_t>(table.values[i + c]));
      made.values.push_back(table.values[i + 5]);
    }
    return made;
  }

  GoldenFolder folder_;
};

}  // namespace

bool GoldenCase::has_tag(std::string_view tag) const {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

bool GoldenCase::information_only() const {
  return has_tag("order_dependent_ties") || has_tag("rounding_sensitive");
}

Result<GoldenFolder> read_golden(const std::string& path) {
  try {
    return Reader(path).read();
  } catch (Malformed& problem) {
    return std::move(problem.error);
  }
}

}  // namespace assay::validation
