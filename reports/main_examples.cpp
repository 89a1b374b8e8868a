#include <cstdio>
#include <exception>

#include "reports/test_inputs.hpp"

/// Writes reports on the example records of the unit tests, a folder each, for what looks at them from
/// outside: the browser test, the schemas, promtool.  assay-report-examples OUT [RECORDS]
int main(int argc, char** argv) {
  using namespace assay::reports;
  if (argc < 2) {
    std::fputs("assay-report-examples: expected OUT [RECORDS]\n", stderr);
    return 2;
  }
  try {
    const std::filesystem::path out = argv[1], records = argc > 2 ? argv[2] : "";
    std::vector<test::Night> nights;
    for (int i = 0; i < 5; ++i) nights.push_back({i});
    nights.front().old_machine = true;
    nights.back().with_device = true;
    write_report(out / "green", test::after_nights(nights, records));
    write_report(out / "red", test::bad_night());
    write_report(out / "hostile", test::hostile());
    ReportInput empty;
    empty.run.run = test::run();
    empty.generated_at = utc_now();
    write_report(out / "empty", empty);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay-report-examples: %s\n", error.what());
    return 1;
  }
  return 0;
}
