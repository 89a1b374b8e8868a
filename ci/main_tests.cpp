// Every property of every operation, on every backend it names, as a GoogleTest test
// `properties.OPERATION/PROPERTY/BACKEND`, and every case of a folder of golden data as
// `golden.FOLDER/ID/BACKEND`.
//
//   assay-tests [--golden=DIR] [--seed=N] [--cases-scale=X] [GoogleTest's own options]
//
// The folder may also come from the environment, ASSAY_GOLDEN. What could not be executed (no device) is
// shown as skipped, with the reason; a run in which nothing was executed fails.

#include <gtest/gtest.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "validation/golden.hpp"
#include "validation/worker.hpp"

namespace {

using namespace assay;
using namespace assay::validation;

// Of the cases that each property asks for; the whole then takes well under a minute.
constexpr double default_cases_scale = 1;
constexpr std::chrono::seconds watchdog{120};

struct Settings {
  RunOptions run = options_from_environment();
  std::string golden;
};

class Check : public testing::Test {
 public:
  explicit Check(std::function<CheckResult()> run) : run_(std::move(run)) {}
  void TestBody() override {
    const CheckResult result = run_();
    if (result.verdict == Verdict::pass) {
      RecordProperty("cases", std::to_string(result.cases));
      RecordProperty("assertions", std::to_string(result.assertions));
      return;
    }
    const std::string line = std::string(name_of(result.verdict)) + ": " + result.message;
    if (result.verdict == Verdict::not_executed || result.verdict == Verdict::unsupported)
      GTEST_SKIP() << line;
    FAIL() << result.name() << ": " << line << "\nseed " << result.seed;
  }

 private:
  std::function<CheckResult()> run_;
};

void add(const char* suite, const std::string& name, std::function<CheckResult()> run) {
  testing::RegisterTest(suite, name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [run = std::move(run)]() -> testing::Test* { return new Check(run); });
}

template <typename Number>
bool parse_option(std::string_view argument, std::string_view name, Number& value) {
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  const auto [end, code] = std::from_chars(argument.data(), argument.data() + argument.size(), value);
  return code == std::errc{} && end == argument.data() + argument.size();
}

// Nothing where the arguments are not understood.
std::optional<Settings> parse(int argc, char** argv) {
  Settings settings;
  settings.run.cases_scale = default_cases_scale;
  if (const char* folder = std::getenv("ASSAY_GOLDEN")) settings.golden = folder;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument(argv[i]);
    if (argument.starts_with("--golden="))
      settings.golden = argument.substr(9);
    else if (!parse_option(argument, "--seed=", settings.run.seed) &&
             !parse_option(argument, "--cases-scale=", settings.run.cases_scale)) {
      std::fprintf(stderr,
                   "assay-tests: '%s' is no option; expected --golden=DIR, --seed=N, --cases-scale=X\n",
                   argv[i]);
      return std::nullopt;
    }
  }
  return settings;
}

// ASSAY_GOLDEN may name the folder of one family or the one above them.
std::string folder_with_manifest(const std::string& folder) {
  const std::filesystem::path below = std::filesystem::path(folder) / "te";
  std::error_code code;
  if (!std::filesystem::exists(std::filesystem::path(folder) / "manifest.json", code) &&
      std::filesystem::exists(below / "manifest.json", code)) {
    return below.string();
  }
  return folder;
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto status = serve_if_worker(argc, argv)) return *status;
  testing::InitGoogleTest(&argc, argv);
  const std::optional<Settings> settings = parse(argc, argv);
  if (!settings) return 2;

  const std::vector<Suite> all = suites();
  const Runner runner = isolating_runner({this_program()}, watchdog, false);
  for (const Job& job : select_jobs(all, "", {Backend::cpu, Backend::cuda, Backend::reference})) {
    add("properties", job.name(), [job, runner, &settings] { return runner(job, settings->run); });
  }

  GoldenFolder golden;
  if (settings->golden.empty()) {
    std::printf("golden: no folder given (--golden=DIR or ASSAY_GOLDEN): those cases are not run\n");
  } else {
    auto read = read_golden(folder_with_manifest(settings->golden));
    if (!read) {
      std::fprintf(stderr, "golden: %s\n", read.error().message.c_str());
      return 2;
    }
    golden = std::move(read).value();
    if (!golden.vacuous.empty()) {
      std::fprintf(stderr, "golden: %s\n", golden.vacuous.c_str());
      return 6;
    }
    const std::string name = std::filesystem::path(golden.path).lexically_normal().filename().string();
    std::printf("golden: %zu cases of %s on cpu and reference\n", golden.cases.size(), name.c_str());
    for (const GoldenCase& item : golden.cases) {
      for (const Backend backend : {Backend::cpu, Backend::reference}) {
        add("golden", name + "/" + item.id + "/" + std::string(name_of(backend)),
            [&golden, &item, backend, &settings] {
              return run_golden_case(golden, item, backend, settings->run);
            });
      }
    }
  }

  const int status = RUN_ALL_TESTS();
  const testing::UnitTest& unit = *testing::UnitTest::GetInstance();
  if (testing::GTEST_FLAG(list_tests)) return status;
  if (unit.successful_test_count() + unit.failed_test_count() == 0) {
    std::fprintf(stderr, "assay-tests: nothing was executed\n");
    return 6;
  }
  return status;
}
