#include <nvtx3/nvToolsExt.h>

#include "engine/runtime/profile_range.hpp"

namespace assay {

ProfileRange::ProfileRange(const char* name) {
  nvtxRangePushA(name);
}

ProfileRange::~ProfileRange() {
  nvtxRangePop();
}

}  // namespace assay
