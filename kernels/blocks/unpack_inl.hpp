// Codes of the block formats unpacked to a byte each, and bytes scaled to floats: what the CPU's bodies are
// made of, compiled once for every instruction set that hwy/foreach_target.h goes through.
#if defined(ASSAY_KERNELS_BLOCKS_UNPACK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_BLOCKS_UNPACK_INL
#undef ASSAY_KERNELS_BLOCKS_UNPACK_INL
#else
#define ASSAY_KERNELS_BLOCKS_UNPACK_INL
#endif

#include <cstdint>
#include <cstring>

#include "engine/tensors/half.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::blocks::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;

/// Writes past the caches where `Streamed`; `to` is then aligned to a vector.
template <bool Streamed>
HWY_INLINE void put(hn::Vec<Floats> values, float* to) {
  if constexpr (Streamed)
    hn::Stream(values, Floats(), to);
  else
    hn::StoreU(values, Floats(), to);
}

#if HWY_TARGET != HWY_SCALAR  // which has no vectors of bytes: decode_inl.hpp does without
using Bytes = hn::FixedTag<std::uint8_t, 16>;
using Sixteen = hn::Vec<Bytes>;

HWY_INLINE float binary16_at(const std::uint8_t* at) {
  Half half;
  std::memcpy(&half.bits, at, sizeof half.bits);
  return to_float(half);
}

HWY_INLINE Sixteen bytes_at(const std::uint8_t* at) {
  return hn::LoadU(Bytes(), at);
}

HWY_INLINE Sixteen all(int byte) {
  return hn::Set(Bytes(), static_cast<std::uint8_t>(byte));
}

HWY_INLINE Sixteen low_halves(Sixteen bytes) {
  return hn::And(bytes, all(0x0F));
}

HWY_INLINE Sixteen high_halves(Sixteen bytes) {
  return hn::ShiftRight<4>(bytes);
}

/// Two bits of each byte, from bit `from` on.
HWY_INLINE Sixteen two_bits(Sixteen bytes, int from) {
  return hn::And(hn::ShiftRightSame(bytes, from), all(3));
}

/// `value` where the bit is set in a byte, else 0.
HWY_INLINE Sixteen where_set(Sixteen bytes, int bit, int value) {
  const Sixteen tested = all(1 << bit);
  return hn::And(hn::VecFromMask(Bytes(), hn::Eq(hn::And(bytes, tested), tested)), all(value));
}

/// `value` in byte i where bit i of sixteen is set, else 0.
HWY_INLINE Sixteen where_set_of(const std::uint8_t* two_bytes, int value) {
  alignas(16) static constexpr std::uint8_t tests[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                                         1, 2, 4, 8, 16, 32, 64, 128};
  const Sixteen tested = hn::Load(Bytes(), tests);
  const Sixteen spread = hn::CombineShiftRightBytes<8>(Bytes(), all(two_bytes[1]), all(two_bytes[0]));
  return hn::And(hn::VecFromMask(Bytes(), hn::Eq(hn::And(spread, tested), tested)), all(value));
}

/// The byte of a table of sixteen that each code (0 to 15) names.
HWY_INLINE Sixteen looked_up(const std::int8_t* table, Sixteen codes) {
  return hn::TableLookupBytes(hn::LoadU(Bytes(), reinterpret_cast<const std::uint8_t*>(table)), codes);
}

HWY_INLINE void keep(Sixteen codes, std::int8_t* to) {
  hn::StoreU(codes, Bytes(), reinterpret_cast<std::uint8_t*>(to));
}

HWY_INLINE hn::Vec<Floats> floats_of(const std::int8_t* codes) {
  const hn::Rebind<std::int8_t, Floats> few;
  const hn::Rebind<std::int32_t, Floats> words;
  return hn::ConvertTo(Floats(), hn::PromoteTo(words, hn::LoadU(few, codes)));
}

/// to[i] = scale * codes[i], a multiple of 16 of them.
template <bool Streamed>
HWY_INLINE void scale(const std::int8_t* codes, int count, float factor, float* to) {
  const auto factors = hn::Set(Floats(), factor);
  const int lanes = static_cast<int>(hn::Lanes(Floats()));
  for (int i = 0; i < count; i += lanes) put<Streamed>(hn::Mul(floats_of(codes + i), factors), to + i);
}

/// to[i] = scale * codes[i] + offset. The product is exact, so it does not matter whether a compiler joins
/// the two operations.
template <bool Streamed>
HWY_INLINE void scale_and_add(const std::int8_t* codes, int count, float factor, float offset, float* to) {
  const auto factors = hn::Set(Floats(), factor);
  const auto offsets = hn::Set(Floats(), offset);
  const int lanes = static_cast<int>(hn::Lanes(Floats()));
  for (int i = 0; i < count; i += lanes)
    put<Streamed>(hn::Add(hn::Mul(floats_of(codes + i), factors), offsets), to + i);
}

#endif
}  // namespace assay::kernels::blocks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
