// Heat maps as textures: nearest, never smoothed.
#include <algorithm>

#include "viz/host/screen_canvas.h"

namespace varve {

namespace {

constexpr int64_t frames_kept = 2;

uint64_t content_of(std::span<const Color> colors) {
  uint64_t hash = 1469598103934665603ULL;  // FNV-1a, a pixel at a time
  for (const Color& color : colors) {
    hash ^= static_cast<uint64_t>(color.r) | static_cast<uint64_t>(color.g) << 8U |
            static_cast<uint64_t>(color.b) << 16U | static_cast<uint64_t>(color.a) << 24U;
    hash *= 1099511628211ULL;
  }
  return hash;
}

}  // namespace

const Texture& Textures::of(int64_t rows, int64_t columns, std::span<const Color> colors, uint64_t identity) {
  if (identity == 0) identity = content_of(colors);
  Kept& kept = kept_[identity];
  Texture& texture = kept.texture;
  if (texture.colors.empty() || texture.rows != rows || texture.columns != columns) {
    texture = {.rows = rows, .columns = columns, .glyphs = {}, .colors = {}, .is_opaque = true};
    texture.colors.reserve(colors.size());
    for (const Color& color : colors) {
      texture.colors.push_back(static_cast<uint32_t>(color.a) << 24U | static_cast<uint32_t>(color.r) << 16U |
                               static_cast<uint32_t>(color.g) << 8U | static_cast<uint32_t>(color.b));
      texture.is_opaque = texture.is_opaque && color.a == 255;
    }
  }
  kept.used = frame_;
  return texture;
}

void Textures::next_frame() {
  ++frame_;
  std::erase_if(kept_, [this](const auto& entry) { return entry.second.used + frames_kept < frame_; });
}

}  // namespace varve
