#include "ci/program/commands.hpp"
#include "ci/program/exit_code.hpp"
#include "ci/program/gguf_input.hpp"
#include "ci/program/gguf_json.hpp"
#include "ci/program/gguf_text.hpp"
#include "ci/program/invocation.hpp"

namespace assay::program {
namespace {

int run_gguf_info(Invocation& invocation) {
  const GgufInput input = open_gguf(invocation.positionals().at(0));
  const Result<gguf::ModelDescription> model = gguf::describe_model(input.files);
  for (const std::string& warning : input.warnings) invocation.console().warn(warning);

  constexpr std::size_t gathered = 1 << 20;
  std::string held;
  const auto put = [&](std::string_view piece) {
    held += piece;
    if (held.size() < gathered) return;
    invocation.print(held);
    held.clear();
  };
  if (invocation.json())
    write_gguf_json(input, model, put);
  else
    write_gguf_text(input, model, invocation.flag("tensors"), put);
  invocation.print(held);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_gguf_info() {
  Command command;
  command.path = "gguf info";
  command.summary = "What a model file holds: the model, its metadata, its tensors";
  command.examples = R"(Examples:
  assay gguf info model.gguf
  assay gguf info model.gguf --tensors           each tensor, instead of a line a kind
  assay gguf info model.gguf --json              metadata and tensors in full
  assay gguf info model-00001-of-00003.gguf      all parts of a split model
Offsets count from the beginning of the tensor data, `data_offset` bytes into the file; the first extent of a shape
is contiguous. A file that is sound but holds no model that is understood is shown, with the reason.
Exit codes: 0 shown, 2 the file is refused.)";
  command.options = {{"tensors", "", "list each tensor"}};
  command.positionals = {{"FILE", "a GGUF file, version 2 or 3; of a split model any part"}};
  command.run = run_gguf_info;
  return command;
}

}  // namespace assay::program
