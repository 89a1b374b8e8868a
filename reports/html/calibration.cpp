#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "reports/calibration.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"
#include "reports/html/sections.hpp"
#include "reports/statistics.hpp"

/// How far the verdicts of this report can be trusted: what `assay calibrate` and `assay mutate` counted, on
/// this machine and on recorded ones.
namespace assay::reports::html {
namespace {

constexpr long long cases_asked = 100'000;
constexpr long long replays_asked = 200;
constexpr double mutants_asked = 0.97, mechanical_asked = 0.85;

std::string missing(std::string_view what, std::string_view command) {
  return fmt::format("<p class=\"none\">{}: no data yet: run <code>{}</code></p>\n", what, command);
}

std::string part(std::string_view title, const std::string& html) {
  return fmt::format("<h3>{}</h3>\n{}", title, html);
}

std::string with_commas(long long count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

Cell big_cell(long long count) {
  return {with_commas(count), std::to_string(count), true};
}

Cell share_cell(std::int64_t good, std::int64_t all, double asked) {
  const double share = all > 0 ? static_cast<double>(good) / static_cast<double>(all) : std::nan("");
  return {meter(share, fmt::format("{} of {}", good, all), share >= asked ? "plain" : "bad"),
          fmt::format("{}", share)};
}

std::string where(const Run& run) {
  return fmt::format("{} UTC at commit {}{}", format_moment(run.started_at), format_short(run.commit),
                     run.dirty ? " with local changes" : "");
}

std::string false_red_table(const std::vector<Tally>& tallies, const char* caption, std::size_t fold_after) {
  Grid grid;
  grid.caption = caption;
  grid.wide = true;
  grid.columns = {"scope",           "backend", "random cases",    "reds", "rate at most (95 %)",
                  "of a bound used", "commit",  "newest run (UTC)"};
  for (const Tally& tally : tallies) {
    grid.rows.push_back({text_cell(tally.scope),
                         text_cell(tally.backend),
                         big_cell(tally.trials),
                         {badge(with_commas(tally.failures), tally.failures == 0 ? "good" : "bad"),
                          std::to_string(tally.failures)},
                         number_cell(tally.upper_bound(), format_number(tally.upper_bound())),
                         {tally.utilisation ? format_percent(*tally.utilisation) : "–",
                          fmt::format("{}", tally.utilisation.value_or(0)), true},
                         code_cell(format_short(tally.commit) + (tally.dirty ? " +" : "")),
                         text_cell(format_moment(tally.when))});
  }
  return table(grid, fold_after);
}

std::string false_reds(const ReportInput& input) {
  const auto families = tallies(input.calibrations, CalibrationSubject::false_reds,
                                [](const Calibration& item) { return family_of(item.operation); });
  if (families.empty()) return missing("False reds", "assay calibrate false-reds");
  const auto operations = tallies(input.calibrations, CalibrationSubject::false_reds,
                                  [](const Calibration& item) { return item.operation; });
  std::string out =
      paragraph(fmt::format("Random cases of the unchanged program: each red is a wrong alarm or a fault. At "
                            "least {} of each family "
                            "are asked for, without a red. The upper bound of the rate is Clopper and "
                            "Pearson's, exact and one-sided; "
                            "a share of a proven bound above 100 % would have been red.",
                            with_commas(cases_asked)));
  out += false_red_table(families, "By family and backend, newest sources first", 12);
  return out + false_red_table(operations, "By operation and backend", 1);
}

long long note_number(const Calibration& item, const char* name) {
  const auto found = item.notes.find(name);
  return found == item.notes.end() ? -1 : std::strtoll(found->second.c_str(), nullptr, 10);
}

std::string note(const Calibration& item, const char* name) {
  const auto found = item.notes.find(name);
  return found == item.notes.end() ? "" : found->second;
}

std::string replays_of(const RunRecord& record, const std::string& backend) {
  std::vector<const Calibration*> items;
  for (const Calibration* item : of_subject(record, CalibrationSubject::replay))
    if (item->backend == backend) items.push_back(item);
  std::int64_t same = 0, in_time = 0, sparse = 0, dense = 0, with_inputs = 0;
  std::vector<double> seconds;
  for (const Calibration* item : items) {
    same += item->failures == 0;
    seconds.push_back(item->value.value_or(0.0));
    in_time +=
        note(*item, "shrunk_to_end") == "yes" && item->value.value_or(0.0) <= item->limit.value_or(60.0);
    if (note_number(*item, "elements") < 0) continue;
    ++with_inputs;
    sparse += note_number(*item, "non_zeros") <= 64;
    dense += !note(*item, "dense_because").empty();
  }
  const auto all = static_cast<std::int64_t>(items.size());
  Grid sums;
  sums.caption = fmt::format("Planted failures on {}: {}", backend, where(record.run));
  sums.stack = true;
  sums.columns = {"what", "count", "of which"};
  sums.rows.push_back(
      {text_cell("replayed in a fresh process, the same bit for bit"), share_cell(same, all, 1.0),
       text_cell(all >= replays_asked ? "" : fmt::format("{} are asked for", replays_asked))});
  sums.rows.push_back({text_cell("shrunk to the end within 60 s"), share_cell(in_time, all, 1.0),
                       text_cell(fmt::format("median {}, slowest {}", format_time(median(seconds) * 1e9),
                                             format_time(quantile(seconds, 1.0) * 1e9)))});
  sums.rows.push_back({text_cell("at most 64 non-zeros in the smallest failing case"),
                       share_cell(sparse, with_inputs - dense, 1.0),
                       text_cell(dense == 0 ? "of those that call an operation"
                                            : fmt::format("of those that call an operation; {} beside them "
                                                          "can have no fewer, and say why",
                                                          dense))});
  std::stable_sort(items.begin(), items.end(), [](const Calibration* a, const Calibration* b) {
    if (a->failures != b->failures) return a->failures > b->failures;
    return note_number(*a, "non_zeros") > note_number(*b, "non_zeros");
  });
  Grid grid;
  grid.caption = "Each planted failure, what did not replay and the largest first";
  grid.columns = {"replay",    "fault",     "found by", "smallest failing case",
                  "non-zeros", "shrunk in", "message"};
  for (const Calibration* item : items) {
    grid.rows.push_back(
        {{badge(item->failures == 0 ? "same" : "different", item->failures == 0 ? "good" : "bad"),
          std::to_string(item->failures)},
         code_cell(item->name),
         code_cell(note(*item, "property")),
         text_cell(note(*item, "inputs").empty() ? "–" : note(*item, "inputs")),
         count_cell(note_number(*item, "non_zeros")),
         time_cell(item->value.value_or(0.0) * 1e9),
         text_cell(!item->message.empty()                  ? item->message
                   : !note(*item, "dense_because").empty() ? note(*item, "dense_because")
                                                           : "–")});
  }
  return table(sums) + table(grid, 1);
}

std::string replays(const ReportInput& input) {
  std::string out;
  for (const char* backend : {"cpu", "cuda"}) {
    const RunRecord* record = newest_with(input.calibrations, CalibrationSubject::replay, backend);
    if (record != nullptr) out += replays_of(*record, backend);
  }
  return out.empty() ? missing("Replays and shrinking", "assay calibrate replays") : out;
}

/// The newest run with planted faults on a backend.
const RunRecord* newest_mutants(const ReportInput& input, std::string_view backend) {
  const RunRecord* newest = nullptr;
  for (const RunRecord& record : input.calibrations) {
    const bool holds = std::any_of(record.mutants.begin(), record.mutants.end(),
                                   [&](const Mutant& mutant) { return mutant.backend == backend; });
    if (holds && (newest == nullptr || record.run.started_at > newest->run.started_at)) newest = &record;
  }
  return newest;
}

std::string mutants_by_class(const ReportInput& input) {
  std::set<std::string> classes;
  std::map<std::string, std::map<std::string, std::pair<int, int>>> cells;  // backend, class: caught, all
  std::map<std::string, std::pair<int, int>> whole;
  std::string out;
  for (const char* backend : {"cpu", "cuda"}) {
    const RunRecord* record = newest_mutants(input, backend);
    if (record == nullptr) continue;
    for (const Mutant& mutant : record->mutants) {
      if (mutant.backend != backend) continue;
      classes.insert(mutant.category);
      for (auto* count : {&cells[backend][mutant.category], &whole[backend]}) {
        count->first += counts_as_caught(mutant.status);
        ++count->second;
      }
    }
    const auto& [caught, all] = whole[backend];
    out += paragraph(fmt::format("On {} {} of {} were caught ({}; at least {} are asked for): {}.", backend,
                                 caught, all, format_percent(static_cast<double>(caught) / all),
                                 format_percent(mutants_asked), where(record->run)));
  }
  if (whole.empty()) return missing("Planted faults", "assay mutate --record");
  Grid grid;
  grid.caption = "Caught of planted, by class of fault and backend";
  grid.columns = {"class of fault"};
  for (const auto& [backend, count] : whole) grid.columns.push_back(backend);
  for (const std::string& category : classes) {
    std::vector<Cell> row{text_cell(category.empty() ? "–" : category)};
    for (const auto& [backend, count] : whole) {
      const auto found = cells[backend].find(category);
      row.push_back(found == cells[backend].end()
                        ? Cell{"<span class=\"empty\">·</span>", "-1"}
                        : share_cell(found->second.first, found->second.second, 1.0));
    }
    grid.rows.push_back(std::move(row));
  }
  return out + table(grid, 8);
}

std::string mechanical(const ReportInput& input) {
  const RunRecord* record = newest_with(input.calibrations, CalibrationSubject::mechanical);
  if (record == nullptr)
    return missing("Mechanical score",
                   "validation/mechanical/sample.py --json F; assay calibrate mechanical F");
  const auto items = of_subject(*record, CalibrationSubject::mechanical);
  std::int64_t judged = 0, survived = 0;
  Grid grid;
  grid.caption = "Mutations drawn by a seed, by source";
  grid.columns = {"source", "killed"};
  for (const Calibration* item : items) {
    judged += item->trials;
    survived += item->failures;
    grid.rows.push_back(
        {code_cell(item->name), share_cell(item->trials - item->failures, item->trials, mechanical_asked)});
  }
  const double score = judged > 0 ? 1.0 - static_cast<double>(survived) / static_cast<double>(judged) : 0.0;
  return paragraph(fmt::format("{} of {} mutations that nobody chose were killed ({}; at least {} are asked "
                               "for): {}.",
                               judged - survived, judged, format_percent(score),
                               format_percent(mechanical_asked), where(record->run))) +
         table(grid, 6);
}

std::string exploits(const ReportInput& input) {
  const RunRecord* record = newest_with(input.calibrations, CalibrationSubject::exploit);
  if (record == nullptr) return missing("Exploits", "assay calibrate exploits");
  const auto items = of_subject(*record, CalibrationSubject::exploit);
  Grid grid;
  grid.caption = "Cheats that a weaker harness lets through";
  grid.columns = {"a kernel or a run that", "verdict", "rejected in"};
  std::int64_t rejected = 0;
  for (const Calibration* item : items) {
    const bool good = item->failures == 0;
    rejected += good;
    grid.rows.push_back({text_cell(item->name),
                         {badge(good ? "rejected" : "let through", good ? "good" : "bad")},
                         code_cell(note(*item, "test"))});
  }
  return paragraph(fmt::format("{} of {} were rejected: {}.", rejected, items.size(), where(record->run))) +
         table(grid, 4);
}

std::string times(const ReportInput& input) {
  Grid grid;
  grid.caption = "Time asked for and taken, from the newest run of each";
  grid.wide = true;
  grid.columns = {"what", "backend", "asked", "took", "off by", "verdict", "cores", "run (UTC)"};
  for (const CalibrationSubject subject : {CalibrationSubject::validate, CalibrationSubject::budget}) {
    const RunRecord* record = newest_with(input.calibrations, subject);
    if (record == nullptr) continue;
    for (const Calibration* item : of_subject(*record, subject)) {
      const bool whole = subject == CalibrationSubject::validate;
      const double took = item->value.value_or(0.0), asked = item->limit.value_or(0.0);
      grid.rows.push_back(
          {text_cell(whole ? "a whole validate" : "validate --budget " + item->name),
           text_cell(item->backend),
           number_cell(asked, (whole ? "at most " : "") + fmt::format("{:.0f} s", asked)),
           number_cell(took, fmt::format("{:.2f} s", took)),
           {whole || asked <= 0 ? "–" : format_change(took / asked), "", true},
           {badge(item->failures == 0 ? "kept" : "missed", item->failures == 0 ? "good" : "bad")},
           text_cell(note(*item, "cores")),
           text_cell(format_moment(record->run.started_at))});
    }
  }
  return grid.rows.empty() ? missing("Times", "assay calibrate budget") : table(grid);
}

std::int64_t number_in(const Calibration& item, const char* key) {
  return std::strtoll(note(item, key).c_str(), nullptr, 10);
}

/// Programs without a change, compared: the run is what is independent, so the bound is by run.
std::string false_changes(const ReportInput& input) {
  const RunRecord* record = newest_with(input.calibrations, CalibrationSubject::false_changes);
  if (record == nullptr) return missing("Comparisons without a change", "assay aa");
  Grid grid;
  grid.caption = "A program compared with itself: " + where(record->run);
  grid.wide = true;
  grid.columns = {"programs",
                  "measure",
                  "backend",
                  "runs",
                  "cases",
                  "changes shown",
                  "before confirmation",
                  "same",
                  "a run shows one at most at (95 %, by run)"};
  for (const Calibration* item : of_subject(*record, CalibrationSubject::false_changes)) {
    const double bound = rate_upper_bound(number_in(*item, "changed_runs"), number_in(*item, "runs"));
    const double same =
        item->trials > 0 ? static_cast<double>(number_in(*item, "same")) / static_cast<double>(item->trials)
                         : 0.0;
    grid.rows.push_back({text_cell(item->name),
                         text_cell(note(*item, "measure")),
                         text_cell(item->backend),
                         text_cell(note(*item, "runs")),
                         number_cell(static_cast<double>(item->trials), std::to_string(item->trials)),
                         {badge(std::to_string(item->failures), item->failures == 0 ? "good" : "bad")},
                         text_cell(note(*item, "alarms")),
                         number_cell(same, format_percent(same)),
                         number_cell(bound, format_percent(bound))});
  }
  return table(grid);
}

std::string slowdowns(const ReportInput& input) {
  const RunRecord* record = newest_with(input.calibrations, CalibrationSubject::slowdowns);
  if (record == nullptr) return missing("Planted slowdowns", "assay aa --planted");
  Grid grid;
  grid.caption = "Slowdowns planted at run time, and how many were found: " + where(record->run);
  grid.wide = true;
  grid.columns = {"planted", "measure", "backend", "found", "at least (95 %)"};
  for (const Calibration* item : of_subject(*record, CalibrationSubject::slowdowns)) {
    const double least = 1.0 - rate_upper_bound(item->failures, item->trials);
    grid.rows.push_back({text_cell(item->name), text_cell(note(*item, "measure")), text_cell(item->backend),
                         share_cell(item->trials - item->failures, item->trials, 0.0),
                         number_cell(least, format_percent(least))});
  }
  return table(grid);
}

/// Rows filtered beside the reference: the newest run of each backend.
std::string filters(const ReportInput& input) {
  Grid grid;
  grid.caption = "Random rows whose survivors were compared with the reference's, newest run of each backend";
  grid.wide = true;
  grid.columns = {"operation",
                  "backend",
                  "rows",
                  "differ",
                  "within 1e-9 of the threshold",
                  "of which differ",
                  "not put there on purpose",
                  "of which differ",
                  "sources"};
  for (const char* const backend : {"cpu", "cuda"}) {
    const RunRecord* record = newest_with(input.calibrations, CalibrationSubject::filters, backend);
    if (record == nullptr) continue;
    for (const Calibration* item : of_subject(*record, CalibrationSubject::filters))
      grid.rows.push_back({text_cell(item->operation),
                           text_cell(item->backend),
                           number_cell(static_cast<double>(item->trials), with_commas(item->trials)),
                           {badge(with_commas(item->failures), item->failures == 0 ? "good" : "bad")},
                           text_cell(note(*item, "close_calls")),
                           text_cell(note(*item, "differing_among_close")),
                           text_cell(note(*item, "drawn_close_calls")),
                           text_cell(note(*item, "drawn_differing")),
                           code_cell(format_short(record->run.commit) + (record->run.dirty ? " +" : ""))});
  }
  return grid.rows.empty() ? missing("Filters beside the reference", "assay calibrate filters") : table(grid);
}

}  // namespace

std::string calibration(const ReportInput& input) {
  std::string body = paragraph(
      "What the harness does when it is measured itself. Newest figures of each kind, from this store and "
      "from "
      "the records in the repository; none of them takes part in the verdict above.",
      "note");
  body += part("Wrong alarms", false_reds(input));
  body += part("Planted failures: replayed and shrunk", replays(input));
  body += part("Planted faults by class", mutants_by_class(input));
  body += part("Mutations that nobody chose", mechanical(input));
  body += part("Exploits", exploits(input));
  body += part("Comparisons of builds: nothing changed", false_changes(input));
  body += part("Comparisons of builds: slowdowns planted", slowdowns(input));
  body += part("Filters beside the reference: close calls", filters(input));
  body += part("Time", times(input));
  return section("calibration", "Calibration: how far these verdicts can be trusted", body);
}

}  // namespace assay::reports::html
