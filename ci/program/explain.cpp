#include <algorithm>
#include <array>

#include "ci/program/commands.hpp"
#include "ci/program/exit_code.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/suggestion.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

/// A word that a report may say, and what a reader of it asks next.
struct Word {
  std::string_view name;
  std::string_view about;  ///< "check", "run", "benchmark" or "mutant"
  std::string_view meaning;
  std::string_view next;  ///< what to do
  int exit;
};

constexpr int ok = code_of(ExitCode::ok), incorrect = code_of(ExitCode::incorrect),
              vacuous = code_of(ExitCode::vacuous), invalid = code_of(ExitCode::invalid);

constexpr std::array<Word, 25> words{{
    {"pass", "check",
     "At least one case ran, something was asserted in it, every output was written, nothing else was, and "
     "the property "
     "held. Its negative control failed, as it must.",
     "Nothing. The share of the bound that was used stands beside it; it is information, never a verdict.",
     ok},
    {"fail", "check",
     "A property does not hold, or an element is further from the reference than its own proven bound "
     "allows, for the "
     "smallest case that could be found.",
     "Run `assay replay FILE` as printed: it repeats the case bit for bit. The kernel is wrong, the bound is "
     "wrong or the "
     "reference is wrong; find out which.",
     incorrect},
    {"xfail", "check", "It fails as an open issue says it does.", "Nothing until the issue is worked on.",
     ok},
    {"xpass", "check", "It no longer fails although the issue is open.",
     "Close the issue and take the mark away: a mark that stays hides the next failure.", incorrect},
    {"unsupported", "check", "The operation has no body for this backend.",
     "Nothing, unless it should have one (`assay list --op NAME`).", ok},
    {"not_executed", "check", "There is no device here, or the time budget ran out before its turn.",
     "Run it where the device is. Set ASSAY_REQUIRE=cuda where a missing device is a failure.", ok},
    {"vacuous", "check",
     "Nothing was compared: no case ran, a case asserted nothing, a filter matches nothing, or a golden "
     "folder is empty.",
     "Look at the filter or the generator. Green means checked, so this is not green.", vacuous},
    {"crashed", "check",
     "The process that ran it ended on its own (a signal, an exit, a lost device). Only this check is red.",
     "Run `assay replay FILE` under a debugger or compute-sanitizer.", incorrect},
    {"timeout", "check", "It did not end within its time and was ended.",
     "A hang: a barrier that some threads never reach, or a loop without an end. Only this check is red.",
     incorrect},
    {"invalid", "run",
     "A measurement cannot be used: other programs were busy, the clock was throttled in too many samples, "
     "or a time is "
     "shorter than the hardware allows.",
     "Measure again on a quiet machine. Nothing is concluded from it.", invalid},
    {"device missing", "run", "A device that ASSAY_REQUIRE names is not there.",
     "Repair the machine, not the test.", invalid},
    {"incorrect", "run", "A check is red, or a planted fault was missed.",
     "See fail, xpass, crashed, timeout, missed.", incorrect},
    {"regressed", "benchmark",
     "Slower than its baseline by more than the margin, and again when measured again.",
     "`assay bench --op NAME` on both commits; look at counters before guessing.",
     code_of(ExitCode::regressed)},
    {"improved", "benchmark", "Faster than its baseline by more than the margin.",
     "`assay baseline promote` if it is to be the new baseline.", ok},
    {"same", "benchmark", "Not further from its baseline than the margin.", "Nothing.", ok},
    {"inconclusive", "benchmark",
     "The spread is wider than the change that matters: it may be the same or not.",
     "Measure longer (`--seconds`) or on a quieter machine. Red only with --strict.",
     code_of(ExitCode::inconclusive)},
    {"vanished", "benchmark", "It is in the baseline and not in this run: removed, renamed or filtered out.",
     "Restore it, or promote a baseline without it, on purpose.", vacuous},
    {"no baseline", "run", "There is nothing to compare with in this environment.",
     "`assay gate --record-first`, or `assay baseline promote` after a run that you trust.", vacuous},
    {"environment", "benchmark",
     "It changed, and the two programs compared run the same machine code, launches and host objects: the "
     "machine is "
     "what changed.",
     "Look at the machine: frequency, placement, other programs. `assay compare --no-identity` judges it "
     "like any other.",
     ok},
    {"left out", "benchmark", "One call takes longer in the base than a comparison has time for.",
     "`assay compare --longest S` takes it in.", ok},
    {"waived", "run",
     "It is red, and a waiver (`assay gate --waivers FILE`) lets it pass until a day that it names.",
     "Mend it before that day: an expired waiver is an error.", ok},
    {"added", "benchmark", "It is in this run and not in the baseline.",
     "Nothing; it is compared from the next on.", ok},
    {"caught", "mutant", "A property turned red on the planted fault, and is green without it.", "Nothing.",
     ok},
    {"missed", "mutant", "The planted fault was reached and no property noticed.",
     "A property is missing or too weak: strengthen it until this fault cannot pass.", incorrect},
    {"not_reached", "mutant", "No property ever came to the place of the planted fault.",
     "The generators do not draw that case: extend them, or the fault is in dead code.", incorrect},
}};

int run_explain(Invocation& invocation) {
  if (invocation.positionals().empty()) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    std::string text;
    for (const Word& word : words) {
      text += fmt::format("{:<15} {:<10} exit {}  {}\n", word.name, word.about, word.exit,
                          word.meaning.substr(0, word.meaning.find_first_of(".:") + 1));
      all.push_back(
          {{"verdict", word.name}, {"of", word.about}, {"exit", word.exit}, {"meaning", word.meaning}});
    }
    if (invocation.json())
      invocation.print_json({{"verdicts", all}});
    else
      invocation.print(text);
    return ok;
  }
  // Reports write "no baseline", JSON "no_baseline".
  const std::string asked = invocation.positionals().at(0);
  const auto plain = [](std::string_view word) {
    std::string text(word);
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
  };
  const auto found = std::find_if(words.begin(), words.end(),
                                  [&](const Word& word) { return plain(word.name) == plain(asked); });
  if (found == words.end()) {
    std::vector<std::string> names;
    for (const Word& word : words) names.emplace_back(word.name);
    throw Failure(ExitCode::usage,
                  fmt::format("no verdict is called '{}'{}", asked, suggestion(asked, names)));
  }
  if (invocation.json())
    invocation.print_json({{"verdict", found->name},
                           {"of", found->about},
                           {"meaning", found->meaning},
                           {"next", found->next},
                           {"exit", found->exit}});
  else
    invocation.print(fmt::format("{} (of a {}; exit code {})\n\n{}\n\n{}\n", found->name, found->about,
                                 found->exit, found->meaning, found->next));
  return ok;
}

}  // namespace

Command describe_explain() {
  Command command;
  command.path = "explain";
  command.summary = "What a verdict means, what to do about it, and its exit code";
  command.examples =
      "Examples:\n  assay explain             every word that a report may say\n  assay explain vacuous\n"
      "Exit codes: 0 explained, 2 no such verdict.";
  command.positionals = {{"VERDICT", "a word from a report; without it, all", false}};
  command.run = run_explain;
  return command;
}

}  // namespace assay::program
