#include "engine/runtime/mutant.hpp"

#ifdef ASSAY_MUTANTS
#include <atomic>
#include <cstdlib>
#include <string>

namespace assay {

namespace {
std::atomic<bool> reached{false};
}

namespace detail {
bool mutant_selected(std::string_view id) {
  if (id != selected_mutant()) return false;
  reached.store(true, std::memory_order_relaxed);
  return true;
}
}  // namespace detail

std::string_view selected_mutant() {
  static const std::string selected = [] {
    const char* name = std::getenv("ASSAY_MUTANT");
    return std::string(name == nullptr ? "" : name);
  }();
  return selected;
}

bool mutant_reached() {
  return reached.load(std::memory_order_relaxed);
}

}  // namespace assay
#else
namespace assay {

std::string_view selected_mutant() {
  return {};
}

bool mutant_reached() {
  return false;
}

}  // namespace assay
#endif
