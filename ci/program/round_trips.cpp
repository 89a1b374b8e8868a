#include "ci/program/round_trips.hpp"

#include <atomic>
#include <mutex>

#include "ci/program/backend_choice.hpp"
#include "ci/program/calibrating.hpp"
#include "ci/program/console.hpp"
#include "engine/io/bytes.hpp"
#include "engine/llm/tokenizer/decoder.hpp"
#include "engine/llm/tokenizer/normaliser.hpp"
#include "engine/runtime/philox.hpp"
#include "fmt/format.h"
#include "kernels/unicode/utf8.hpp"

namespace assay::program {
namespace {

using tokenizer::Encoding;
using tokenizer::StreamDecoder;
using tokenizer::Tokenizer;

/// Half ASCII, the rest from letters and marks of the first planes, and from all of Unicode.
std::string random_text(Philox& random) {
  std::string text;
  for (std::uint64_t left = random.below(41); left > 0; --left) {
    const std::uint64_t kind = random.below(8);
    std::uint32_t c = 0;
    if (kind < 4)
      c = static_cast<std::uint32_t>(random.below(0x80));
    else if (kind < 6)
      c = 0x80 + static_cast<std::uint32_t>(random.below(0x3000 - 0x80));
    else if (kind < 7)
      c = static_cast<std::uint32_t>(random.below(0xD800));
    else
      c = 0xE000 + static_cast<std::uint32_t>(random.below(0x110000 - 0xE000));
    kernels::unicode::append(text, c);
  }
  return text;
}

/// What is wrong with a text's way there and back; empty where nothing is.
std::string fault_of(const Tokenizer& tokenizer, const tokenizer::Normaliser& normaliser,
                     const std::string& text, bool as_stream, std::size_t& tokens) {
  const Result<Encoding> encoding = tokenizer.encode(text, {.parse_special = false});
  if (!encoding) return encoding.error().message;
  const std::vector<TokenId>& ids = encoding.value().ids;
  tokens += ids.size();
  std::string made;
  const std::string_view expected = normaliser(text, true, made, nullptr);
  const std::string whole = tokenizer::decode(tokenizer.description(), ids);
  if (whole != expected) return "it comes back as '" + io::printable(whole, 200) + "'";
  if (!as_stream) return "";
  // A stream that ends after each number of tokens: what it has handed out is the beginning of the text, but
  // for an incomplete character.
  std::string streamed;
  StreamDecoder decoder(tokenizer.description());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    decoder.add(ids[i], streamed);
    StreamDecoder ended = decoder;
    std::string tail;
    ended.finish(tail);
    const std::string cut = tokenizer::decode(tokenizer.description(), std::span(ids).first(i + 1));
    if (streamed + tail != cut || expected.substr(0, streamed.size()) != streamed)
      return fmt::format("as a stream it is '{}' after {} tokens", io::printable(streamed + tail, 200),
                         i + 1);
  }
  return "";
}

/// Cutting a text after every token takes as often as it has tokens the time of decoding it.
constexpr std::int64_t stream_every = 16;

struct Tally {
  std::atomic<std::int64_t> done{0}, bytes{0}, tokens{0}, changed{0};
  std::mutex guard;
  std::string first;
};

}  // namespace

int check_round_trips(Invocation& invocation, const Tokenizer& tokenizer) {
  const std::int64_t texts = invocation.integer("round-trips", 1, std::int64_t{1} << 40);
  if (tokenizer.description().specification.model != TokenizerModel::byte_level_bpe)
    invocation.refuse("round-trips", "is for byte-level tokenizers: SentencePiece's change spaces");
  constexpr std::int64_t at_once = 4096;
  const tokenizer::Normaliser normaliser(tokenizer.description().specification);
  ThreadPool pool(threads_of(invocation));
  Tally tally;
  ProgressLine line(invocation.console(), "texts");
  const std::int64_t blocks = (texts + at_once - 1) / at_once;
  pool.parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end, unsigned worker) {
    for (std::int64_t block = begin; block < end; ++block) {
      Philox random(invocation.seed(), static_cast<std::uint64_t>(block));
      const std::int64_t count = std::min(at_once, texts - block * at_once);
      std::size_t bytes = 0, tokens = 0;
      for (std::int64_t i = 0; i < count; ++i) {
        const std::string text = random_text(random);
        bytes += text.size();
        const std::string fault = fault_of(tokenizer, normaliser, text, i % stream_every == 0, tokens);
        if (fault.empty()) continue;
        if (tally.changed++ > 0) continue;
        const std::lock_guard lock(tally.guard);
        tally.first = fmt::format("'{}': {}", io::printable(text, 200), fault);
      }
      tally.bytes += static_cast<std::int64_t>(bytes);
      tally.tokens += static_cast<std::int64_t>(tokens);
      tally.done += count;
      if (worker == 0) line.update(tally.done, texts);
    }
  });
  if (invocation.json())
    invocation.print_json({{"texts", texts},
                           {"bytes", tally.bytes.load()},
                           {"tokens", tally.tokens.load()},
                           {"changed", tally.changed.load()},
                           {"first", tally.first}});
  else
    invocation.print(fmt::format("{} texts of {} bytes, {} tokens: {} came back changed\n{}",
                                 with_commas(texts), with_commas(tally.bytes), with_commas(tally.tokens),
                                 with_commas(tally.changed),
                                 tally.first.empty() ? "" : "  the first: " + tally.first + "\n"));
  return code_of(tally.changed == 0 ? ExitCode::ok : ExitCode::incorrect);
}

}  // namespace assay::program
