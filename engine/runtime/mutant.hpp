#pragma once

#include <string_view>

namespace assay {

/// Planted faults ("mutants") that test the tests. The usual build holds none: `mutant` is a constant there
/// and costs nothing. The second program of the same build, `assay-mutants`, is compiled from the same
/// sources with ASSAY_MUTANTS and carries all of them; one is selected when the process starts, by the
/// environment variable ASSAY_MUTANT. That is the one piece of process-wide state, and it is read-only.
#ifdef ASSAY_MUTANTS
namespace detail {
/// True where the process was started with that mutant; remembers that the place was reached.
bool mutant_selected(std::string_view id);
}  // namespace detail
inline bool mutant(std::string_view id) {
  return detail::mutant_selected(id);
}
#else
constexpr bool mutant(std::string_view) {
  return false;
}
#endif

/// The fault that this process was started with; empty where there is none, as in the usual build. For faults
/// that are not a line in a body: slowdowns, which the benchmarks' runner plants around what it times.
std::string_view selected_mutant();

/// Whether the selected mutant was ever asked for where it takes effect; false in the usual build. Callers
/// need not be compiled with ASSAY_MUTANTS themselves.
bool mutant_reached();

}  // namespace assay
