#include "engine/llm/gguf/quantize_file.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/io/atomic_write.hpp"
#include "engine/io/bytes.hpp"
#include "engine/llm/gguf/plain_values.hpp"
#include "engine/tensors/block_format.hpp"
#include "engine/tensors/half.hpp"

namespace assay::gguf {
namespace {

constexpr std::uint32_t quantization_version = 2;  ///< GGML_QNT_VERSION of ggml.h

/// Carries an error out of what io::write_file calls.
struct Refused {
  InputError error;
};

template <typename Number>
std::string_view bytes_of(const Number& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

/// Appends, or counts where there is nothing to append to.
class Output {
 public:
  explicit Output(const io::Sink* sink) : sink_(sink) {}
  void raw(std::string_view bytes) {
    written_ += bytes.size();
    if (sink_ != nullptr) (*sink_)(bytes);
  }
  template <typename Number>
  void number(Number value) {
    raw(bytes_of(value));
  }
  void text(std::string_view content) {
    number<std::uint64_t>(content.size());
    raw(content);
  }
  void pad(std::uint64_t alignment) {
    static constexpr char zeros[256] = {};
    for (std::uint64_t left = (alignment - written_ % alignment) % alignment; left > 0;) {
      const std::uint64_t now = std::min<std::uint64_t>(left, sizeof zeros);
      raw({zeros, now});
      left -= now;
    }
  }
  std::uint64_t written() const { return written_; }

 private:
  const io::Sink* sink_;
  std::uint64_t written_ = 0;
};

std::uint64_t aligned(std::uint64_t bytes, std::uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

void put_metadata(const File& file, const QuantizePlan& plan, Output& out) {
  struct Set {
    std::string_view key;
    std::uint32_t value;
    bool done = false;
  };
  Set sets[] = {{"general.file_type", plan.file_type},
                {"general.quantization_version", quantization_version}};
  const auto is_of_split = [](std::string_view key) {
    return key == "split.no" || key == "split.count" || key == "split.tensors.count";
  };
  const auto set_of = [&](std::string_view key) { return std::ranges::find(sets, key, &Set::key); };
  const auto put = [&](Set& set) {
    out.text(set.key);
    out.number(static_cast<std::uint32_t>(ValueType::uint32));
    out.number(set.value);
    set.done = true;
  };
  std::uint64_t count = std::size(sets);
  for (const Metadata& entry : file.metadata())
    if (!is_of_split(entry.key) && set_of(entry.key) == std::end(sets)) ++count;
  out.number(count);
  for (const Metadata& entry : file.metadata()) {
    if (is_of_split(entry.key)) continue;
    if (auto* const set = set_of(entry.key); set != std::end(sets))
      put(*set);
    else
      out.raw(file.stored(entry));
  }
  for (Set& set : sets)
    if (!set.done) put(set);
}

void put_header(const ModelFiles& files, const QuantizePlan& plan, Output& out) {
  const File& first = files.parts().front();
  out.raw("GGUF");
  out.number<std::uint32_t>(3);
  out.number<std::uint64_t>(plan.tensors.size());
  put_metadata(first, plan, out);
  std::uint64_t offset = 0;
  for (const PlannedTensor& planned : plan.tensors) {
    const TensorEntry& tensor = *planned.tensor;
    out.text(tensor.name);
    out.number(tensor.rank);
    for (std::uint32_t axis = 0; axis < tensor.rank; ++axis) out.number(tensor.shape[axis]);
    out.number(static_cast<std::uint32_t>(planned.type));
    out.number(offset);
    offset = aligned(offset + planned.bytes(), first.alignment());
  }
  out.pad(first.alignment());
}

[[noreturn]] void refuse(const PlannedTensor& planned, std::uint64_t element, const std::string& what) {
  throw Refused{{InputError::Code::not_finite,
                 planned.file->path() + ": tensor '" +
                     io::printable(planned.tensor->name, max_tensor_name_bytes) + "': element " +
                     std::to_string(element) + " is " + what,
                 {},
                 {},
                 {}}};
}

void check_finite(const PlannedTensor& planned, std::span<const float> values, std::uint64_t first) {
  constexpr std::uint32_t exponent = 0x7F800000u;
  bool finite = true;
  for (const float value : values) finite &= (detail::bits_of(value) & exponent) != exponent;
  if (finite) return;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint32_t bits = detail::bits_of(values[i]);
    if ((bits & exponent) != exponent) continue;
    const char* const what = (bits & 0x007FFFFFu) != 0 ? "NaN" : bits >> 31 != 0 ? "-Inf" : "Inf";
    refuse(planned, first + i, std::string(what) + ", expected finite values");
  }
}

bool half_is_finite(const char* at) {
  std::uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return (bits & 0x7C00u) != 0x7C00u;
}

/// Values were finite: a scale that is not is beyond binary16.
void check_scales(const PlannedTensor& planned, const BlockLayout& layout, std::string_view blocks,
                  std::uint64_t first) {
  if (layout.scale != BlockScale::binary16) return;
  const auto size = static_cast<std::size_t>(layout.bytes);
  for (std::size_t at = 0; at < blocks.size(); at += size) {
    const char* const block = blocks.data() + at;
    if (half_is_finite(block + layout.scale_at) &&
        (layout.minimum_at < 0 || half_is_finite(block + layout.minimum_at)))
      continue;
    refuse(planned, first + at / size * static_cast<std::uint64_t>(layout.length),
           "in a block of " + std::string(layout.name) +
               " whose scale is above 65504, the largest of binary16, expected smaller values");
  }
}

/// Floats to what the plan says, piece by piece.
class Encoder {
 public:
  Encoder(const PlannedTensor& planned, const RunOperation& run, Output& out)
      : planned_(planned),
        run_(run),
        out_(out),
        format_(block_format_of_ggml(static_cast<std::uint32_t>(planned.type)).value()) {}

  void take(std::span<const float> values) {
    check_finite(planned_, values, done_);
    if (format_ == BlockFormat::f16)
      narrow(values);
    else
      encode(values);
    done_ += values.size();
  }

 private:
  void narrow(std::span<const float> values) {
    halves_.clear();
    for (const float value : values) halves_.push_back(to_half(value));
    for (std::size_t i = 0; i < halves_.size(); ++i)
      if ((halves_[i].bits & 0x7C00u) == 0x7C00u)
        refuse(planned_, done_ + i, "above 65504, the largest of F16, expected smaller values");
    out_.raw({reinterpret_cast<const char*>(halves_.data()), halves_.size() * sizeof(Half)});
  }

  void encode(std::span<const float> values) {
    // Rows are whole blocks, so that any number of blocks is a row to encode.
    Arguments arguments;
    arguments.inputs.emplace("values", view_of(values.data(), {1, static_cast<std::int64_t>(values.size())}));
    arguments.parameters.emplace("format", std::string(layout_of(format_).name));
    const std::map<std::string, Tensor> outputs = run_(*find_operation("quant.quantize"), arguments);
    const auto bytes = outputs.at("blocks").as<std::uint8_t>();
    const std::string_view blocks(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    check_scales(planned_, layout_of(format_), blocks, done_);
    out_.raw(blocks);
  }

  const PlannedTensor& planned_;
  const RunOperation& run_;
  Output& out_;
  BlockFormat format_;
  std::uint64_t done_ = 0;
  std::vector<Half> halves_;
};

void copy(const PlannedTensor& planned, Output& out, const std::function<void(std::uint64_t)>& wrote) {
  constexpr std::uint64_t piece = std::uint64_t{4} << 20;
  const std::string_view data = planned.tensor->data;
  for (std::uint64_t at = 0; at < data.size(); at += piece) {
    out.raw(data.substr(at, piece));
    planned.file->release(data.substr(at, piece));
    const double share =
        static_cast<double>(std::min(at + piece, data.size())) / static_cast<double>(data.size());
    wrote(static_cast<std::uint64_t>(share * static_cast<double>(planned.tensor->elements)));
  }
}

}  // namespace

Result<std::uint64_t> write_quantized(const ModelFiles& files, const QuantizePlan& plan,
                                      const std::string& path, const RunOperation& run,
                                      const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::uint64_t total = 0, done = 0;
  for (const PlannedTensor& planned : plan.tensors) total += planned.tensor->elements;
  const std::uint64_t alignment = files.parts().front().alignment();
  try {
    return io::write_file(path, [&](const io::Sink& sink) {
      Output out(&sink);
      put_header(files, plan, out);
      for (const PlannedTensor& planned : plan.tensors) {
        if (planned.converted()) {
          Encoder encoder(planned, run, out);
          std::uint64_t within = 0;
          read_values(*planned.tensor, run, [&](std::span<const float> values) {
            encoder.take(values);
            within += values.size();
            const auto read = [&](std::uint64_t elements) {
              return elements / info_of(planned.tensor->type).block_length *
                     info_of(planned.tensor->type).block_bytes;
            };
            planned.file->release(
                planned.tensor->data.substr(read(within - values.size()), read(values.size())));
            progress(done + within, total);
          });
        } else {
          copy(planned, out, [&](std::uint64_t within) { progress(done + within, total); });
        }
        out.pad(alignment);
        done += planned.tensor->elements;
      }
    });
  } catch (const Refused& refused) {
    return refused.error;
  }
}

std::uint64_t quantized_file_bytes(const ModelFiles& files, const QuantizePlan& plan) {
  Output header(nullptr);
  put_header(files, plan, header);
  std::uint64_t bytes = header.written();
  for (const PlannedTensor& planned : plan.tensors)
    bytes += aligned(planned.bytes(), files.parts().front().alignment());
  return bytes;
}

}  // namespace assay::gguf
