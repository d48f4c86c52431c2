// Heat maps as GL textures: nearest, never smoothed, in tiles where one would be too large.
#include <GL/gl.h>
#include <GL/glext.h>

#include <algorithm>

#include "viz/host/screen_canvas.h"

namespace varve {

namespace {

constexpr int64_t largest_tile = 4096;  // every GL 3.3 driver can do this
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

Textures::Tile upload(std::span<const Color> colors, int64_t width, Textures::Tile tile) {
  std::vector<Color> part;
  part.reserve(static_cast<size_t>(tile.rows * tile.columns));
  for (int64_t row = tile.row; row < tile.row + tile.rows; ++row) {
    const auto from = colors.begin() + static_cast<std::ptrdiff_t>(row * width + tile.column);
    part.insert(part.end(), from, from + static_cast<std::ptrdiff_t>(tile.columns));
  }
  GLuint name = 0;
  glGenTextures(1, &name);
  glBindTexture(GL_TEXTURE_2D, name);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
  glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
  glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
  glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, static_cast<GLsizei>(tile.columns), static_cast<GLsizei>(tile.rows),
               0, GL_RGBA, GL_UNSIGNED_BYTE, part.data());
  tile.name = name;
  return tile;
}

}  // namespace

const std::vector<Textures::Tile>& Textures::of(int64_t rows, int64_t columns, std::span<const Color> colors,
                                                uint64_t identity) {
  static_assert(sizeof(Color) == 4);
  if (identity == 0) identity = content_of(colors);
  Kept& kept = kept_[identity];
  if (kept.tiles.empty() || kept.rows != rows || kept.columns != columns) {
    for (const Tile& tile : kept.tiles) glDeleteTextures(1, &tile.name);
    kept = {.rows = rows, .columns = columns, .used = frame_, .tiles = {}};
    for (int64_t row = 0; row < rows; row += largest_tile)
      for (int64_t column = 0; column < columns; column += largest_tile)
        kept.tiles.push_back(upload(colors, columns,
                                    {.name = 0,
                                     .row = row,
                                     .column = column,
                                     .rows = std::min(largest_tile, rows - row),
                                     .columns = std::min(largest_tile, columns - column)}));
  }
  kept.used = frame_;
  return kept.tiles;
}

void Textures::next_frame() {
  ++frame_;
  std::erase_if(kept_, [this](const auto& entry) {
    if (entry.second.used + frames_kept >= frame_) return false;
    for (const Tile& tile : entry.second.tiles) glDeleteTextures(1, &tile.name);
    return true;
  });
}

void Textures::clear() {
  for (const auto& [identity, kept] : kept_)
    for (const Tile& tile : kept.tiles) glDeleteTextures(1, &tile.name);
  kept_.clear();
}

}  // namespace varve
