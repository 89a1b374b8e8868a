#pragma once

#include <string>

#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// The tokenizer in a file, whose kind follows from its beginning and its name: a GGUF file by its magic,
/// "*.tiktoken" by its name; "*vocab.json" too, which takes the merges.txt beside it ("X-vocab.json" takes
/// "X-merges.txt"). `pre` names the pre-tokenizer where the file does not (pre_tokenizer_names.hpp), and
/// takes precedence over a GGUF file's; a tokenizer.json has its own, and then a `pre` is refused. Errors:
/// those of the readers, and of files that cannot be read.
Result<TokenizerDescription> open(const std::string& path, const std::string& pre = "");

/// The same from memory; `name` decides in place of the path, and vocab.json with merges.txt cannot be read
/// so.
Result<TokenizerDescription> parse(const std::string& name, std::string_view bytes,
                                   const std::string& pre = "");

}  // namespace assay::tokenizer
