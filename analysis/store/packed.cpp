// Differences of neighbouring checkpoints, packed and unpacked block by block.
#include "analysis/store/packed.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "analysis/core/error.h"

namespace varve {
namespace {

constexpr size_t block_values = size_t{1} << 18;
constexpr int level = 1;  // higher levels save a few percent for ten times the time

template <class Bits>
constexpr Bits top = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));

// Numbers that order as the floats do: negative ones turned round, the others above them.
template <class Bits>
Bits ordered(Bits bits) {
  return static_cast<Bits>((bits & top<Bits>) != 0 ? ~bits : bits | top<Bits>);
}
template <class Bits>
Bits unordered(Bits number) {
  return static_cast<Bits>((number & top<Bits>) != 0 ? number & ~top<Bits> : ~number);
}

// Wrapping differences near zero, of either sign, become small numbers.
template <class Bits>
Bits fold(Bits difference) {
  const bool negative = (difference & top<Bits>) != 0;
  const auto doubled = static_cast<Bits>(difference << 1);
  return negative ? static_cast<Bits>(~doubled) : doubled;
}
template <class Bits>
Bits unfold(Bits folded) {
  const auto half = static_cast<Bits>(folded >> 1);
  return (folded & 1) != 0 ? static_cast<Bits>(~half) : half;
}

template <class Bits>
Bits bits_at(std::span<const std::byte> bytes, size_t place) {
  Bits bits;
  std::memcpy(&bits, bytes.data() + place * sizeof bits, sizeof bits);
  return bits;
}

// planes: byte 0 of all values, then byte 1 of all ...
template <class Bits>
void difference(std::span<const std::byte> now, std::span<const std::byte> base, std::byte* planes) {
  const size_t count = now.size() / sizeof(Bits);
  for (size_t i = 0; i < count; ++i) {
    const auto gap = static_cast<Bits>(ordered(bits_at<Bits>(now, i)) - ordered(bits_at<Bits>(base, i)));
    const Bits folded = fold(gap);
    for (size_t byte = 0; byte < sizeof(Bits); ++byte)
      planes[byte * count + i] = static_cast<std::byte>(folded >> (8 * byte));
  }
}

template <class Bits>
void restore(std::span<const std::byte> base, const std::byte* planes, std::byte* out) {
  const size_t count = base.size() / sizeof(Bits);
  for (size_t i = 0; i < count; ++i) {
    Bits folded = 0;
    for (size_t byte = 0; byte < sizeof(Bits); ++byte)
      folded = static_cast<Bits>(
          folded | static_cast<Bits>(static_cast<Bits>(planes[byte * count + i]) << (8 * byte)));
    const Bits bits = unordered(static_cast<Bits>(ordered(bits_at<Bits>(base, i)) + unfold(folded)));
    std::memcpy(out + i * sizeof bits, &bits, sizeof bits);
  }
}

void difference(size_t width, std::span<const std::byte> now, std::span<const std::byte> base,
                std::byte* planes) {
  if (width == 8) return difference<uint64_t>(now, base, planes);
  if (width == 4) return difference<uint32_t>(now, base, planes);
  return width == 2 ? difference<uint16_t>(now, base, planes) : difference<uint8_t>(now, base, planes);
}

void restore(size_t width, std::span<const std::byte> base, const std::byte* planes, std::byte* out) {
  if (width == 8) return restore<uint64_t>(base, planes, out);
  if (width == 4) return restore<uint32_t>(base, planes, out);
  return width == 2 ? restore<uint16_t>(base, planes, out) : restore<uint8_t>(base, planes, out);
}

// Lowest byte first, whatever the machine.
void put_size(std::byte* out, size_t size) {
  for (size_t i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(size >> (8 * i));
}
size_t get_size(const std::byte* in) {
  size_t size = 0;
  for (size_t i = 0; i < 4; ++i) size |= static_cast<size_t>(in[i]) << (8 * i);
  return size;
}

}  // namespace

std::vector<std::byte> pack(TensorType type, std::span<const std::byte> bytes,
                            std::span<const std::byte> base,
                            const std::function<void(int64_t bytes)>& advanced) {
  const auto width = static_cast<size_t>(size_of(type));
  const size_t block = block_values * width, most = bytes.size() - bytes.size() / 10;
  std::vector<std::byte> packed, planes(std::min(block, bytes.size()));
  for (size_t at = 0; at < bytes.size(); at += block) {
    const size_t count = std::min(block, bytes.size() - at);
    difference(width, bytes.subspan(at, count), base.subspan(at, count), planes.data());
    const size_t begin = packed.size(), room = ZSTD_compressBound(count);
    packed.resize(begin + 4 + room);
    const size_t size = ZSTD_compress(packed.data() + begin + 4, room, planes.data(), count, level);
    if (ZSTD_isError(size)) fail("packing a tensor failed: {}", ZSTD_getErrorName(size));
    put_size(packed.data() + begin, size);
    packed.resize(begin + 4 + size);
    advanced(static_cast<int64_t>(count));
    if (packed.size() > most) return {};
  }
  return packed;
}

std::vector<std::byte> unpack(TensorType type, std::span<const std::byte> packed,
                              std::span<const std::byte> base, const std::string& whose) {
  const auto width = static_cast<size_t>(size_of(type));
  const size_t block = block_values * width;
  std::vector<std::byte> bytes(base.size()), planes(std::min(block, base.size()));
  for (size_t at = 0; at < base.size(); at += block) {
    const size_t count = std::min(block, base.size() - at);
    const size_t size = packed.size() < 4 ? 0 : get_size(packed.data());
    if (packed.size() < 4 || size > packed.size() - 4)
      fail("{}: its packed bytes end too early. Import the series again.", whose);
    const size_t found = ZSTD_decompress(planes.data(), count, packed.data() + 4, size);
    if (ZSTD_isError(found) || found != count)
      fail("{}: its packed bytes are damaged ({}). Import the series again.", whose,
           ZSTD_isError(found) ? ZSTD_getErrorName(found) : "a block of another size");
    restore(width, base.subspan(at, count), planes.data(), bytes.data() + at);
    packed = packed.subspan(4 + size);
  }
  if (!packed.empty()) fail("{}: {} bytes follow its packed ones", whose, packed.size());
  return bytes;
}

}  // namespace varve
