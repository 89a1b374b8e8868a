#include <algorithm>
#include <cctype>
#include <functional>
#include <optional>

#include "ci/program/backend_choice.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/gguf_input.hpp"
#include "ci/program/output_file.hpp"
#include "ci/program/suggestion.hpp"
#include "engine/io/bytes.hpp"
#include "engine/llm/gguf/plain_values.hpp"
#include "fmt/format.h"
#include "reference/operations.hpp"

namespace assay::program {
namespace {

/// Elements decoded at a time: a multiple of every block's length.
constexpr std::uint64_t chunk_elements = std::uint64_t{1} << 20;

/// Takes the values of a tensor piece by piece, in order.
using Receive = std::function<void(std::span<const float> values)>;

const gguf::TensorEntry& required_tensor(const gguf::ModelFiles& files, const std::string& name) {
  if (const gguf::TensorEntry* const tensor = files.find_tensor(name)) return *tensor;
  std::vector<std::string> names;
  for (const gguf::File& part : files.parts()) {
    for (const gguf::TensorEntry& tensor : part.tensors()) names.emplace_back(tensor.name);
  }
  throw Failure(ExitCode::usage,
                files.path() + ": no tensor '" + io::printable(name, 64) + "'" + suggestion(name, names));
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](unsigned char c) { return std::tolower(c); },
      [](unsigned char c) { return std::tolower(c); });
}

/// The name by which quant.dequantize knows a block format. Throws Failure where it does not.
std::string format_name(const gguf::ModelFiles& files, const gguf::TensorEntry& tensor,
                        const Operation* operation) {
  const std::string_view type = gguf::info_of(tensor.type).name;
  std::vector<std::string> choices;
  if (operation != nullptr) {
    for (const ParameterInfo& parameter : operation->parameters) {
      if (parameter.name == "format") choices = parameter.choices;
    }
  }
  for (const std::string& choice : choices) {
    if (same_letters(choice, type)) return choice;
  }
  throw Failure(ExitCode::usage,
                fmt::format("{}: tensor '{}' has type {}, which is not decoded; expected a plain type{}{}",
                            files.path(), io::printable(tensor.name, 64), type, choices.empty() ? "" : " or ",
                            fmt::join(choices, ", ")));
}

void decode_plain(const gguf::TensorEntry& tensor, const Receive& receive) {
  const std::uint64_t size = gguf::info_of(tensor.type).block_bytes;
  std::vector<float> values(std::min(chunk_elements, tensor.elements));
  for (std::uint64_t done = 0; done < tensor.elements; done += values.size()) {
    values.resize(std::min<std::uint64_t>(values.size(), tensor.elements - done));
    gguf::convert_plain(tensor.type, tensor.data.substr(done * size, values.size() * size), values);
    receive(values);
  }
}

/// Blocks of all rows follow each other, so that any number of them is a row to decode.
void decode_blocks(ChosenBackend& chosen, const Operation& operation, const std::string& format,
                   const gguf::TensorEntry& tensor, const Receive& receive) {
  const gguf::TensorTypeInfo& info = gguf::info_of(tensor.type);
  for (std::uint64_t done = 0; done < tensor.elements; done += chunk_elements) {
    const std::uint64_t count = std::min(chunk_elements, tensor.elements - done);
    const std::string_view bytes = tensor.data.substr(done / info.block_length * info.block_bytes,
                                                      count / info.block_length * info.block_bytes);
    Arguments arguments;
    arguments.inputs.emplace("blocks", view_of(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                               {1, static_cast<std::int64_t>(bytes.size())}));
    arguments.parameters.emplace("format", format);
    arguments.parameters.emplace("columns", static_cast<std::int64_t>(count));
    const std::map<std::string, Tensor> outputs = chosen.backend == Backend::reference
                                                      ? reference::run(operation, arguments)
                                                      : run_on_host(chosen.context, operation, arguments);
    const ConstTensorView values = outputs.at("values").view();
    if (values.dtype == DType::f32) {
      receive(values.as<float>());
      continue;
    }
    const auto exact = values.as<double>();  // the reference's: floats, widened
    receive(std::vector<float>(exact.begin(), exact.end()));
  }
}

int run_gguf_dump(Invocation& invocation) {
  const std::string name = invocation.text("tensor");
  invocation.text("out");
  const std::string out = *output_path(invocation);
  const GgufInput input = open_gguf(invocation.positionals().at(0));
  for (const std::string& warning : input.warnings) invocation.console().warn(warning);
  const gguf::TensorEntry& tensor = required_tensor(input.files, name);
  const Operation* const operation = find_operation("quant.dequantize");
  const bool plain = gguf::is_plain(tensor.type);
  const std::string format = plain ? "" : format_name(input.files, tensor, operation);
  std::optional<ChosenBackend> chosen;
  if (!plain) chosen.emplace(choose_backend(invocation, *operation));

  write_pieces(out, [&](const io::Sink& sink) {
    ProgressLine progress(invocation.console(), "decoding");
    std::uint64_t done = 0;
    const Receive receive = [&](std::span<const float> values) {
      sink({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
      done += values.size();
      progress.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(tensor.elements));
    };
    if (plain)
      decode_plain(tensor, receive);
    else
      decode_blocks(*chosen, *operation, format, tensor, receive);
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
