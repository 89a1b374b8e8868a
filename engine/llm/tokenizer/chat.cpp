#include "engine/llm/tokenizer/chat.hpp"

#include <algorithm>
#include <array>

#include "engine/io/bytes.hpp"
#include "engine/vocabulary/utf8.hpp"

namespace assay::tokenizer {
namespace {

struct Named {
  std::string_view name;
  ChatFormat format;
};
constexpr std::array formats = {Named{"chatml", ChatFormat::chatml}, Named{"llama-2", ChatFormat::llama2},
                                Named{"llama-3", ChatFormat::llama3}, Named{"phi-3", ChatFormat::phi3},
                                Named{"harmony", ChatFormat::harmony}};

InputError refusal(std::size_t message, const std::string& what) {
  return {InputError::Code::malformed, "message " + std::to_string(message) + " " + what, {}, {}, {}};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(space) + 1 - begin);
}

/// Puts a conversation together.
class Writer {
 public:
  Writer& format(std::string_view text) {
    made_.text += text;
    return *this;
  }
  Writer& content(std::string_view text) {
    const auto begin = static_cast<std::uint32_t>(made_.text.size());
    made_.text += text;
    if (!text.empty()) made_.contents.push_back({begin, static_cast<std::uint32_t>(made_.text.size())});
    return *this;
  }
  ChatText take() { return std::move(made_); }

 private:
  ChatText made_;
};

void write_plain(ChatFormat format, std::span<const ChatMessage> messages, bool answer_next, Writer& writer) {
  if (format == ChatFormat::llama3) writer.format("<|begin_of_text|>");
  if (format == ChatFormat::phi3) writer.format("<s>");
  for (const ChatMessage& each : messages) {
    switch (format) {
      case ChatFormat::chatml:
        writer.format("<|im_start|>")
            .format(each.role)
            .format("\n")
            .content(each.content)
            .format("<|im_end|>\n");
        break;
      case ChatFormat::llama3:
        writer.format("<|start_header_id|>")
            .format(each.role)
            .format("<|end_header_id|>\n\n")
            .content(trimmed(each.content))
            .format("<|eot_id|>");
        break;
      case ChatFormat::phi3:
        writer.format("<|").format(each.role).format("|>\n").content(each.content).format("<|end|>\n");
        break;
      default:
        writer.format("<|start|>")
            .format(each.role)
            .format(each.role == "assistant" ? "<|channel|>final<|message|>" : "<|message|>")
            .content(each.content)
            .format("<|end|>");
    }
  }
  if (!answer_next) return;
  writer.format(format == ChatFormat::chatml   ? "<|im_start|>assistant\n"
                : format == ChatFormat::llama3 ? "<|start_header_id|>assistant<|end_header_id|>\n\n"
                : format == ChatFormat::phi3   ? "<|assistant|>\n"
                                               : "<|start|>assistant");
}

std::optional<InputError> write_llama2(std::span<const ChatMessage> messages, Writer& writer) {
  const bool has_system = !messages.empty() && messages[0].role == "system";
  for (std::size_t i = has_system ? 1 : 0; i < messages.size(); ++i) {
    const bool asks = (i - (has_system ? 1 : 0)) % 2 == 0;
    if (messages[i].role != (asks ? "user" : "assistant"))
      return refusal(i, "is of \"" + io::printable(messages[i].role) + "\", expected " +
                            (asks ? "\"user\"" : "\"assistant\"") + ": the sides take turns");
    if (!asks) {
      writer.format(" ").content(trimmed(messages[i].content)).format(" </s>");
      continue;
    }
    writer.format("<s>[INST] ");
    if (has_system && i == 1)
      writer.format("<<SYS>>\n").content(messages[0].content).format("\n<</SYS>>\n\n");
    writer.content(trimmed(messages[i].content)).format(" [/INST]");
  }
  return std::nullopt;
}

}  // namespace

std::optional<ChatFormat> chat_format_named(std::string_view name) {
  const auto found =
      std::find_if(formats.begin(), formats.end(), [&](const Named& each) { return each.name == name; });
  return found == formats.end() ? std::nullopt : std::optional(found->format);
}

std::string_view chat_format_names() {
  return "chatml, llama-2, llama-3, phi-3 or harmony";
}

Result<ChatText> chat_text(ChatFormat format, std::span<const ChatMessage> messages, bool answer_next) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string& role = messages[i].role;
    const bool known = role == "system" || role == "user" || role == "assistant" ||
                       (format == ChatFormat::harmony && role == "developer");
    if (!known)
      return refusal(i,
                     "is of \"" + io::printable(role) + "\", expected \"system\", \"user\" or \"assistant\"");
  }
  Writer writer;
  if (format != ChatFormat::llama2) {
    write_plain(format, messages, answer_next, writer);
  } else if (auto wrong = write_llama2(messages, writer)) {
    return *std::move(wrong);
  }
  return writer.take();
}

Result<Encoding> encode_chat(const Tokenizer& tokenizer, ChatFormat format,
                             std::span<const ChatMessage> messages, bool answer_next) {
  for (std::size_t i = 0; i < messages.size(); ++i)
    if (const std::size_t valid = valid_prefix(messages[i].content); valid < messages[i].content.size())
      return refusal(i, "is no UTF-8 at byte " + std::to_string(valid) + ", expected UTF-8");
  const Result<ChatText> chat = chat_text(format, messages, answer_next);
  if (!chat) return chat.error();
  EncodeOptions options;
  options.plain = chat.value().contents;
  return tokenizer.encode(chat.value().text, options);
}

}  // namespace assay::tokenizer
