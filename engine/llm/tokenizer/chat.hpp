#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/llm/tokenizer/tokenizer.hpp"

namespace assay::tokenizer {

/// How a model was taught to read a conversation. No template language: the known formats, word for word,
/// without the system messages that some models' files put in by themselves.
enum class ChatFormat : std::uint8_t {
  chatml,  ///< Qwen2: <|im_start|>role, a line break, the text, <|im_end|>
  llama2,  ///< [INST] <<SYS>> ...; a system message stands in the first user's
  llama3,  ///< <|start_header_id|>role<|end_header_id|>, two line breaks, the text without white space around
           ///< it, <|eot_id|>
  phi3,    ///< <|user|>, a line break, the text, <|end|>
  harmony  ///< GPT-OSS: <|start|>role<|message|>text<|end|>; answers in the channel "final"
};

/// "chatml", "llama-2", "llama-3", "phi-3" or "harmony"; nothing for another name.
std::optional<ChatFormat> chat_format_named(std::string_view name);
/// All of them, for messages.
std::string_view chat_format_names();

struct ChatMessage {
  std::string role;  ///< "system", "user" or "assistant"; harmony: "developer" too
  std::string content;
};

/// A conversation as text, and which parts of it are contents.
struct ChatText {
  std::string text;
  std::vector<TextSpan> contents;  ///< ascending
};

/// Writes a conversation out; with `answer_next` up to where the model's answer begins. Refused: an unknown
/// role; for llama2, a system message that is not the first and messages of one side after each other.
Result<ChatText> chat_text(ChatFormat format, std::span<const ChatMessage> messages, bool answer_next);

/// Its ids: the format's special tokens are parsed, what looks like them in a content is text. Refused
/// besides: contents that are no UTF-8.
Result<Encoding> encode_chat(const Tokenizer& tokenizer, ChatFormat format,
                             std::span<const ChatMessage> messages, bool answer_next);

}  // namespace assay::tokenizer
