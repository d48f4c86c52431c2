// Finds the view that suits a Dataset and makes picture files: title, what is drawn, the view, where it comes
// from.
#include "viz/view.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/core/text.h"
#include "viz/badge.h"
#include "viz/frame.h"

namespace varve {
namespace {

constexpr double padding = 12, words_above = 36, words_below = 18;
constexpr Font title_font{9.5, Face::sans_bold};
constexpr Font note_font{7.5, Face::sans};

std::string provenance_of(const Dataset& data, const std::string& name) {
  const auto found = data.provenance.find(name);
  return found == data.provenance.end() ? "" : found->second;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!all.empty()) all += " · ";
    all += part;
  }
  return all;
}

}  // namespace

const ViewCatalog& views() {
  static const ViewCatalog catalog = [] {
    ViewCatalog all("view");
    add_all_views(all);
    return all;
  }();
  return catalog;
}

std::vector<const View*> views_for(const Dataset& data) {
  std::vector<std::pair<double, const View*>> ranked;
  for (const View& view : views().items())
    if (const double fit = view.fit(data); fit > 0) ranked.emplace_back(fit, &view);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<const View*> all;
  for (const auto& [fit, view] : ranked) all.push_back(view);
  return all;
}

const View* best_view(const Dataset& data) {
  const std::vector<const View*> all = views_for(data);
  return all.empty() ? nullptr : all.front();
}

std::string with_place(const std::string& at, const std::string& axis, int64_t index) {
  std::string all;
  bool is_there = false;
  for (const std::string& part : at.empty() ? std::vector<std::string>() : split(at, ',')) {
    const bool is_it = part.rfind(axis + "=", 0) == 0;
    all += (all.empty() ? "" : ",") + (is_it ? axis + "=" + std::to_string(index) : part);
    is_there = is_there || is_it;
  }
  return is_there ? all : all + (all.empty() ? "" : ",") + axis + "=" + std::to_string(index);
}

std::string key_line(const Dataset& data) {
  const std::string key = provenance_of(data, "key");
  const std::string analysis = provenance_of(data, "analysis");
  return joined(
      {analysis.empty() || key.empty() ? analysis + key.substr(0, 8) : analysis + " " + key.substr(0, 8),
       provenance_of(data, "compute"), badge_of(data).line});
}

Drawn draw_titled(const View& view, const Dataset& data, const SettingValues& options,
                  const Selection& selection, const Look& look, Canvas& canvas) {
  const Theme& theme = *look.theme;
  Look inner = look;
  // A picture too small for words around it is all view.
  const bool is_framed = look.titled && look.area.w >= 160 && look.area.h >= 140;
  if (!is_framed) return view.draw(data, options, selection, inner, canvas);
  const Box page = look.area.inset(padding);
  inner.area = {page.x, page.y + words_above, page.w, page.h - words_above - words_below};
  const Drawn drawn = view.draw(data, options, selection, inner, canvas);
  const std::string title = data.title.empty() ? view.name : data.title;
  const double title_width =
      draw_badge(canvas, theme, {page.x, page.y, page.w, 14}, title, badge_of(data, drawn.caution));
  canvas.text({page.x, page.y + 7}, elide(canvas, title, title_font, title_width), title_font, theme.ink);
  canvas.text({page.x, page.y + 24}, elide(canvas, drawn.header, note_font, page.w), note_font, theme.ink3);
  const std::string key = key_line(data);
  canvas.text({page.x, page.bottom() - 4}, elide(canvas, key, note_font, page.w), note_font, theme.ink3);
  return drawn;
}

double picture_height(const View& view, const Dataset& data, const SettingValues& options,
                      const Selection& selection, double width) {
  if (!view.enough_height) return view.height;
  const double enough = view.enough_height(data, options, selection, width - 2 * padding);
  return std::min(view.height, std::ceil(enough) + words_above + words_below + 2 * padding);
}

std::string picture_of(const View& view, const Dataset& data, const SettingValues& options,
                       const Selection& selection, PictureKind kind, const Theme& theme, double width,
                       double height, double scale) {
  const std::unique_ptr<PictureCanvas> canvas = make_picture(kind, width, height, scale, theme.canvas);
  Look look;
  look.theme = &theme;
  look.area = {0, 0, width, height};
  look.titled = true;
  draw_titled(view, data, options, selection, look, *canvas);
  return canvas->finish();
}

}  // namespace varve
