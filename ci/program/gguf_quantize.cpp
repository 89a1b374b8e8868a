#include <filesystem>
#include <optional>

#include "ci/program/backend_choice.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/gguf_input.hpp"
#include "ci/program/output_file.hpp"
#include "engine/io/bytes.hpp"
#include "engine/llm/gguf/quantize_file.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

gguf::TensorType type_of(std::string_view source, std::string_view name) {
  const Result<gguf::TensorType> type = gguf::quantize_type_named(name);
  if (!type) throw Failure(ExitCode::usage, fmt::format("{}: {}", source, type.error().message));
  return type.value();
}

/// All parts: one of a split alone would make a model that lacks tensors.
gguf::ModelFiles open_whole(const std::string& path) {
  return value_or_fail(gguf::ModelFiles::open(path));
}

void check_output(const gguf::ModelFiles& files, const std::string& out) {
  check_output_path(out, "OUT");
  std::error_code ignored;
  for (const gguf::File& part : files.parts())
    if (fs::equivalent(part.path(), out, ignored))
      throw Failure(ExitCode::usage, fmt::format("OUT: {}: is a file that is read, expected another", out));
}

/// Before minutes of work rather than after them.
void check_space(const std::string& out, std::uint64_t needed) {
  std::error_code failed;
  if (fs::exists(out, failed) && !fs::is_regular_file(out, failed)) return;
  const fs::path folder = fs::absolute(out, failed).parent_path();
  const fs::space_info space = fs::space(folder, failed);
  if (failed || space.available >= needed) return;
  throw Failure(ExitCode::tool_error, fmt::format("{}: needs {} bytes, {} has {} left", out, needed,
                                                  folder.string(), space.available));
}

/// What a person should know of tensors that are not simply written as asked.
void say_what_differs(const Invocation& invocation, const gguf::QuantizePlan& plan) {
  for (const gguf::PlannedTensor& planned : plan.tensors) {
    if (planned.reason != gguf::PlanReason::fallback) continue;
    invocation.console().note(fmt::format("'{}': rows of {} fill no whole blocks of {}: written as {}",
                                          io::printable(planned.tensor->name, gguf::max_tensor_name_bytes),
                                          planned.tensor->shape[0], gguf::info_of(plan.type).name,
                                          gguf::info_of(planned.type).name));
  }
  if (const std::uint64_t count = plan.requantized(); count != 0) {
    invocation.console().warn(
        fmt::format("{} tensors were quantised already: they are decoded and lose accuracy twice", count));
  }
}

const char* name_of(gguf::PlanReason reason) {
  switch (reason) {
    case gguf::PlanReason::kept:
      return "kept";
    case gguf::PlanReason::same_type:
      return "same_type";
    case gguf::PlanReason::quantized:
      return "quantized";
    case gguf::PlanReason::fallback:
      return "fallback";
  }
  return "?";
}

void print_json(const Invocation& invocation, const gguf::QuantizePlan& plan, const std::string& out,
                std::uint64_t bytes, const std::string& device) {
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const gguf::PlannedTensor& planned : plan.tensors) {
    tensors.push_back({{"name", io::printable(planned.tensor->name, gguf::max_tensor_name_bytes)},
                       {"from", std::string(gguf::info_of(planned.tensor->type).name)},
                       {"type", std::string(gguf::info_of(planned.type).name)},
                       {"reason", name_of(planned.reason)},
                       {"bytes", planned.bytes()}});
  }
  invocation.print_json({{"out", out},
                         {"bytes", bytes},
                         {"type", std::string(gguf::info_of(plan.type).name)},
                         {"file_type", plan.file_type},
                         {"device", device},
                         {"quantized", plan.count(gguf::PlanReason::quantized)},
                         {"fallback", plan.count(gguf::PlanReason::fallback)},
                         {"same_type", plan.count(gguf::PlanReason::same_type)},
                         {"kept", plan.count(gguf::PlanReason::kept)},
                         {"tensors", tensors}});
}

int run_gguf_quantize(Invocation& invocation) {
  const std::string in = invocation.positionals().at(0), out = invocation.positionals().at(1);
  const gguf::TensorType type = type_of("TYPE", invocation.positionals().at(2));
  std::optional<gguf::TensorType> output_type;
  if (const auto name = invocation.maybe_text("output-type"))
    output_type = type_of(invocation.source("output-type"), *name);
  const gguf::ModelFiles files = open_whole(in);
  check_output(files, out);
  const gguf::QuantizePlan plan = value_or_fail(gguf::plan_quantization(files, type, output_type));
  check_space(out, gguf::quantized_file_bytes(files, plan));
  ChosenBackend chosen = choose_backend(invocation, required_operation("quant.quantize"));
  const auto run = [&](const Operation& operation, const Arguments& arguments) {
    return run_on(chosen, operation, arguments);
  };

  std::uint64_t before = 0;
  for (const gguf::File& part : files.parts()) before += part.bytes();
  std::uint64_t bytes = 0;
  {
    ProgressLine progress(invocation.console(), "quantising");
    bytes = value_or_fail(
        gguf::write_quantized(files, plan, out, run, [&](std::uint64_t done, std::uint64_t total) {
          progress.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
        }));
  }
  say_what_differs(invocation, plan);
  if (invocation.json()) {
    print_json(invocation, plan, out, bytes, chosen.device);
  } else {
    const auto of = [&](gguf::PlanReason reason) { return plan.count(reason); };
    invocation.print(
        fmt::format("{}: {} of {} tensors as {}{}, {} as they are; {} bytes from {}\n", out,
                    of(gguf::PlanReason::quantized), plan.tensors.size(), gguf::info_of(plan.type).name,
                    of(gguf::PlanReason::fallback) == 0
                        ? std::string()
                        : fmt::format(", {} as a fallback type", of(gguf::PlanReason::fallback)),
                    of(gguf::PlanReason::kept) + of(gguf::PlanReason::same_type), bytes, before));
  }
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_gguf_quantize() {
  Command command;
  command.path = "gguf quantize";
  command.summary = "Write a model file with another type of weights";
  command.examples = R"(Examples:
  assay gguf quantize model-f16.gguf model-q4_k.gguf Q4_K
  assay gguf quantize model-00001-of-00003.gguf model.gguf Q8_0      all parts of a split model, as one file
  assay gguf quantize model-f16.gguf model.gguf Q4_0 --output-type Q6_K
Types: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q6_K, MXFP4, F16. Matrices of weights take the type; norms, biases, routers of
experts and positions stay as they are. Rows that fill no whole blocks of 256 take Q5_0 in place of Q4_K and
Q8_0 in place of Q6_K, those that fill none of 32 F16; each is said. Blocks are those of ggml's reference quantiser, bit
for bit. Metadata are carried over; general.file_type and general.quantization_version are set. The file is
written piece by piece under a temporary name and renamed at the end.
Exit codes: 0 written, 1 OUT cannot be written, 2 the file, the type or a value is refused.)";
  command.options = {
      {"output-type", "TYPE",
       "of output.weight, or of the embedding that stands in for it (default: as all others)"}};
  command.positionals = {{"IN", "a GGUF file, version 2 or 3; of a split model any part"},
                         {"OUT", "where to write, whole or not at all"},
                         {"TYPE", "of the weights: Q4_0, Q8_0, Q4_K, ..."}};
  command.run = run_gguf_quantize;
  return command;
}

}  // namespace assay::program
