#include "ci/program/application.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <new>

#include "ci/program/failure.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/settings.hpp"
#include "ci/program/suggestion.hpp"
#include "engine/io/bytes.hpp"
#include "engine/runtime/error.hpp"
#include "fmt/format.h"
#include "reports/report.hpp"
#include "reports/store.hpp"
#include "validation/worker.hpp"

namespace assay::program {
namespace {

constexpr const char* root_examples = R"(Examples:
  assay doctor                                  what this machine has
  assay te pair --data F.csv --source x --target y --surrogates 100
  assay te generate --system ar1 --rows 2000 --out F.csv
  assay validate --op 'te.*'                    check operations against their reference
  assay nightly --out reports/out               check, measure, judge, report
`assay COMMAND --help` says more. Every option may also be set by a variable (ASSAY_THREADS=2) or in a TOML file
(--config); flags win over variables, variables over the file.
)";

/// The tree that CLI11 parses with, made from the descriptions.
class Parser {
 public:
  explicit Parser(const std::vector<Command>& all)
      : root_("Checks, measures and offers numerical operations.", "assay") {
    prepare(root_);
    root_.footer(root_examples);
    add_options(root_, common_options(), "Common options");
    for (const Command& command : all) {
      CLI::App* app = &root_;
      std::size_t begin = 0;
      while (begin <= command.path.size()) {
        const std::size_t end = std::min(command.path.find(' ', begin), command.path.size());
        app = child(*app, command.path.substr(begin, end - begin), end == command.path.size());
        begin = end + 1;
      }
      app->description(command.summary);
      app->footer(command.examples + "\n");
      add_options(*app, command.options, "Options");
      add_options(*app, common_options(), "Common options");
      for (const Positional& item : command.positionals) {
        // Whether it is there is checked later, so that `run --help` works and the message is ours.
        app->add_option(item.name, item.help);
      }
      leaves_[app] = &command;
    }
  }

  void parse(int argc, char** argv) {
    root_.parse(argc, argv);
    // CLI11's own order of complaints is of no use here: unexpected words are reported below.
  }

  CLI::App& root() { return root_; }

  /// The apps that were named, outermost first.
  std::vector<CLI::App*> chain() {
    std::vector<CLI::App*> apps{&root_};
    while (!apps.back()->get_subcommands().empty()) apps.push_back(apps.back()->get_subcommands().front());
    return apps;
  }

  const Command* command_of(CLI::App* app) const {
    const auto at = leaves_.find(app);
    return at == leaves_.end() ? nullptr : at->second;
  }

  static std::vector<std::string> names_below(CLI::App& app) {
    std::vector<std::string> names;
    for (CLI::App* item : app.get_subcommands([](CLI::App*) { return true; }))
      names.push_back(item->get_name());
    return names;
  }

 private:
  static void prepare(CLI::App& app) {
    app.set_help_flag();
    app.allow_extras();
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.get_formatter()->column_width(36);
  }

  CLI::App* child(CLI::App& parent, const std::string& name, bool leaf) {
    for (CLI::App* known : parent.get_subcommands([&](CLI::App* item) { return item->get_name() == name; }))
      return known;
    CLI::App* app = parent.add_subcommand(name, leaf ? "" : "commands on " + name);
    prepare(*app);
    if (!leaf) {
      app->description(name == "te"     ? "Transfer entropy and its kin on your data"
                       : name == "gguf" ? "Model files"
                                        : "Commands on the " + name);
      add_options(*app, common_options(), "Common options");
    }
    return app;
  }

  static void add_options(CLI::App& app, const std::vector<Option>& options, const char* group) {
    for (const Option& option : options) {
      const std::string name = option.name == "help" ? "-h,--help" : "--" + option.name;
      if (option.value.empty()) {
        app.add_flag(name, option.help)->group(group);
        continue;
      }
      CLI::Option* made = app.add_option(name);
      made->description(option.help + (option.fallback.empty() ? "" : " [" + option.fallback + "]"));
      made->group(group);
      made->type_name(option.value);
      if (option.repeated) {
        made->expected(1, 1000)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      } else {
        made->expected(1);
      }
    }
  }

  CLI::App root_;
  std::map<CLI::App*, const Command*> leaves_;
};

/// Options and positionals of the leaf and of the groups around it.
std::map<std::string, Given> collect(const std::vector<CLI::App*>& chain,
                                     std::vector<std::string>& positionals) {
  std::map<std::string, Given> given;
  for (CLI::App* app : chain) {
    for (const CLI::Option* option : app->get_options()) {
      if (option->count() == 0) continue;
      if (option->get_positional()) {
        positionals.push_back(option->results().back());
        continue;
      }
      const std::string name = option->get_lnames().front();
      const bool is_flag = option->get_expected_max() == 0;
      given[name] = {is_flag ? std::vector<std::string>{} : option->results(), "--" + name};
      if (is_flag && parse_switch(option->results().back()) == false) given[name].values = {"false"};
    }
  }
  return given;
}

/// The one line about a word that was not understood.
Failure unexpected(CLI::App& app, const std::string& word, bool is_command) {
  if (word.starts_with("-")) {
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
      if (!option->get_positional()) known.push_back("--" + option->get_lnames().front());
    }
    const std::string name = word.substr(0, word.find('='));
    return {ExitCode::usage, "unknown option '" + io::printable(name) + "'" + suggestion(name, known)};
  }
  if (!is_command) {
    const std::vector<std::string> known = Parser::names_below(app);
    return {ExitCode::usage, "unknown command '" + io::printable(word) + "'" + suggestion(word, known)};
  }
  return {ExitCode::usage, "unexpected argument '" + io::printable(word) + "'"};
}

int run_command(const Command& command, std::map<std::string, Given> given,
                std::vector<std::string> positionals) {
  merge_settings(given, command, commands());
  Invocation invocation(command, std::move(given), std::move(positionals));
  for (std::size_t i = invocation.positionals().size(); i < command.positionals.size(); ++i) {
    if (command.positionals[i].required)
      throw Failure(ExitCode::usage, command.positionals[i].name + " is required");
  }
  const int code = command.run(invocation);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw Failure(ExitCode::tool_error, "standard output cannot be written");
  }
  return code;
}

int dispatch(Parser& parser, int argc, char** argv, Console& console) {
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::vector<CLI::App*> chain = parser.chain();
    std::string path;
    for (std::size_t i = 1; i < chain.size(); ++i) path += " " + chain[i]->get_name();
    console = Console("assay" + path, false);
    throw Failure(ExitCode::usage, error.what());
  }
  const std::vector<CLI::App*> chain = parser.chain();
  CLI::App& app = *chain.back();
  std::string path;
  for (std::size_t i = 1; i < chain.size(); ++i) path += " " + chain[i]->get_name();
  console = Console("assay" + path, false);
  const Command* command = parser.command_of(&app);

  std::vector<std::string> positionals;
  std::map<std::string, Given> given = collect(chain, positionals);
  if (given.contains("version")) {
    fmt::print("assay {}\n", version());
    return code_of(ExitCode::ok);
  }
  for (CLI::App* item : chain) {
    const std::vector<std::string> words = item->remaining();
    if (!words.empty()) throw unexpected(*item, words.front(), command != nullptr);
  }
  if (given.contains("help")) {
    std::string text = command && command->special_help ? command->special_help(positionals) : "";
    if (text.empty()) {
      // The parser puts its own name behind what it is given; the whole program's is "assay" already.
      const std::size_t parent = path.rfind(' ') == std::string::npos ? 0 : path.rfind(' ');
      text = app.help(path.empty() ? "" : "assay" + path.substr(0, parent));
    }
    std::fputs(text.c_str(), stdout);
    return code_of(ExitCode::ok);
  }
  if (command == nullptr) {
    throw Failure(ExitCode::usage, fmt::format("a command is required, one of {} (--help says more)",
                                               fmt::join(Parser::names_below(app), ", ")));
  }
  return run_command(*command, std::move(given), std::move(positionals));
}

}  // namespace

std::vector<Option> common_options() {
  return {
      {"backend", "NAME", "auto, cpu, cuda or reference; auto takes cuda where a device works", "auto"},
      {"device", "N", "ordinal of the CUDA device", "0"},
      {"threads", "N", "threads of the CPU backend, 0: all that this process may use", "0"},
      {"seed", "N", "every random thing derives from it", "1"},
      {"json", "", "print one JSON document and nothing else"},
      {"quiet", "", "no notes, warnings or progress on standard error"},
      {"config", "FILE.toml", "settings; flags and ASSAY_* variables win over it"},
      {"help", "", "this help"},
      {"version", "", "the version"},
  };
}

const char* version() {
  return "0.1.0";
}

int run(int argc, char** argv) {
  if (const auto served = validation::serve_if_worker(argc, argv)) return *served;
  // A file that reaches the user's limit of size is then a write that fails, with its message, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  Console console("assay", false);
  try {
    Parser parser(commands());
    return dispatch(parser, argc, argv, console);
  } catch (const Failure& failure) {
    console.error(failure.what());
    return code_of(failure.code());
  } catch (const BackendUnavailable& error) {
    console.error(error.what());
    return code_of(ExitCode::invalid);
  } catch (const ContractError& error) {
    console.error(error.what());
    return code_of(ExitCode::usage);
  } catch (const reports::StoreError& error) {
    console.error(error.what());
    return code_of(error.bad_input() ? ExitCode::usage : ExitCode::tool_error);
  } catch (const reports::ReportError& error) {
    console.error(error.what());
    return code_of(ExitCode::tool_error);
  } catch (const std::bad_alloc&) {
    console.error("not enough memory for a problem of this size");
    return code_of(ExitCode::usage);
  } catch (const std::exception& error) {
    console.error(std::string("internal error: ") + error.what());
    return code_of(ExitCode::tool_error);
  }
}

}  // namespace assay::program
