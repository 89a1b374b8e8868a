#pragma once

#include "engine/runtime/mutant.hpp"
#include "kernels/split/matches.hpp"
#include "kernels/split/words.hpp"

namespace assay::kernels::split {

constexpr bool cuts_words(SplitStep step) {
  return step == SplitStep::gpt2 || step == SplitStep::llama3 || step == SplitStep::qwen2 ||
         step == SplitStep::gpt4o;
}

/// Calls `piece(begin, end)` for the pieces of a text by one step, in order: matches and what lies between
/// them. Inlined into whoever takes the pieces: a call for each would cost as much as finding it.
template <SplitStep Step, typename Piece>
void for_each_piece(Place begin, Place end, const Piece& piece) {
  if constexpr (cuts_words(Step)) {
    while (begin < end) {
      const Place stop = word_piece_end<Step>(begin, end);
      piece(begin, stop);
      begin = stop;
    }
  } else if constexpr (Step == SplitStep::deepseek_llm_trailing_space) {
    const Place stop = trailing_space(begin, end);
    if (stop != begin) piece(begin, stop);
    if (stop != end) piece(stop, end);
  } else {
    for (Place at = begin; at < end;) {
      const Place stop = match_end<Step>(at, end);
      if (stop == at) {
        at += unicode::character_at(at, end).length;
        continue;
      }
      if (mutant("tokenizer.pretokenize.gap_joins_match")) {
        piece(begin, stop);
        begin = at = stop;
        continue;
      }
      if (at != begin) piece(begin, at);
      piece(at, stop);
      begin = at = stop;
    }
    if (begin != end && !mutant("tokenizer.pretokenize.rest_lost")) piece(begin, end);
  }
}

/// Calls `body` with the step as a constant: `body.template operator()<Step>()`.
template <typename Body>
void with_step(SplitStep step, const Body& body) {
  switch (step) {
    case SplitStep::gpt2:
      return body.template operator()<SplitStep::gpt2>();
    case SplitStep::llama3:
      return body.template operator()<SplitStep::llama3>();
    case SplitStep::qwen2:
      return body.template operator()<SplitStep::qwen2>();
    case SplitStep::gpt4o:
      return body.template operator()<SplitStep::gpt4o>();
    case SplitStep::number:
      return body.template operator()<SplitStep::number>();
    case SplitStep::numbers:
      return body.template operator()<SplitStep::numbers>();
    case SplitStep::digit_triple:
      return body.template operator()<SplitStep::digit_triple>();
    case SplitStep::punctuation:
      return body.template operator()<SplitStep::punctuation>();
    case SplitStep::punctuation_run:
      return body.template operator()<SplitStep::punctuation_run>();
    case SplitStep::punctuation_run_default:
      return body.template operator()<SplitStep::punctuation_run_default>();
    case SplitStep::line_break:
      return body.template operator()<SplitStep::line_break>();
    case SplitStep::deepseek_coder_letters:
      return body.template operator()<SplitStep::deepseek_coder_letters>();
    case SplitStep::deepseek_coder_punctuation:
      return body.template operator()<SplitStep::deepseek_coder_punctuation>();
    case SplitStep::deepseek_cjk:
      return body.template operator()<SplitStep::deepseek_cjk>();
    case SplitStep::deepseek_llm_letters:
      return body.template operator()<SplitStep::deepseek_llm_letters>();
    case SplitStep::deepseek_llm_punctuation:
      return body.template operator()<SplitStep::deepseek_llm_punctuation>();
    case SplitStep::deepseek_llm_trailing_space:
      return body.template operator()<SplitStep::deepseek_llm_trailing_space>();
  }
}

}  // namespace assay::kernels::split
