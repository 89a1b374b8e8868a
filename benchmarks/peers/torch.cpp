#include "benchmarks/peers/torch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "benchmarks/peers/driver_file.hpp"
#include "benchmarks/peers/handed_file.hpp"
#include "benchmarks/peers/line_process.hpp"
#include "benchmarks/peers/torch_answer.hpp"

namespace assay::benchmarks::peers {

namespace {

constexpr auto patience = std::chrono::minutes(2);  // loading PyTorch and one case

/// The script, from the first request to the end of the last peer that shares it: PyTorch takes seconds to
/// load.
class Script {
 public:
  std::string ask(const std::string& request) {
    if (!process_ || !process_->alive()) {
      const char* python = std::getenv("ASSAY_TORCH_PYTHON");
      process_.emplace(std::vector<std::string>{python == nullptr || *python == '\0' ? "python3" : python,
                                                driver_file("torch_sampling.py").string()});
    }
    return process_->ask(request, patience);
  }

  /// The one that peers share.
  static std::shared_ptr<Script> shared() {
    static std::mutex mutex;
    static std::weak_ptr<Script> held;
    const std::scoped_lock lock(mutex);
    std::shared_ptr<Script> script = held.lock();
    if (!script) held = script = std::make_shared<Script>();
    return script;
  }

 private:
  std::optional<LineProcess> process_;
};

/// The value of that input, where it is given; it must be the same in each row.
template <typename T>
void add_input(nlohmann::json& request, const char* name, const HostArguments& arguments, const char* input) {
  const auto found = arguments.inputs.find(input);
  if (found == arguments.inputs.end()) return;
  const auto values = found->second.as<T>();
  for (const T& value : values)
    if (value != values[0])
      throw std::runtime_error(std::string("rows differ in ") + input + ": PyTorch's code takes one value");
  if (!values.empty()) request[name] = values[0];
}

nlohmann::json steps_of(const std::string& order) {
  nlohmann::json steps = nlohmann::json::array();
  for (std::size_t at = 0; at < order.size();) {
    const std::size_t comma = std::min(order.find(',', at), order.size());
    steps.push_back(order.substr(at, comma - at));
    at = comma + 1;
  }
  return steps;
}

nlohmann::json request_of(const Operation& operation, const HostArguments& arguments, Backend beside,
                          int repeats) {
  if (arguments.inputs.at("logits").dtype() != DType::f32 || arguments.inputs.contains("mask"))
    throw std::runtime_error("PyTorch is timed in float32 and without a mask");
  const HostArguments copy = arguments.clone();
  const Arguments resolved = resolve(operation, copy.view());
  const Shape& shape = arguments.inputs.at("logits").shape();
  nlohmann::json request{{"work", operation.name.substr(operation.name.find('.') + 1)},
                         {"device", std::string(name_of(beside))},
                         {"rows", shape[0]},
                         {"tokens", shape[1]},
                         {"runs", repeats}};
  if (beside == Backend::cpu) request["threads"] = Context::cpu().pool().threads();
  if (operation.name == "sampling.chain") {
    request["order"] = steps_of(resolved.text("order"));
    add_input<float>(request, "temperature", arguments, "temperature");
    add_input<std::int32_t>(request, "top_k", arguments, "top_k");
    add_input<double>(request, "top_p", arguments, "top_p");
    add_input<double>(request, "min_p", arguments, "min_p");
  }
  if (operation.name == "sampling.log_probs") {
    request["n"] = resolved.integer("n");
    add_input<std::int32_t>(request, "chosen", arguments, "tokens");
    if (!request.contains("chosen")) throw std::runtime_error("PyTorch's code looks up a token in each row");
  }
  return request;
}

PeerTimes run(Script& script, const std::string& name, Backend beside, const HostArguments& arguments,
              int repeats) {
  const Operation* operation = find_operation(name);
  if (operation == nullptr) throw std::runtime_error("there is no " + name + " to compare with");
  nlohmann::json request = request_of(*operation, arguments, beside, repeats);
  const HandedFile logits("assay-logits-", {std::as_bytes(arguments.inputs.at("logits").as<float>())});
  request["logits"] = logits.path().string();
  TorchAnswer answer = parse_torch_answer(script.ask(request.dump()));
  compare_with_ours(*operation, arguments, answer);
  return answer.times;
}

}  // namespace

Peer torch(const std::string& operation, std::string label, Backend beside) {
  Peer peer;
  peer.name = beside == Backend::cuda ? "PyTorch, float32, CUDA" : "PyTorch, float32, CPU, all threads";
  peer.label = std::move(label);
  peer.beside = {beside};
  peer.run = [script = Script::shared(), operation, beside](const HostArguments& arguments, int repeats) {
    return run(*script, operation, beside, arguments, repeats);
  };
  return peer;
}

void add_torch(Suite& suite, const Case& item) {
  for (const Backend backend : item.backends)
    if (backend == Backend::cuda || item.size == 1) suite.peer(torch(suite.operation(), item.label, backend));
}

}  // namespace assay::benchmarks::peers
