#pragma once

#include "validation/suite.hpp"

/// Properties and planted faults of sampling.chain, by subject.
namespace assay::validation::chains {

/// Against the reference: any order, every step, every filling, short rows and long ones.
void add_reference_properties(Suite& suite);
/// Where the order is cut, known without the reference: ties, and masses to the last bit.
void add_cut_properties(Suite& suite);
/// What is drawn: from what is left, by its distribution, independently.
void add_draw_properties(Suite& suite);

/// Planted in the bodies of the CPU and of CUDA.
void add_faults(Suite& suite);

}  // namespace assay::validation::chains
