#include "benchmarks/tokens/english.hpp"

#include <cmath>
#include <set>
#include <vector>

#include "engine/runtime/philox.hpp"

namespace assay::benchmarks::tokens {
namespace {

constexpr std::size_t word_count = 4096;

const std::vector<std::string>& words() {
  static const std::vector<std::string> all = [] {
    constexpr std::string_view onsets[] = {"b", "ch", "d", "f", "g",  "h", "l",  "m",
                                           "n", "p",  "r", "s", "st", "t", "th", "w"};
    constexpr std::string_view rests[] = {"a",   "e",  "i",  "o",  "u",  "an", "ed", "er",
                                          "ing", "on", "es", "at", "or", "al", "ea", "ou"};
    std::vector<std::string> made;
    for (std::size_t i = 0; i < word_count; ++i) {
      // Frequent words are short, as those of languages are.
      std::string word(onsets[i % 16]);
      word += rests[i / 16 % 16];
      for (std::size_t rest = i / 256; rest > 0; rest /= 4)
        (word += onsets[(rest * 5 + i) % 16]) += rests[(rest * 3 + i) % 16];
      made.push_back(std::move(word));
    }
    return made;
  }();
  return all;
}

}  // namespace

std::string english(std::size_t bytes, std::uint64_t seed) {
  Philox random(seed);
  std::string text;
  text.reserve(bytes + 32);
  while (text.size() < bytes) {
    // The rank of a word: uniform in its logarithm, which is Zipf's law.
    const auto rank =
        static_cast<std::size_t>(std::exp(random.uniform() * std::log(static_cast<double>(word_count)))) - 1;
    const double mark = random.uniform();
    if (mark < 0.01)
      text += std::to_string(1000 + rank % 1000);
    else
      text += words()[rank % word_count];
    text += mark > 0.995 ? ".\n\n" : mark > 0.94 ? ". " : mark > 0.88 ? ", " : " ";
  }
  text.resize(bytes);
  return text;
}

Tensor tensor_of(std::string_view bytes) {
  const std::vector<std::uint8_t> values(bytes.begin(), bytes.end());
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

TokenizerDescription english_tokenizer() {
  VocabularyBuilder builder;
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    builder.add({&text, 1}, TokenKind::normal);
  }
  builder.index();
  std::vector<Merge> merges;
  std::set<std::string> seen;
  for (const char* const before : {"", " "}) {
    std::vector<std::string> texts;
    for (const std::string& word : words()) texts.push_back(before + word);
    for (std::size_t size = 2; size <= 24; ++size) {
      for (const std::string& text : texts) {
        if (text.size() < size || !seen.insert(text.substr(0, size)).second) continue;
        merges.push_back({builder.find(std::string_view(text).substr(0, size - 1)),
                          builder.find(std::string_view(text).substr(size - 1, 1)),
                          static_cast<TokenId>(builder.size())});
        builder.add(std::string_view(text).substr(0, size), TokenKind::normal);
      }
      builder.index();
    }
  }
  TokenizerDescription made;
  builder.set_merges(std::move(merges));
  made.vocabulary = builder.build();
  made.specification.split = {SplitStep::llama3};
  return made;
}

}  // namespace assay::benchmarks::tokens
