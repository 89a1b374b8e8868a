#include "kernels/merge/encoder.hpp"

#include <mutex>
#include <utility>
#include <vector>

#include "kernels/merge/model.hpp"
#include "kernels/merge/run.hpp"

namespace assay::kernels::merge {
namespace {

class Encoder final : public SegmentEncoder {
 public:
  explicit Encoder(const TokenizerDescription& description) : model_(description) {}

  void encode(std::string_view segment, std::vector<TokenId>& ids,
              std::vector<std::uint32_t>* ends) const override {
    with_run(segment, ids, ends, [](auto& run) { run.pieces(); });
  }

  void encode_piece(std::string_view bytes, std::vector<TokenId>& ids,
                    std::vector<std::uint32_t>* ends) const override {
    with_run(bytes, ids, ends, [](auto& run) { run.whole(); });
  }

 private:
  template <typename Body>
  void with_run(std::string_view text, std::vector<TokenId>& ids, std::vector<std::uint32_t>* ends,
                const Body& body) const {
    if (text.empty()) return;
    std::unique_ptr<Scratch> scratch;
    {
      const std::lock_guard lock(mutex_);
      if (!spare_.empty()) {
        scratch = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    if (!scratch) scratch = std::make_unique<Scratch>(model_);
    if (ends) {
      Run<true> run(model_, *scratch, text, ids, ends);
      body(run);
    } else {
      Run<false> run(model_, *scratch, text, ids, ends);
      body(run);
    }
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(scratch));
  }

  const Model model_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> spare_;
};

}  // namespace

std::unique_ptr<SegmentEncoder> make_encoder(const TokenizerDescription& description) {
  return std::make_unique<Encoder>(description);
}

}  // namespace assay::kernels::merge
