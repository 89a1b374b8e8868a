#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/operation.hpp"
#include "validation/placement.hpp"

namespace assay::validation {

/// A table or a plot that a check shows beside its verdict (accuracy of another estimator on the same data,
/// coverage).
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};
struct Plot {
  std::string title, x_label, y_label;
  struct Series {
    std::string name;
    std::vector<std::pair<double, double>> points;
  };
  std::vector<Series> series;
  std::optional<double> truth;  ///< a horizontal line
};

/// Handed to the body of a check: what it runs on, and where it says what it saw. Failing throws `Failed`,
/// which the runner (and RapidCheck, which then shrinks) takes as a counterexample.
class Probe {
 public:
  virtual ~Probe() = default;

  virtual Context& context() = 0;
  virtual Backend backend() const = 0;
  /// Seed of this case: every random thing that RapidCheck does not draw derives from it.
  virtual std::uint64_t seed() const = 0;

  /// Runs an operation on the probe's backend under the preconditions of harness.md (outputs poisoned with
  /// two patterns, guard bands, inputs unchanged) and returns the outputs. On the reference backend, the
  /// reference's. Placements say where tensors begin and how far apart rows lie, where the operation's
  /// contract takes such views; they are not for the reference.
  virtual std::map<std::string, Tensor> run(std::string_view operation, const HostArguments& arguments,
                                            const Placements& placements = {}) = 0;
  /// The Eigen reference on the same arguments.
  virtual std::map<std::string, Tensor> reference(std::string_view operation,
                                                  const HostArguments& arguments) = 0;
  /// run(), reference(), and the comparison by the operation's own bound; records utilisation; throws Failed.
  virtual std::map<std::string, Tensor> expect_reference(std::string_view operation,
                                                         const HostArguments& arguments,
                                                         const Placements& placements = {}) = 0;
  /// Records |observed| against a bound that the caller derived, and throws Failed where it is exceeded or
  /// NaN.
  virtual void expect_within(std::string_view what, double observed, double allowed) = 0;
  /// Throws Failed unless `holds`.
  virtual void expect(bool holds, std::string_view what) = 0;
  /// Throws Failed unless the tensors agree in type, shape and every bit.
  virtual void expect_equal(std::string_view what, const Tensor& left, const Tensor& right) = 0;

  virtual void note(std::string_view name, std::string_view value) = 0;
  virtual void show(Table table) = 0;
  virtual void show(Plot plot) = 0;
};

/// In the reason of a failure: what comes after it is a picture of some lines (difference_map.hpp).
inline constexpr char picture_follows = '\f';

/// What a check throws when the property does not hold.
class Failed : public std::exception {
 public:
  explicit Failed(std::string reason) : reason_(std::move(reason)) {}
  const char* what() const noexcept override { return reason_.c_str(); }

 private:
  std::string reason_;
};

/// One property of an operation. The body draws its data with RapidCheck (`*rc::gen::...`) where `cases` is
/// not 1, so that a counterexample is shrunk and replayed; a body that draws nothing is run once. One that
/// tries all of a list draws the list (all_of.hpp), so that what fails of it is shrunk too.
struct Property {
  std::string name;     ///< "invariant_under_adding_constants"
  std::string summary;  ///< one sentence
  std::function<void(Probe&)> body;
  int cases = 100;  ///< 1: a fixed check
  /// Where it runs; empty: cpu, and cuda where the operation has a body for it.
  std::vector<Backend> backends = {};
  /// An input or kernel that the property must reject: this body has to fail (harness.md, negative controls).
  std::function<void(Probe&)> negative_control = {};
  /// Takes minutes: run only where it is asked for (`assay nightly` without --quick, `assay validate
  /// --long`).
  bool long_running = false;
};

/// A planted fault in a real body (engine/runtime/mutant.hpp).
struct Mutant {
  std::string id;           ///< "te.knn.includes_self"
  std::string fault_class;  ///< "off by one", "missing mask", "strictness", ...
  std::string what;         ///< the one line of wrongness
  Backend backend = Backend::cpu;
  /// Why no case that shows it has 64 non-zeros or fewer (harness.md); empty: some case has.
  std::string dense_because = {};
};

/// What validation/<family>/<operation>.cpp says of its operation.
class Suite {
 public:
  explicit Suite(std::string operation) : operation_(std::move(operation)) {}
  Suite& property(Property property) {
    properties_.push_back(std::move(property));
    return *this;
  }
  Suite& mutant(Mutant mutant) {
    mutants_.push_back(std::move(mutant));
    return *this;
  }
  /// Draws the arguments of one legal call, with RapidCheck, for the checks that the operation's claims bring
  /// (claims.hpp).
  Suite& calls(std::function<HostArguments()> draw) {
    calls_ = std::move(draw);
    return *this;
  }
  const std::string& operation() const { return operation_; }
  const std::function<HostArguments()>& drawn_calls() const { return calls_; }
  const std::vector<Property>& properties() const { return properties_; }
  const std::vector<Mutant>& mutants() const { return mutants_; }

 private:
  std::string operation_;
  std::vector<Property> properties_;
  std::vector<Mutant> mutants_;
  std::function<HostArguments()> calls_;
};

/// Adds what the operations' claims bring: called last, by suites().
void add_claim_properties(std::vector<Suite>& suites);

/// The suites of all operations, in the order of engine/operations.cmake. A slice defines
/// `void assay::validation::<family>::describe_<operation>(Suite&)`.
std::vector<Suite> suites();

}  // namespace assay::validation
