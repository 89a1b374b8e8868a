#pragma once

#include <string>

#include "benchmarks/suite.hpp"

namespace assay::benchmarks::peers {

/// PyTorch beside the case of sampling.argmax, softmax, categorical, log_probs or chain with that label, on
/// the same logits, in float32: the code that its users write (torch_sampling.py). Beside our CUDA body it is
/// a CUDA graph, where one can be captured, over a cold cache; beside the CPU's as many threads as we have.
/// PyTorch is not part of this project: ASSAY_TORCH_PYTHON names the interpreter that has it, python3
/// without that, and where it is missing the run says so.
///
/// What it answers is held to ours, and a peer that is further from it than the roundings of float32 allow
/// gets no time: the logit of each row's maximum, the largest probability, the first log probability; of a
/// chain the tokens left, which must lie between ours for a top_p and a min_p on either side. In how many
/// rows they are not ours is noted (`kept_differs`): a float32 cumulative sum crosses the threshold
/// elsewhere.
Peer torch(const std::string& operation, std::string label, Backend beside);

/// The same beside that case of the suite, for each of its backends; on the CPU of one row alone, since
/// PyTorch takes seconds there for a batch.
void add_torch(Suite& suite, const Case& item);

}  // namespace assay::benchmarks::peers
