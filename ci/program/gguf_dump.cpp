#include <optional>

#include "ci/program/backend_choice.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/gguf_input.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/suggestion.hpp"
#include "engine/io/bytes.hpp"
#include "engine/llm/gguf/plain_values.hpp"
#include "engine/llm/gguf/tensor_values.hpp"
#include "engine/tensors/block_format.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

const gguf::TensorEntry& required_tensor(const gguf::ModelFiles& files, const std::string& name) {
  if (const gguf::TensorEntry* const tensor = files.find_tensor(name)) return *tensor;
  std::vector<std::string> names;
  for (const gguf::File& part : files.parts()) {
    for (const gguf::TensorEntry& tensor : part.tensors()) names.emplace_back(tensor.name);
  }
  throw Failure(ExitCode::usage,
                files.path() + ": no tensor '" + io::printable(name, 64) + "'" + suggestion(name, names));
}

/// Refuses blocks that are not decoded. Throws Failure.
void check_decoded(const gguf::ModelFiles& files, const gguf::TensorEntry& tensor) {
  if (block_format_of_ggml(static_cast<std::uint32_t>(tensor.type))) return;
  std::vector<std::string_view> names;
  for (const BlockLayout& layout : block_layouts) names.push_back(layout.name);
  throw Failure(ExitCode::usage,
                fmt::format("{}: tensor '{}' has type {}, which is not decoded; expected a plain type or {}",
                            files.path(), io::printable(tensor.name, 64), gguf::info_of(tensor.type).name,
                            fmt::join(names, ", ")));
}

int run_gguf_dump(Invocation& invocation) {
  const std::string name = invocation.text("tensor");
  invocation.text("out");
  const std::string out = *output_path(invocation);
  const GgufInput input = open_gguf(invocation.positionals().at(0));
  for (const std::string& warning : input.warnings) invocation.console().warn(warning);
  const gguf::TensorEntry& tensor = required_tensor(input.files, name);
  std::optional<ChosenBackend> chosen;
  gguf::RunOperation run;
  if (!gguf::is_plain(tensor.type)) {
    check_decoded(input.files, tensor);
    chosen.emplace(choose_backend(invocation, required_operation("quant.dequantize")));
    run = [&](const Operation& operation, const Arguments& arguments) {
      return run_on(*chosen, operation, arguments);
    };
  }

  write_pieces(out, [&](const io::Sink& sink) {
    ProgressLine progress(invocation.console(), "decoding");
    std::uint64_t done = 0;
    gguf::read_values(tensor, run, [&](std::span<const float> values) {
      sink({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
      done += values.size();
      progress.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(tensor.elements));
    });
  });

  std::vector<std::uint64_t> shape(tensor.shape.begin(), tensor.shape.begin() + tensor.rank);
  const std::string_view type = gguf::info_of(tensor.type).name;
  if (invocation.json()) {
    invocation.print_json({{"tensor", name},
                           {"type", std::string(type)},
                           {"shape", shape},
                           {"elements", tensor.elements},
                           {"bytes", tensor.elements * sizeof(float)},
                           {"out", out}});
  } else {
    invocation.print(fmt::format("{}: {} float32 of '{}' ({}, shape {})\n", out, tensor.elements,
                                 io::printable(name, 64), type,
                                 shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, " x "))));
  }
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_gguf_dump() {
  Command command;
  command.path = "gguf dump";
  command.summary = "Write one tensor of a model file as float32";
  command.examples = R"(Examples:
  assay gguf dump model.gguf --tensor blk.0.attn_q.weight --out attn_q.f32
The output is little-endian float32 without a header, in GGUF's own order: the first extent of the shape (see `gguf
info`) is contiguous. Blocks are decoded by the operation quant.dequantize on the chosen backend.
Exit codes: 0 written, 1 the output cannot be written, 2 the file is refused, or has no such tensor or type.)";
  command.options = {{"tensor", "NAME", "which tensor"},
                     {"out", "F.f32", "where to write it, whole or not at all"}};
  command.positionals = {{"FILE", "a GGUF file, version 2 or 3; of a split model any part"}};
  command.run = run_gguf_dump;
  return command;
}

}  // namespace assay::program
