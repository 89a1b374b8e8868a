#pragma once

#include <optional>
#include <string>

/// Numbers as a person reads them. What is not finite or not there is a dash: never "0" and never "nan".
namespace assay::reports {

/// Three significant digits: "12.3", "0.00123", "4.56e-09".
std::string format_number(double value);
std::string format_number(const std::optional<double>& value);

/// "312 ns", "4.56 us", "12.3 ms", "1.23 s". Zero and below are a dash: no time was measured.
std::string format_time(double nanoseconds);

/// "+12.3 %" for 1.123, "-50.0 %" for 0.5.
std::string format_change(double ratio);

/// "43.2 %".
std::string format_percent(double share);

/// "3.24x"
std::string format_factor(double factor);

/// The first twelve digits of a commit or a run id, or a dash.
std::string format_short(const std::string& id);

/// "2025-03-01 02:00" of "2025-03-01T02:00:00.000Z".
std::string format_moment(const std::string& utc);

/// "1 check", "2 checks".
std::string format_count(long long count, const std::string& singular, const std::string& plural = "");

}  // namespace assay::reports
