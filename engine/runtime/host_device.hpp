#pragma once

/// Marks a function that host and device code share. A macro because the attribute must vanish where the
/// host's own compiler reads the header.
#ifdef __CUDACC__
#define ASSAY_HOST_DEVICE __host__ __device__
#else
#define ASSAY_HOST_DEVICE
#endif
