// The theme table as Qt's palette and one stylesheet, and the glyphs as icons.
#pragma once

#include <QApplication>
#include <QIcon>

#include "viz/draw/canvas.h"
#include "viz/draw/theme.h"

namespace varve {

void apply_style(QApplication& application, const Theme& theme);

enum class Glyph {
  first,
  previous,
  play,
  pause,
  next,
  last,
  folder,
  store,
  save,
  undo,
  redo,
  share,
  fit,
  copy,
  more,
  close
};
// Drawn at whatever size is asked for, in the theme's colours; `on_accent` for buttons filled with accent.
QIcon glyph_icon(Glyph glyph, const Theme& theme, bool on_accent = false);
void draw_glyph(Canvas& canvas, Glyph glyph, Box box, Color color);
void draw_logo(Canvas& canvas, Box box, const Theme& theme);  // six layers in strata colours

}  // namespace varve
