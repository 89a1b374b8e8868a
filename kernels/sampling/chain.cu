// sampling.chain on CUDA: one launch takes every row through its steps and draws (kernels/filters/rows.cu).
#include "kernels/filters/rows_cuda.hpp"
#include "kernels/sampling/chain.hpp"

namespace assay::kernels::sampling {

void chain_cuda(CUstream_st* stream, const ChainCall& call, std::uint32_t* pending, std::uint32_t* status) {
  filters::RowsCall rows;
  rows.in = call.in;
  rows.steps = call.steps;
  rows.parameters = call.parameters;
  rows.seed = call.seed;
  rows.position = call.position;
  rows.token = call.token;
  rows.log_prob = call.log_prob;
  rows.kept = call.kept;
  rows.left = call.left;
  rows.left_logits = call.left_logits;
  rows.status = status;
  rows.pending = pending;
  filters::run_rows_cuda(stream, rows);
}

}  // namespace assay::kernels::sampling
