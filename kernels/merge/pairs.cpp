#include "kernels/merge/pairs.hpp"

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::merge {
namespace {

/// Longer tokens are not taken apart, so that a vocabulary of very long ones does not take forever.
constexpr std::size_t longest_taken_apart = 512;

}  // namespace

void Pairs::find_last_merge(TokenId id) {
  Made& made = tokens_[id];
  const std::string_view text = vocabulary_.bytes_of(id);
  const std::vector<Symbol>& symbols = loop_.merge(text);
  if (symbols.size() != 1 || symbols[0].id != id) {
    made.kind = Kind::unreached;
  } else if (loop_.merges() == 0) {
    made.kind = Kind::symbol;
  } else {
    const Loop::Merged& last = loop_.last();
    made = {last.left, last.right, last.priority,
            text.size() > longest_taken_apart ? Kind::falling : Kind::waiting};
  }
}

/// By a stack of its own: parts of tokens may be as many levels deep as a token has bytes.
void Pairs::find_out(TokenId id) {
  open_.assign(1, id);
  while (!open_.empty()) {
    const TokenId top = open_.back();
    if (tokens_[top].kind == Kind::unknown) find_last_merge(top);
    Made& made = tokens_[top];
    if (made.kind == Kind::waiting) {
      // Parts that have no token of their own are told apart by nothing here: the loop decides.
      if (made.left == no_token || made.right == no_token) {
        made.kind = Kind::falling;
      } else {
        const std::size_t before = open_.size();
        for (const TokenId part : {made.left, made.right})
          if (tokens_[part].kind == Kind::unknown || tokens_[part].kind == Kind::waiting)
            open_.push_back(part);
        if (open_.size() != before) continue;
        const auto rises_to = [&](const Made& part) {
          if (mutant("tokenizer.encode.falling_taken_apart")) return true;
          return part.kind == Kind::symbol || (part.kind == Kind::rising && part.priority <= made.priority);
        };
        made.kind =
            rises_to(tokens_[made.left]) && rises_to(tokens_[made.right]) ? Kind::rising : Kind::falling;
      }
    }
    open_.pop_back();
  }
}

bool Pairs::ask(TokenId left, TokenId right) {
  const auto taken_apart = [&](TokenId id) {
    const Kind kind = known(id).kind;
    return kind == Kind::symbol || kind == Kind::rising;
  };
  if (!alone(left) || !alone(right)) return false;
  if (!taken_apart(left) || !taken_apart(right)) return ask_loop(left, right);
  const std::string_view first = vocabulary_.bytes_of(left);
  if (rules_.by_text()) {
    text_ = first;
    text_ += vocabulary_.bytes_of(right);
  }
  const auto text_of_border = [&]() -> std::string_view {
    if (!rules_.by_text()) return {};
    const std::size_t behind = vocabulary_.bytes_of(left).size();
    return std::string_view(text_).substr(first.size() - behind, behind + vocabulary_.bytes_of(right).size());
  };
  std::uint32_t below = Rules::never;  // the priorities that go before the next change
  for (;;) {
    if (rules_.join(left, right, text_of_border()).priority < below) return false;
    const Made& a = known(left);
    const Made& b = known(right);
    if (a.kind == Kind::symbol && b.kind == Kind::symbol) return true;
    if (b.kind == Kind::symbol || (a.kind != Kind::symbol && a.priority > b.priority)) {
      below = a.priority;
      left = a.right;
    } else {
      below = b.priority + (mutant("tokenizer.encode.equal_priority_across_border") ? 0 : 1);
      right = b.left;
    }
  }
}

bool Pairs::ask_loop(TokenId left, TokenId right) {
  const std::string_view first = vocabulary_.bytes_of(left);
  text_ = first;
  text_ += vocabulary_.bytes_of(right);
  const auto middle = static_cast<std::uint32_t>(first.size());
  const auto end = static_cast<std::uint32_t>(text_.size());
  const std::vector<Symbol>& symbols = loop_.merge(text_);
  return symbols.size() == 2 && symbols[0] == Symbol{left, middle} && symbols[1] == Symbol{right, end};
}

}  // namespace assay::kernels::merge
