// ImGui's triangles as pixels, by the processor alone: exact edges, no graphics driver.
//
// A driver that has no hardware behind it paints the same triangles two to five times as slowly, and windows
// far from the machine they are looked at, over a network or in a virtual machine, have none.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "viz/draw/canvas.h"

struct ImDrawData;

namespace varve {

// What ImGui calls a texture. Colours are taken from the nearest texel, glyphs from between the four nearest.
struct Texture {
  int64_t rows = 0, columns = 0;
  std::span<const uint8_t> glyphs;  // [rows * columns] how much of each texel is covered; then no colours
  std::vector<uint32_t> colors;     // [rows * columns] 0xAARRGGBB
  bool is_opaque = false;           // no colour lets anything through
};

// [rows][columns] of 0xffRRGGBB, rows `stride` pixels apart.
struct Pixels {
  uint32_t* first = nullptr;
  int64_t rows = 0, columns = 0, stride = 0;
};

// Everything of `drawn`, on a ground of its own. A pixel belongs to a triangle where its centre lies inside;
// a centre on an edge that two triangles share belongs to one of them, so that see-through fills have no
// seams.
void paint(const ImDrawData& drawn, Color ground, const Pixels& pixels);

}  // namespace varve
