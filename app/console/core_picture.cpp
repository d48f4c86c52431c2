// The core of a series: one lamina for each checkpoint, coloured by how much the weights moved.
#include "app/console/core_picture.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/core/text.h"
#include "viz/draw/axes.h"
#include "viz/draw/marks.h"

namespace varve {

std::string core_picture(const SeriesRecord& series, PictureKind kind) {
  constexpr double width = 900, height = 116, left = 12, top = 34, band = 40;
  const Theme& theme = Theme::light();
  const ColorMap& strata = color_map("strata", theme);
  const auto canvas = make_picture(kind, width, height, 2, theme.canvas);
  double largest = 0;
  for (const CheckpointRecord& one : series.checkpoints)
    if (std::isfinite(one.change)) largest = std::max(largest, one.change);
  const auto count = static_cast<double>(std::max<size_t>(series.checkpoints.size(), 1));
  const double lamina = (width - 2 * left) / count;
  const double gap = lamina > 4 ? 1 : 0;
  const Font words{7.5, Face::sans};
  canvas->text({left, 14}, "relative weight change to the checkpoint before", words, theme.ink3);
  ColorScale scale;
  scale.map = &strata;
  scale.high = largest > 0 ? largest : 1;
  draw_color_scale(*canvas, theme, {width - left - 212, 6, 200, 9}, scale);
  double label_end = 0;
  for (size_t i = 0; i < series.checkpoints.size(); ++i) {
    const CheckpointRecord& one = series.checkpoints[i];
    const Box box{left + static_cast<double>(i) * lamina, top, lamina - gap, band};
    const bool known = std::isfinite(one.change) && one.change >= 0;
    // The first has nothing before it to differ from.
    if (known)
      canvas->fill(box, color_of(scale, one.change));
    else
      draw_absent(*canvas, theme, box, Absent::missing);
    const std::string label = show_step(one.step);
    const Font font{7.5, Face::sans};
    const double middle = box.x + box.w / 2, half = canvas->text_width(label, font) / 2;
    if (middle - half < label_end || middle + half > width) continue;
    canvas->text({middle, top + band + 14}, label, font, theme.ink3, Align::center);
    label_end = middle + half + 8;
  }
  canvas->text({width / 2, top + band + 32}, "training step", words, theme.ink3, Align::center);
  return canvas->finish();
}

}  // namespace varve
