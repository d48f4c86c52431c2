// The marks of a plot of lines: intervals, curves, fits with their peaks, and the crowd of grey lines behind.
#pragma once

#include <string>
#include <vector>

#include "viz/line_layout.h"

namespace varve {

void draw_interval(const Lines& lines, size_t line, const LineStyle& style, const LineLayout& l,
                   const Theme& theme, Canvas& canvas);
void draw_curve(const Lines& lines, size_t line, const LineStyle& style, const LineLayout& l, Canvas& canvas);
void draw_fit_band(const Lines& lines, size_t line, const LineStyle& style, const LineLayout& l,
                   const Theme& theme, Canvas& canvas);
void draw_fit(const Lines& lines, size_t line, const LineStyle& style, const LineLayout& l,
              const Theme& theme, Canvas& canvas);
// The stretch that noise alone fills, under everything, with its name where it is tallest.
void draw_noise(const Lines& lines, size_t line, const LineLayout& l, const Theme& theme, Canvas& canvas);
void draw_noise_floor(const LinePlot& plot, const LineLayout& l, const Theme& theme, Canvas& canvas);
// Steps left out of a fit or audited bad: a short hatch at the base.
void draw_left_out(const Lines& lines, const LineLayout& l, const Theme& theme, Canvas& canvas);

// Diamonds above the plot with a few words, dotted down to the axis; words that would touch are hidden.
void draw_events(const Dataset& data, const LineLayout& l, const Look& look, Canvas& canvas);

// More context lines than a screen can draw one by one are painted into pixels, column by column.
bool is_crowd(const Lines& lines, const std::vector<LineStyle>& styles);
void draw_crowd(const Lines& lines, const std::vector<LineStyle>& styles, const LineLayout& l,
                const Look& look, const std::string& key, Canvas& canvas);

}  // namespace varve
