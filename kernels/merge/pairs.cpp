#include "kernels/merge/pairs.hpp"

namespace assay::kernels::merge {

bool Pairs::ask(TokenId left, TokenId right) {
  const std::string_view first = vocabulary_.bytes_of(left);
  text_ = first;
  text_ += vocabulary_.bytes_of(right);
  const auto middle = static_cast<std::uint32_t>(first.size());
  const auto end = static_cast<std::uint32_t>(text_.size());
  const std::vector<Symbol>& symbols = loop_.merge(text_);
  return symbols.size() == 2 && symbols[0] == Symbol{left, middle} && symbols[1] == Symbol{right, end};
}

bool Pairs::ask(TokenId id) {
  const std::string_view text = vocabulary_.bytes_of(id);
  const std::vector<Symbol>& symbols = loop_.merge(text);
  return symbols.size() == 1 && symbols[0].id == id;
}

}  // namespace assay::kernels::merge
