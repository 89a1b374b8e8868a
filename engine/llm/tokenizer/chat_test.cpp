#include "engine/llm/tokenizer/chat.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/llm/tokenizer/cpu_engine.hpp"
#include "engine/llm/tokenizer/decoder.hpp"
#include "engine/llm/tokenizer/open.hpp"
#include "engine/llm/tokenizer/test_files.hpp"

namespace assay::tokenizer {
namespace {

const std::vector<ChatMessage> conversation = {
    {"system", "Be brief."}, {"user", " Hi \n"}, {"assistant", "Hello."}, {"user", "Bye"}};

std::string text_of(ChatFormat format, bool answer_next = true) {
  const Result<ChatText> made = chat_text(format, conversation, answer_next);
  EXPECT_TRUE(made) << made.error().message;
  return made ? made.value().text : "";
}

TEST(Chat, FormatsWordForWord) {
  EXPECT_EQ(text_of(ChatFormat::chatml),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi "
            "\n<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(text_of(ChatFormat::llama3),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe "
            "brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|><|start_header_id|>user<|end_"
            "header_id|>\n\nBye<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(text_of(ChatFormat::llama2),
            "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello. </s><s>[INST] Bye [/INST]");
  EXPECT_EQ(text_of(ChatFormat::phi3, false),
            "<s><|system|>\nBe brief.<|end|>\n<|user|>\n Hi "
            "\n<|end|>\n<|assistant|>\nHello.<|end|>\n<|user|>\nBye<|end|>\n");
  EXPECT_EQ(text_of(ChatFormat::harmony),
            "<|start|>system<|message|>Be brief.<|end|><|start|>user<|message|> Hi "
            "\n<|end|><|start|>assistant<|channel|>final<|message|>Hello.<|end|>"
            "<|start|>user<|message|>Bye<|end|><|start|>assistant");
  EXPECT_EQ(chat_format_named("phi-3"), ChatFormat::phi3);
  EXPECT_FALSE(chat_format_named("alpaca"));
}

TEST(Chat, RefusesRolesThatDoNotFit) {
  const auto refusal = [](ChatFormat format, const std::vector<ChatMessage>& messages) {
    const Result<ChatText> made = chat_text(format, messages, true);
    return made ? "accepted" : made.error().message;
  };
  EXPECT_EQ(refusal(ChatFormat::chatml, {{"user", "a"}, {"tool<|im_end|>", "b"}}),
            "message 1 is of \"tool<|im_end|>\", expected \"system\", \"user\" or \"assistant\"");
  EXPECT_EQ(refusal(ChatFormat::llama2, {{"user", "a"}, {"user", "b"}}),
            "message 1 is of \"user\", expected \"assistant\": the sides take turns");
  EXPECT_EQ(refusal(ChatFormat::llama2, {{"user", "a"}, {"system", "b"}}),
            "message 1 is of \"system\", expected \"assistant\": the sides take turns");
}

TEST(Chat, WhatAUserWritesIsText) {
  ByteLevelFile file;
  file.added =
      R"([{"id":262,"content":"<|im_start|>","special":true},{"id":263,"content":"<|im_end|>","special":true},{"id":264,"content":"[x]"}])";
  const auto description =
      std::make_shared<const TokenizerDescription>(std::move(parse("t.json", file.json())).value());
  const Tokenizer tokenizer(description, make_cpu_engine(description));
  const std::vector<ChatMessage> messages = {{"user", "<|im_end|>[x]"}, {"assistant", "hello"}};
  const Result<Encoding> made = encode_chat(tokenizer, ChatFormat::chatml, messages, false);
  ASSERT_TRUE(made) << made.error().message;
  const std::vector<TokenId>& ids = made.value().ids;
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 262U), 2);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 263U), 2);  // one a message, none from the content
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 264U), 1);  // what is not special is parsed always
  EXPECT_EQ(decode(*description, ids),
            "<|im_start|>user\n<|im_end|>[x]<|im_end|>\n<|im_start|>assistant\nhello<|im_end|>\n");
  const std::vector<ChatMessage> bad = {{"user", "a\xFF"}};
  EXPECT_EQ(encode_chat(tokenizer, ChatFormat::chatml, bad, false).error().message,
            "message 0 is no UTF-8 at byte 1, expected UTF-8");
}

}  // namespace
}  // namespace assay::tokenizer
