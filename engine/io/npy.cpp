#include "engine/io/npy.hpp"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>
#include <vector>

#include "engine/io/atomic_write.hpp"

namespace assay::io {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they lie in the file");

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t max_header = std::size_t{1} << 20;
constexpr std::size_t max_rank = 32;

InputError failure(const std::string& name, InputError::Code code, const std::string& what,
                   std::optional<std::uint64_t> offset = {}) {
  return {code, name + ": " + what + (offset ? " at byte " + std::to_string(*offset) : ""), offset, {}, {}};
}

struct Header {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
};

/// Reads the header's dictionary: the part of Python's literals that NumPy writes, and nothing else.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  /// Empty where it went well; else what was expected.
  std::string read(Header& header) {
    bool have_descr = false, have_order = false, have_shape = false;
    if (!take('{')) return "expected '{'";
    while (!take('}')) {
      std::string key;
      if (!quoted(key)) return "expected a quoted key";
      if (!take(':')) return "expected ':'";
      if (key == "descr" && !have_descr) {
        have_descr = true;
        skip();
        if (at_ < text_.size() && text_[at_] == '[')
          return "structured types are not read, expected one number type";
        if (!quoted(header.descr)) return "expected a quoted type";
      } else if (key == "fortran_order" && !have_order) {
        have_order = true;
        if (word("True"))
          header.fortran_order = true;
        else if (!word("False"))
          return "expected True or False";
      } else if (key == "shape" && !have_shape) {
        have_shape = true;
        if (!shape(header.shape)) return "expected a tuple of sizes that are not negative";
      } else {
        return "unknown or repeated key '" + printable(key) + "'";
      }
      if (!take(',')) {
        if (!take('}')) return "expected ',' or '}'";
        break;
      }
    }
    skip();
    if (at_ != text_.size()) return "unexpected text after the dictionary";
    if (!have_descr || !have_order || !have_shape) return "expected the keys descr, fortran_order and shape";
    return "";
  }

  std::size_t offset() const { return at_; }

 private:
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool take(char letter) {
    skip();
    if (at_ == text_.size() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view expected) {
    skip();
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  bool quoted(std::string& out) {
    skip();
    if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return false;
    const std::size_t stop = text_.find(text_[at_], at_ + 1);
    if (stop == std::string_view::npos) return false;
    out = std::string(text_.substr(at_ + 1, stop - at_ - 1));
    at_ = stop + 1;
    return true;
  }
  bool shape(Shape& out) {
    if (!take('(')) return false;
    while (!take(')')) {
      skip();
      std::int64_t extent = 0;
      const char* begin = text_.data() + at_;
      const auto [stop, code] = std::from_chars(begin, text_.data() + text_.size(), extent);
      if (code != std::errc{} || extent < 0) return false;
      at_ += static_cast<std::size_t>(stop - begin);
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // as Python 2 wrote long integers
      out.push_back(extent);
      if (out.size() > max_rank) return false;
      if (!take(',')) return take(')');
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<DType> dtype_of_descr(std::string_view descr) {
  if (descr == "<f8") return DType::f64;
  if (descr == "<f4") return DType::f32;
  if (descr == "<f2") return DType::f16;
  if (descr == "<i8") return DType::i64;
  if (descr == "<i4") return DType::i32;
  if (descr == "<u4") return DType::u32;
  if (descr == "|u1" || descr == "<u1") return DType::u8;
  return std::nullopt;
}

std::string refused_type(const std::string& descr) {
  const std::string what = "elements of type '" + printable(descr) + "'";
  const std::string expected = ", expected little-endian <f8, <f4, <f2, <i8, <i4, <u4 or |u1";
  if (descr.find('O') != std::string::npos)
    return what + " are pickled Python objects and are not read" + expected;
  if (descr.starts_with('>')) return what + " are big-endian and are not read" + expected;
  return what + " are not read" + expected;
}

/// Product of the extents times the element size, or nothing where it does not fit 63 bits.
std::optional<std::uint64_t> byte_count(const Shape& shape, std::size_t element) {
  constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t bytes = element;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent == 0) {
      empty = true;
      continue;
    }
    if (bytes > limit / static_cast<std::uint64_t>(extent)) return std::nullopt;
    bytes *= static_cast<std::uint64_t>(extent);
  }
  return empty ? 0 : bytes;
}

/// Copies column-major elements to row-major order.
void from_fortran(std::string_view bytes, const Shape& shape, std::size_t element, std::byte* out) {
  std::vector<std::size_t> step(shape.size());
  std::size_t product = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    step[axis] = product;
    product *= static_cast<std::size_t>(shape[axis]);
  }
  std::vector<std::int64_t> index(shape.size(), 0);
  std::size_t source = 0;
  for (std::size_t i = 0; i < product; ++i) {
    std::memcpy(out + i * element, bytes.data() + source * element, element);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      source += step[axis];
      if (++index[axis] < shape[axis]) break;
      source -= step[axis] * static_cast<std::size_t>(shape[axis]);
      index[axis] = 0;
    }
  }
}

std::string_view descr_of(DType type) {
  switch (type) {
    case DType::f64:
      return "<f8";
    case DType::f32:
    case DType::bf16:
      return "<f4";
    case DType::f16:
      return "<f2";
    case DType::i64:
      return "<i8";
    case DType::i32:
      return "<i4";
    case DType::u32:
      return "<u4";
    case DType::u8:
      return "|u1";
  }
  return "?";
}

}  // namespace

Result<Tensor> parse_npy(const std::string& name, std::string_view bytes) {
  using Code = InputError::Code;
  if (bytes.empty()) return failure(name, Code::malformed, "is empty, expected an array in .npy format");
  if (!bytes.starts_with(magic)) {
    return failure(name, Code::malformed,
                   bytes.starts_with("PK") ? "is an .npz archive, expected one array in .npy format"
                                           : "does not begin as an .npy file does (\\x93NUMPY)");
  }
  if (bytes.size() < 10) return failure(name, Code::malformed, "ends inside its header", bytes.size());
  const auto byte_at = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const std::size_t version = byte_at(6);
  if (version < 1 || version > 3) {
    return failure(name, Code::malformed, "version " + std::to_string(version) + ", expected 1, 2 or 3", 6);
  }
  std::size_t start = 10;
  std::size_t length = byte_at(8) | byte_at(9) << 8;
  if (version > 1) {
    if (bytes.size() < 12) return failure(name, Code::malformed, "ends inside its header", bytes.size());
    length |= byte_at(10) << 16 | byte_at(11) << 24;
    start = 12;
  }
  if (length > max_header || length > bytes.size() - start) {
    return failure(name, Code::malformed,
                   "a header of " + std::to_string(length) + " bytes, the file has " +
                       std::to_string(bytes.size() - start) + " after this",
                   8);
  }
  Header header;
  HeaderReader reader(bytes.substr(start, length));
  if (const std::string problem = reader.read(header); !problem.empty()) {
    return failure(name, Code::malformed, "header: " + problem, start + reader.offset());
  }
  const std::optional<DType> dtype = dtype_of_descr(header.descr);
  if (!dtype) return failure(name, Code::malformed, refused_type(header.descr));
  const std::string_view data = bytes.substr(start + length);
  const std::optional<std::uint64_t> expected = byte_count(header.shape, size_of(*dtype));
  if (!expected) {
    return failure(name, Code::too_large,
                   "shape " + to_string(header.shape) + " holds more elements than can be counted");
  }
  if (data.size() != *expected) {
    return failure(name, Code::malformed,
                   "shape " + to_string(header.shape) + " of " + std::string(name_of(*dtype)) + " needs " +
                       std::to_string(*expected) + " bytes, the file has " + std::to_string(data.size()),
                   start + length);
  }
  try {
    Tensor tensor(*dtype, header.shape);
    if (*expected != 0) {
      std::byte* out = tensor.view().data;
      if (header.fortran_order && header.shape.size() > 1)
        from_fortran(data, header.shape, size_of(*dtype), out);
      else
        std::memcpy(out, data.data(), data.size());
    }
    return tensor;
  } catch (const std::bad_alloc&) {
    return failure(name, Code::too_large, "does not fit into memory");
  } catch (const std::length_error&) {
    return failure(name, Code::too_large,
                   "shape " + to_string(header.shape) + " holds more elements than can be counted");
  }
}

Result<Tensor> read_npy(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  return parse_npy(path, bytes.value().view());
}

Result<std::uint64_t> write_npy(const std::string& path, const ConstTensorView& array) {
  if (!array.contiguous() || array.space != MemorySpace::host) {
    return failure(path, InputError::Code::write_failed, "only contiguous arrays on the host are written");
  }
  std::string dictionary =
      "{'descr': '" + std::string(descr_of(array.dtype)) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t axis = 0; axis < array.shape.size(); ++axis) {
    dictionary += std::to_string(array.shape[axis]);
    if (axis + 1 < array.shape.size())
      dictionary += ", ";
    else if (axis == 0)
      dictionary += ",";
  }
  dictionary += "), }";
  // Magic, version, length and dictionary together are a multiple of 64 bytes and end with a line end.
  while ((10 + dictionary.size() + 1) % 64 != 0) dictionary += ' ';
  dictionary += '\n';
  std::string head(magic);
  head += {'\x01', '\0'};
  head += static_cast<char>(dictionary.size() & 0xff);
  head += static_cast<char>(dictionary.size() >> 8);
  head += dictionary;

  std::vector<std::uint32_t> widened;
  std::string_view data(reinterpret_cast<const char*>(array.data), array.bytes());
  if (array.dtype == DType::bf16) {
    for (const BFloat16 value : array.as<BFloat16>()) widened.push_back(std::uint32_t{value.bits} << 16);
    data = {reinterpret_cast<const char*>(widened.data()), widened.size() * sizeof(std::uint32_t)};
  }
  return write_file(path, {head, data});
}

bool is_npy_name(std::string_view path) {
  return path.ends_with(".npy");
}

}  // namespace assay::io
