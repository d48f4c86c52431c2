// 128-bit XXH3 over a stream of bytes.
#include "analysis/core/digest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <new>

namespace varve {
namespace {

std::string in_hex(XXH128_hash_t hash) { return fmt::format("{:016x}{:016x}", hash.high64, hash.low64); }

}  // namespace

struct Digest::State {
  // xxHash wants its state aligned to 64 bytes, which its own maker sees to.
  XXH3_state_t* stream = XXH3_createState();
  State() {
    if (!stream) throw std::bad_alloc();
    XXH3_128bits_reset(stream);
  }
  ~State() { XXH3_freeState(stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Digest::Digest() : state_(std::make_unique<State>()) {}
Digest::~Digest() = default;

void Digest::add(const void* bytes, size_t count) {
  if (count > 0) XXH3_128bits_update(state_->stream, bytes, count);
}

void Digest::add(std::string_view text) {
  // The length as eight bytes, lowest first, whatever the machine.
  unsigned char length[8];
  for (size_t i = 0; i < sizeof length; ++i)
    length[i] = static_cast<unsigned char>(static_cast<uint64_t>(text.size()) >> (8 * i));
  add(length, sizeof length);
  add(text.data(), text.size());
}

std::string Digest::hex() const { return in_hex(XXH3_128bits_digest(state_->stream)); }

std::string digest_of(const void* bytes, size_t count) {
  return in_hex(count > 0 ? XXH3_128bits(bytes, count) : XXH3_128bits("", 0));
}

}  // namespace varve
