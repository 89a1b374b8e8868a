#pragma once

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/arguments.hpp"
#include "engine/runtime/context.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay {

/// What an output is held to, beside the reference.
enum class ErrorModel : std::uint8_t {
  bound,  ///< the proven bound that `Operation::error_bound` gives for each element
  exact,  ///< equal, element for element
  /// Where no bound is known: twice the error of `Operation::plain`, a plain implementation of the same
  /// precision, which runs in the same comparison (engine/comparison.hpp)
  plain
};

/// One input or output, as an operation describes itself.
struct TensorInfo {
  std::string name;
  std::string summary;
  std::vector<DType> dtypes;  ///< the element types that are taken
  std::string shape;          ///< for people: "(n, d)"
  bool optional = false;
  bool on_host = false;  ///< lies on the host on every backend (a small input that determines a shape)
  ErrorModel errors = ErrorModel::bound;  ///< of a floating-point output; integers are equal always
};

enum class ParameterType : std::uint8_t { integer, real, flag, text, integers };

/// One parameter. `minimum` and `maximum` are inclusive and hold for numbers (each element of `integers`).
struct ParameterInfo {
  std::string name;
  std::string summary;
  ParameterType type = ParameterType::integer;
  std::optional<Value> fallback;  ///< the default; none: it must be given
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};  ///< legal values of a text parameter; empty: any
};

/// How an operation runs on CUDA: not at all, by a per-item body shared with the CPU, or by a body of its own
/// that nothing without a GPU can have run.
enum class CudaBody : std::uint8_t { none, shared, cuda_only };

/// What a call must do at least: floating-point operations, and bytes with each input read once and each
/// output written once.
struct Work {
  double flops = 0;
  double bytes = 0;
};

struct OutputShape {
  std::string name;
  DType dtype = DType::f64;
  Shape shape;
};

/// A claim that what a call computes of one part (a row, an element, a pair's source) has the same bits
/// alone, among any others, and in any place among them: by inputs and outputs along whose axis the parts
/// lie. validation/claims holds an operation to it.
struct BatchClaim {
  std::string name;                                         ///< "rows"
  std::map<std::string, std::size_t, std::less<>> inputs;   ///< axis; an optional input may be absent
  std::map<std::string, std::size_t, std::less<>> outputs;  ///< axis
  /// An integer parameter that part i adds i to ("seed": each part draws from its own): a call of the parts
  /// from i on has it raised by i, and parts cannot be put into another order.
  std::string counted_from = {};
  std::vector<Backend> backends = {};  ///< where it holds; empty: everywhere
  bool holds_on(Backend backend) const;
};

/// An operation describes itself once; `assay run`, the docs, the generators and the roofline read this.
struct Operation {
  std::string name;         ///< "te.ksg"
  std::string summary;      ///< one sentence
  std::string paper;        ///< source of the formula
  std::string error_model;  ///< the bound that the contract header derives, in one line
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::vector<ParameterInfo> parameters;
  CudaBody cuda_body = CudaBody::none;

  /// Shapes of all outputs for checked arguments (`resolve`). Only shapes and parameters of the arguments are
  /// read, except for small integer inputs that determine a shape; those lie on the host on every backend.
  std::function<std::vector<OutputShape>(const Arguments&)> output_shapes;
  std::function<Work(const Arguments&)> work;
  /// Allowed |y - r| of every element of an output, from the call's own (host) arguments and the reference's
  /// values r; the derivation stands in the contract header. Asked for the outputs whose error model is
  /// `bound`; an operation without it has none, and its outputs are equal unless they are `plain`.
  std::function<std::vector<double>(const Arguments&, std::string_view output,
                                    std::span<const double> reference)>
      error_bound;
  /// A plain implementation, in host memory, of the precision that the bodies compute in: one loop as the
  /// formula has it, for the outputs whose error model is `plain`; others it may leave as they are. It stands
  /// with the description, as a bound would, because everything that checks an output reads that and nothing
  /// else: validation, and benchmarks before they time.
  std::function<void(const Arguments&, const Outputs&)> plain = {};
  /// Runs on the context's backend; views lie in that backend's memory. Throws ContractError for broken
  /// contracts, BackendUnavailable where the operation has no body for the backend.
  std::function<void(Context&, const Arguments&, const Outputs&)> run;

  /// What each parameter that these checked arguments leave to the operation (`auto`) comes to on a backend,
  /// by name: {"search", "tree"}. Optional: a parameter that chooses nothing is left out. For reports.
  std::function<std::map<std::string, std::string>(Backend, const Arguments&)> choices = {};

  bool deterministic = false;            ///< claimed: ten runs of a call give the same bits, on every backend
  std::vector<BatchClaim> batches = {};  ///< claimed invariances; of no part by default

  bool has(Backend backend) const { return backend != Backend::cuda || cuda_body != CudaBody::none; }
};

/// The same operation, its runs named in the vendor's profilers (runtime/profile_range.hpp).
Operation named_in_profiles(Operation operation);

/// All operations in the order of engine/operations.cmake.
std::span<const Operation> operations();

/// The operation of that name, or nullptr.
const Operation* find_operation(std::string_view name);

/// Checks arguments against the description and fills in defaults. Throws ContractError: unknown or missing
/// names, wrong types, values out of range.
Arguments resolve(const Operation& operation, Arguments arguments);

/// Parses "4", "0.5", "true", "row", "1,2,3" as the parameter's type. Throws ContractError that names both.
Value parse_value(const Operation& operation, const ParameterInfo& parameter, std::string_view text);

/// Allocates the outputs on the host, runs, and returns them: for callers that hold host arrays. On the CUDA
/// backend inputs are copied to the device and outputs back. Arguments need not be resolved.
std::map<std::string, Tensor> run_on_host(Context& context, const Operation& operation,
                                          const Arguments& arguments);

}  // namespace assay
