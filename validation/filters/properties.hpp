#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "validation/filters/calls.hpp"
#include "validation/suite.hpp"

namespace assay::validation::filters {

using TensorMap = std::map<std::string, Tensor>;

/// One row of a call as its contract sees it.
struct Row {
  std::vector<float> logits;        ///< as float, NaN as -Inf and -0 as +0
  std::vector<bool> allowed;        ///< by the mask
  std::vector<std::int64_t> order;  ///< allowed ids by falling logit, equal ones by rising id
};
std::vector<Row> rows_in(const HostArguments& arguments);

/// What was left of a row, from `kept`, `left` and `left_logits`.
struct LeftOfRow {
  std::int32_t kept;
  std::vector<bool> left;
  std::vector<float> logits;
};
std::vector<LeftOfRow> left_in(const TensorMap& outputs);

/// exp(l - max l) of the allowed tokens, 0 for the others and where nothing has a probability; tokens at +Inf
/// have one each where there are any.
std::vector<long double> numerators_of(const Row& row);

/// A property that looks at the outputs of one drawn call. Its negative control is the same look at outputs
/// that `spoil` has changed.
struct Look {
  std::string name, summary;
  std::function<void(Probe&, const Call&, const HostArguments&, const TensorMap&)> body;
  std::function<void(TensorMap&)> spoil;
  int cases = 200;
};
void add_look(Suite& suite, Look look);

/// Says the opposite of one token: the first of the first row.
void flip_a_token(TensorMap& outputs);

/// The reference on drawn calls, on every filling, wherever tensors lie, on rows of one block and of several,
/// and on large vocabularies; and the calls for what the operation claims.
void add_reference_properties(Suite& suite);

/// Of operations that drop tokens: kept, left and left_logits say the same thing, and enough is kept.
void add_survivors_agree(Suite& suite);

/// The survivors are the first tokens of the order.
void add_prefix(Suite& suite);

/// What is left stays as it is when the operation is applied to it again.
void add_idempotence(Suite& suite);

/// A fault planted in the operation's body for the CPU, or for CUDA (kernels/filters/faults.cuh, apply.cu).
void add_fault(Suite& suite, const char* id, const char* fault_class, const char* what,
               Backend backend = Backend::cpu);

/// Arguments of a legal call with one input exchanged.
HostArguments with_input(const HostArguments& arguments, const char* name, Tensor tensor);

}  // namespace assay::validation::filters
