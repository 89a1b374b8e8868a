#include <algorithm>
#include <cstdio>

#include "ci/test_process.hpp"
#include "engine/llm/tokenizer/test_files.hpp"

namespace assay::program {
namespace {

using nlohmann::json;

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line, nullptr, false));
  return lines;
}

class Tokenize : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (HasFatalFailure()) return;
    tokenizer::ByteLevelFile file;
    file.added = R"([{"id":262,"content":"<s>","special":true}])";
    file.post_processor =
        R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[262],"tokens":["<s>"]}}})";
    write("t.json", file.json());
    write("t.gguf", tokenizer::byte_level_gguf({}, "").bytes());
  }
  static std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.begin(), {"tokenize", "--tokenizer", "t.json"});
    return more;
  }
};

TEST_F(Tokenize, TextToIdsAndBack) {
  EXPECT_EQ(run(with({"--text", "hello wo"})).out, "259,261\n");
  EXPECT_EQ(run(with({"--text", ""})).out, "\n");
  const json document = this->document(with({"--text", "hello<s>\u00E9", "--add-special"}));
  EXPECT_EQ(document["ids"], (json{262, 259, 262, 0xC3, 0xA9}));
  EXPECT_EQ(document["pieces"], (json{"<s>", "hello", "<s>", "\uFFFD", "\uFFFD"}));
  EXPECT_EQ(document["offsets"], (json{{0, 0}, {0, 5}, {5, 8}, {8, 9}, {9, 10}}));
  EXPECT_EQ(run(with({"--text", "<s>", "--no-parse-special"})).out, "60,115,62\n");
  write("text.txt", "hello\n");
  EXPECT_EQ(run(with({"--file", "text.txt"})).out, "259,10\n");
  EXPECT_EQ(run(with({"--text", "hello wo", "--backend", "reference"})).out, "259,261\n");
  EXPECT_EQ(run(with({"--text", "hello\twor", "--show"})).out, "hello|\t|w|o|r\n5 tokens\n");
  EXPECT_EQ(run({"tokenize", "--tokenizer", "t.gguf", "--pre", "gpt-2", "--text", "hello[x]"}).out,
            "259,263\n");

  EXPECT_EQ(run({"detokenize", "--tokenizer", "t.json", "--ids", "259,261"}).out, "hello wo\n");
  EXPECT_EQ(run({"detokenize", "--tokenizer", "t.json", "--ids", "262,259", "--skip-special"}).out,
            "hello\n");
  const json back = this->document({"detokenize", "--tokenizer", "t.json", "--ids", "195,169,195"});
  EXPECT_EQ(back, json::parse(R"({"text":"é\ufffd","emit":["","é",""],"flush":"\ufffd"})"));
}

TEST_F(Tokenize, LinesAreAnsweredInOrderAndABadOneGoesOn) {
  write("in.jsonl", R"({"text":"hello"}
{"bytes_hex":"68ff"}

not json
{"text":"a","bytes_hex":"61"}
{"bytes_hex":"6"}
{"bytes_hex":"6g"}
{"text":7}
[1]
{"text":"\u2028"}
)");
  for (const char* const threads : {"1", "4"}) {
    const Outcome outcome = run(with({"--jsonl", "in.jsonl", "--threads", threads}));
    EXPECT_EQ(outcome.code, 2);
    EXPECT_NE(outcome.err.find("6 lines of in.jsonl could not be tokenized"), std::string::npos)
        << outcome.err;
    const std::vector<json> answers = lines_of(outcome.out);
    ASSERT_EQ(answers.size(), 9U);
    EXPECT_EQ(answers[0], (json{{"ids", {259}}}));
    EXPECT_EQ(answers[1], (json{{"ids", {'h', 0xEF, 0xBF, 0xBD}}}));
    EXPECT_EQ(answers[2]["error"], "in.jsonl:4: no JSON at byte 2");
    EXPECT_EQ(answers[3]["error"], "in.jsonl:5: expected either text or bytes_hex");
    EXPECT_EQ(answers[4]["error"], "in.jsonl:6: bytes_hex: an odd number of digits, expected two a byte");
    EXPECT_EQ(answers[5]["error"], "in.jsonl:7: bytes_hex: 'g', expected hexadecimal digits");
    EXPECT_EQ(answers[6]["error"], "in.jsonl:8: text: expected a string");
    EXPECT_EQ(answers[7]["error"], "in.jsonl:9: expected an object");
    EXPECT_EQ(answers[8], (json{{"ids", {0xE2, 0x80, 0xA8}}}));
  }
  const Outcome refused = run(with({"--jsonl", "in.jsonl", "--invalid-utf8", "error"}));
  EXPECT_EQ(lines_of(refused.out)[1]["error"], "in.jsonl:2: the text is no UTF-8 at byte 1, expected UTF-8");
  const Outcome through = run(with({"--jsonl", "in.jsonl", "--invalid-utf8", "bytes"}));
  EXPECT_EQ(lines_of(through.out)[1], (json{{"ids", {'h', 0xFF}}}));

  write("ids.jsonl", R"({"ids":[259,261]}
{"ids":[263]}
{"ids":[-1]}
{"ids":"1"}
{"ids":[]}
)");
  const Outcome back = run({"detokenize", "--tokenizer", "t.json", "--jsonl", "ids.jsonl"});
  EXPECT_EQ(back.code, 2);
  const std::vector<json> texts = lines_of(back.out);
  ASSERT_EQ(texts.size(), 5U);
  EXPECT_EQ(texts[0], (json{{"text", "hello wo"}, {"emit", {"hello", " wo"}}, {"flush", ""}}));
  EXPECT_EQ(texts[1]["error"], "ids.jsonl:2: ids[0]: 263, expected the id of a token, below 263");
  EXPECT_EQ(texts[2]["error"], "ids.jsonl:3: ids[0]: -1, expected the id of a token, below 263");
  EXPECT_EQ(texts[3]["error"], "ids.jsonl:4: ids: expected an array");
  EXPECT_EQ(texts[4], (json{{"text", ""}, {"emit", json::array()}, {"flush", ""}}));
}

TEST_F(Tokenize, Conversations) {
  write("chat.json", R"([{"role":"user","content":"hello<s>"}])");
  const json document = this->document(with({"--messages", "chat.json", "--chat", "llama-2"}));
  // <s>[INST] hello<s> [/INST]: the format's own is special, the user's is not.
  ASSERT_GT(document["ids"].size(), 8U);
  EXPECT_EQ(document["ids"][0], 262);
  EXPECT_EQ(std::count(document["ids"].begin(), document["ids"].end(), json(262)), 1);
  expect_refused(with({"--messages", "chat.json", "--chat", "alpaca"}),
                 "--chat: 'alpaca', expected chatml, llama-2");
  expect_refused(with({"--messages", "chat.json", "--add-special"}), "--add-special");
  write("chat.json", R"([{"role":"user"}])");
  expect_refused(with({"--messages", "chat.json"}),
                 "chat.json: message 0: expected role and content, both strings");
  write("chat.json", R"([{"role":"tool","content":""}])");
  expect_refused(with({"--messages", "chat.json"}), "chat.json: message 0 is of \"tool\"");
}

TEST_F(Tokenize, RefusesInOneLine) {
  expect_refused({"tokenize", "--text", "a"}, "--tokenizer");
  expect_refused(with({}), "expected one of --text TEXT, --file FILE, --jsonl FILE and --messages FILE");
  expect_refused(with({"--text", "a", "--file", "b"}), "expected one of --text TEXT");
  expect_refused(with({"--file", "none.txt"}), "none.txt");
  expect_refused(with({"--text", "a", "--pre", "gpt-2"}),
                 "t.json: a tokenizer.json says itself how text is split");
  expect_refused(with({"--text", "a\xFF", "--invalid-utf8", "error"}), "the text is no UTF-8 at byte 1");
  expect_refused(with({"--text", "a", "--invalid-utf8", "maybe"}), "--invalid-utf8");
  expect_refused({"tokenize", "--tokenizer", "t.gguf", "--text", "a"}, "t.gguf: has no tokenizer.ggml.pre");
  expect_refused({"tokenize", "--tokenizer", "t.gguf", "--text", "a", "--pre", "x"},
                 "the pre-tokenizer \"x\" is unknown");
  expect_refused({"tokenize", "--tokenizer", "none.json", "--text", "a"}, "none.json");
  write("bad.json", R"({"model":{"type":"WordPiece"},"pre_tokenizer":{"type":"ByteLevel"}})");
  expect_refused({"tokenize", "--tokenizer", "bad.json", "--text", "a"},
                 "bad.json: model.type is \"WordPiece\", which is not supported");
  write("vocab.json", "{}");
  expect_refused({"tokenize", "--tokenizer", "vocab.json", "--text", "a"}, "merges.txt");
  expect_refused(with({"--text", "a", "--backend", "cuda"}), "no CUDA body", 7);
  write("empty.jsonl", "\n");
  expect_refused(with({"--jsonl", "empty.jsonl"}), "empty.jsonl: holds no line", 6);
  expect_refused({"detokenize", "--tokenizer", "t.json", "--ids", "263"}, "--ids");
  expect_refused({"detokenize", "--tokenizer", "t.json"}, "expected one of --ids IDS and --jsonl FILE");
}

/// The golden vectors of real models, where they are: by the rules of their README.
class TokenizeGolden : public InFolder {
 protected:
  struct Model {
    std::string name;
    bool has_json;
  };
  static const std::vector<Model>& models() {
    static const std::vector<Model> all = {
        {"gpt-2", true},      {"llama3", true},  {"qwen2", true},
        {"o200k", true},      {"phi-3", true},   {"llama-spm", false},
        {"starcoder", false}, {"falcon", false}, {"deepseek-coder", false}};
    return all;
  }

  void SetUp() override {
    InFolder::SetUp();
    const char* const root = std::getenv("ASSAY_GOLDEN");
    golden_ = fs::path(root == nullptr ? "" : root) / "tokenizer";
    if (root == nullptr || !fs::exists(golden_ / "MANIFEST.json"))
      GTEST_SKIP() << "no golden data here (ASSAY_GOLDEN): not run";
    if (std::system("command -v xz >/dev/null") != 0)
      GTEST_SKIP() << "no xz here, which the golden data are packed with: not run";
  }

  /// The file of a vocabulary, unpacked where it has to be.
  std::string vocabulary(const std::string& name, bool gguf) const {
    const fs::path plain = golden_ / "vocab" / (name + (gguf ? ".gguf" : ".tokenizer.json"));
    if (fs::exists(plain)) return plain.string();
    const fs::path made = work() / plain.filename();
    if (fs::exists(made)) return made.string();
    const std::string command = "xz -dc '" + plain.string() + ".xz' > '" + made.string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << plain;
    return made.string();
  }

  std::vector<json> rows(const std::string& file) const {
    const fs::path path = golden_ / file;
    EXPECT_TRUE(fs::exists(path)) << path;
    return lines_of(content_of(path));
  }

  /// The answers of `assay tokenize` or `detokenize` to lines, one each.
  std::vector<json> answers(const std::string& command, const std::string& vocabulary,
                            const std::vector<json>& lines, const std::vector<std::string>& more) const {
    if (lines.empty()) return {};
    std::string text;
    for (const json& line : lines) text += line.dump() + "\n";
    write("in.jsonl", text);
    std::vector<std::string> arguments = {command, "--tokenizer", vocabulary, "--jsonl", "in.jsonl"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    std::vector<json> made = lines_of(outcome.out);
    EXPECT_EQ(made.size(), lines.size());
    made.resize(lines.size());
    return made;
  }

  /// Calls `check(name, file, is_gguf)` for every file of every vocabulary.
  template <typename Check>
  void for_each(Check check) const {
    for (const Model& model : models())
      for (const bool gguf : {true, false})
        if (gguf || model.has_json) {
          SCOPED_TRACE(model.name + (gguf ? ".gguf" : ".tokenizer.json"));
          check(model.name, vocabulary(model.name, gguf), gguf);
        }
  }

  /// Texts under `key` of the rows, and the ids that each must have.
  void expect_ids(const std::string& vocabulary, const std::vector<json>& rows, const char* key,
                  const char* expected, const std::vector<std::string>& more) const {
    ASSERT_FALSE(rows.empty());
    std::vector<json> lines;
    for (const json& row : rows) lines.push_back({{key, row[key]}});
    const std::vector<json> made = answers("tokenize", vocabulary, lines, more);
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_EQ(made[i].value("ids", json()), rows[i][expected]) << rows[i].dump();
  }

  fs::path golden_;
};

TEST_F(TokenizeGolden, Cases) {
  for_each([&](const std::string& name, const std::string& file, bool) {
    for (const char* const backend : {"cpu", "reference"})
      expect_ids(file, rows("cases/" + name + ".jsonl"), "text", "ids",
                 {"--no-parse-special", "--backend", backend});
  });
}

TEST_F(TokenizeGolden, InvalidUtf8) {
  for_each([&](const std::string& name, const std::string& file, bool) {
    expect_ids(file, rows("invalid_utf8/" + name + ".jsonl"), "bytes_hex",
               "ids_replacement_per_maximal_subpart", {"--no-parse-special"});
  });
}

TEST_F(TokenizeGolden, SpecialTokens) {
  for_each([&](const std::string& name, const std::string& file, bool gguf) {
    for (const bool parse : {false, true})
      for (const bool add : {false, true}) {
        std::vector<json> chosen, lines;
        for (const json& row : rows("special/" + name + ".jsonl")) {
          // `ids` is what the GGUF gives. A tokenizer.json says for itself which tokens are special and what
          // is added: it is held to what the library of its format gave.
          const auto& sources = row["src"];
          const bool from_library = std::find(sources.begin(), sources.end(), "hf") != sources.end() ||
                                    (row.contains("alt") && row["alt"].contains("hf"));
          if (row["parse_special"] == parse && row["add_special"] == add && (gguf || from_library)) {
            chosen.push_back(row);
            lines.push_back({{"text", row["text"]}});
          }
        }
        std::vector<std::string> more;
        if (!parse) more.emplace_back("--no-parse-special");
        if (add) more.emplace_back("--add-special");
        const std::vector<json> made = answers("tokenize", file, lines, more);
        for (std::size_t i = 0; i < chosen.size(); ++i) {
          json expected = chosen[i]["ids"];
          const json alternatives = chosen[i].value("alt", json::object());
          if (!gguf && alternatives.contains("hf")) expected = alternatives["hf"];
          // User-defined tokens are parsed always, as llama.cpp does.
          if (!parse && alternatives.contains("llama.cpp")) expected = alternatives["llama.cpp"];
          EXPECT_EQ(made[i].value("ids", json()), expected) << chosen[i].dump();
        }
      }
  });
}

TEST_F(TokenizeGolden, StreamingDecode) {
  for_each([&](const std::string& name, const std::string& file, bool) {
    const std::vector<json> expected = rows("decode/" + name + ".jsonl");
    ASSERT_FALSE(expected.empty());
    std::vector<json> lines;
    for (const json& row : expected) lines.push_back({{"ids", row["ids"]}});
    const std::vector<json> made = answers("detokenize", file, lines, {});
    for (std::size_t i = 0; i < expected.size(); ++i)
      for (const char* const part : {"text", "emit", "flush"})
        EXPECT_EQ(made[i].value(part, json()), expected[i][part]) << expected[i].dump();
  });
}

TEST_F(TokenizeGolden, Stress) {
  const std::vector<json> all = rows("stress.jsonl");
  ASSERT_FALSE(all.empty());
  for_each([&](const std::string& name, const std::string& file, bool) {
    std::vector<json> chosen, lines;
    for (const json& row : all) {
      if (row["vocab"] != name) continue;
      std::string text;
      for (int i = 0; i < row["count"].get<int>(); ++i) text += row["unit"].get<std::string>();
      chosen.push_back(row);
      lines.push_back({{"text", text}});
    }
    const std::vector<json> made = answers("tokenize", file, lines, {"--no-parse-special"});
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const auto ids = made[i].value("ids", std::vector<std::uint32_t>{});
      std::uint64_t hash = 1469598103934665603;  // the set's own beginning of FNV-1a
      for (const std::uint32_t id : ids)
        for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ (id >> shift & 0xFF)) * 0x100000001B3;
      char shown[17];
      std::snprintf(shown, sizeof shown, "%016llx", static_cast<unsigned long long>(hash));
      EXPECT_EQ(ids.size(), chosen[i]["n_ids"].get<std::size_t>()) << chosen[i]["unit"];
      EXPECT_EQ(shown, chosen[i]["ids_fnv1a64"]) << chosen[i]["unit"];
    }
  });
}

TEST_F(TokenizeGolden, UpstreamVectors) {
  for_each([&](const std::string& name, const std::string& file, bool) {
    const fs::path texts_path = golden_ / "upstream" / (name + ".inp");
    if (fs::exists(texts_path)) {
      const std::string separator = "\n__ggml_vocab_test__\n";
      std::string texts = content_of(texts_path);
      std::istringstream ids(content_of(golden_ / "upstream" / (name + ".out")));
      std::vector<json> expected;
      for (std::string line; std::getline(ids, line);) {
        const std::size_t end = texts.find(separator);
        json row{{"text", texts.substr(0, end)}, {"ids", json::array()}};
        texts.erase(0, end == std::string::npos ? texts.size() : end + separator.size());
        std::istringstream numbers(line);
        for (std::uint32_t id = 0; numbers >> id;) row["ids"].push_back(id);
        expected.push_back(std::move(row));
      }
      expect_ids(file, expected, "text", "ids", {"--no-parse-special"});
    }
    const std::string transformers = "upstream/transformers-" + name + ".jsonl";
    if (!fs::exists(golden_ / transformers)) return;
    std::vector<std::string> more;
    if (name == "llama-spm") more.emplace_back("--add-special");
    expect_ids(file, rows(transformers), "text", "ids", more);
  });
}

}  // namespace
}  // namespace assay::program
