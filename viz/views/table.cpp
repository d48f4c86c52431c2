// Any result as rows and columns of text: one row for each place of the shared axes, one column for each
// array.
#include <algorithm>
#include <cmath>

#include "viz/draw/glyphs.h"
#include "viz/draw/marks.h"
#include "viz/pick.h"
#include "viz/view.h"

namespace varve {
namespace {

struct Options {
  std::string array, at;
  int64_t first_row = 0;
  template <class Visit>
  void each(Visit&& visit) {
    visit("array", array, "show the arrays that lie over the same axes as this one; empty: chosen by itself");
    visit("first_row", first_row, "the row at the top", Range{0, 9e15});
    visit("at", at, "keep only one place of these axes, as in prompt=3,rank=0");
  }
};

constexpr Font cell_font{8, Face::sans}, mono_font{7, Face::mono}, head_font{8, Face::sans_bold};
constexpr double row_height = 19, cell_padding = 7;

// The axes that most arrays share; of equals the one with fewer rows.
std::vector<std::string> shared_axes(const Dataset& data) {
  std::map<std::vector<std::string>, int64_t> count;
  std::map<std::vector<std::string>, int64_t> rows;
  for (const auto& [name, array] : data.arrays()) {
    ++count[array.axes()];
    rows[array.axes()] = array.size();
  }
  std::vector<std::string> best;
  int64_t best_count = 0;
  for (const auto& [axes, n] : count)
    if (n > best_count || (n == best_count && rows[axes] < rows[best])) best = axes, best_count = n;
  return best;
}

struct Page {
  std::vector<std::string> axes, names;  // what is left after `at`; columns are axes, then names
  std::vector<int64_t> shape;
  std::vector<Array> arrays;
  int64_t rows = 0;
  Places fixed;

  int64_t index_of(int64_t row, size_t axis) const {
    for (size_t i = axes.size(); i-- > axis + 1;) row /= std::max<int64_t>(1, shape[i]);
    return shape[axis] > 0 ? row % shape[axis] : 0;
  }
};

Page page_of(const Dataset& data, const Options& options) {
  Page page;
  if (data.arrays().empty()) return page;
  const std::vector<std::string> axes =
      options.array.empty() ? shared_axes(data) : array_named(data, options.array, "table").axes();
  page.fixed = parse_places(options.at, data, "table");
  for (const auto& [name, array] : data.arrays()) {
    if (array.axes() != axes) continue;
    Array slice = array;
    for (const auto& [axis, index] : page.fixed)
      if (slice.axis(axis)) slice = slice.at(axis, index);
    page.names.push_back(name);
    page.arrays.push_back(std::move(slice));
  }
  page.axes = page.arrays.front().axes();
  page.shape = page.arrays.front().shape();
  page.rows = page.arrays.front().size();
  return page;
}

std::string cell_text(const Array& array, int64_t row) {
  return array.dtype() == Dtype::text ? token_label(array.text(row)) : shown(array.number(row));
}

struct Column {
  std::string head;
  double x = 0, w = 0;
  bool is_text = false;
};

Drawn draw(const Dataset& data, const SettingValues& values, const Selection& selection, const Look& look,
           Canvas& canvas) {
  const Options options = read_settings<Options>(values, "table");
  const Theme& theme = *look.theme;
  const Box area = look.area;
  Drawn drawn;
  const auto page = std::make_shared<Page>(page_of(data, options));
  if (page->arrays.empty() || page->rows == 0) {
    draw_empty(canvas, theme, area, "This result holds no values, so the table has no rows.");
    return drawn;
  }
  if (!(area.w > 0) || !(area.h > 0)) return drawn;
  const double scrolled = std::max(0.0, std::floor(-look.pan.y / row_height));
  const int64_t first = std::clamp<int64_t>(
      options.first_row + static_cast<int64_t>(std::min(scrolled, 9e15)), 0, page->rows - 1);
  // The heading takes a row of its own; a row that does not fit whole is not drawn.
  const int64_t visible =
      std::clamp<int64_t>(static_cast<int64_t>(area.h / row_height) - 1, 0, page->rows - first);

  // Widths come from what is on screen; the rest is not looked at.
  const auto columns = std::make_shared<std::vector<Column>>();
  double x = area.x + std::min(0.0, look.pan.x);
  const auto add = [&](const std::string& head, bool is_text,
                       const std::function<std::string(int64_t)>& cell) {
    double width = canvas.text_width(head, head_font);
    for (int64_t i = 0; i < visible; ++i)
      width = std::max(width, canvas.text_width(cell(first + i), is_text ? mono_font : cell_font));
    width = std::ceil(std::min(width, 240.0)) + 1 + 2 * cell_padding;  // whole pixels, with room for rounding
    columns->push_back({head, x, width, is_text});
    x += width;
  };
  const auto axis_cell = [&data, page](size_t axis, int64_t row) {
    return name_at(data, page->axes[axis], page->index_of(row, axis));
  };
  for (size_t i = 0; i < page->axes.size(); ++i)
    add(page->axes[i], false, [&, i](int64_t row) { return axis_cell(i, row); });
  for (size_t i = 0; i < page->names.size(); ++i)
    add(page->names[i], page->arrays[i].dtype() == Dtype::text,
        [&, i](int64_t row) { return cell_text(page->arrays[i], row); });

  canvas.push_clip(area);
  canvas.fill({area.x, area.y, area.w, row_height}, theme.raised);
  for (size_t c = 0; c < columns->size(); ++c) {
    const Column& column = (*columns)[c];
    if (column.x > area.right() || column.x + column.w < area.x) continue;
    const bool is_axis = c < page->axes.size();
    const double inner = column.w - 2 * cell_padding;
    const Align align = column.is_text ? Align::left : Align::right;
    const double at = column.is_text ? column.x + cell_padding : column.x + column.w - cell_padding;
    canvas.text({at, area.y + row_height / 2}, elide(canvas, column.head, head_font, inner), head_font,
                theme.ink2, align);
    for (int64_t i = 0; i < visible; ++i) {
      const int64_t row = first + i;
      const double y = area.y + row_height * (static_cast<double>(i) + 1);
      const std::string text =
          is_axis ? axis_cell(c, row) : cell_text(page->arrays[c - page->axes.size()], row);
      const Font font = column.is_text ? mono_font : cell_font;
      const bool is_missing = text == "–";
      canvas.text({at, y + row_height / 2}, elide(canvas, text, font, inner), font,
                  is_axis || is_missing ? theme.ink3 : theme.ink, align);
    }
  }
  for (int64_t i = 0; i < visible; ++i) {
    const double y = area.y + row_height * (static_cast<double>(i) + 1);
    bool is_selected = !page->axes.empty();
    for (size_t a = 0; a < page->axes.size(); ++a)
      is_selected = is_selected && selection.index(page->axes[a]) == page->index_of(first + i, a);
    if (is_selected) canvas.frame({area.x, y, std::min(area.w, x - area.x), row_height}, theme.ink, 2);
    canvas.line({area.x, y}, {area.right(), y}, theme.hair);
  }
  canvas.pop_clip();

  drawn.header =
      fmt::format("rows {}–{} of {}", shown(static_cast<double>(first + 1)),
                  shown(static_cast<double>(first + visible)), shown(static_cast<double>(page->rows)));
  const std::string where = said(data, page->fixed);
  if (!where.empty()) drawn.header += " · " + where;
  if (x > area.right() + 1) drawn.header += " · more columns to the right";
  const auto row_box = [area](int64_t i) {
    return Box{area.x, area.y + row_height * (static_cast<double>(i) + 1), area.w, row_height};
  };
  drawn.hit = [&data, page, columns, first, visible, area, row_box,
               axis_cell](Point p) -> std::optional<Hit> {
    const double line = std::floor((p.y - area.y) / row_height) - 1;
    if (!area.holds(p) || line < 0 || line >= static_cast<double>(visible)) return std::nullopt;
    const int64_t row = first + static_cast<int64_t>(line);
    Hit hit;
    hit.mark = row_box(static_cast<int64_t>(line));
    hit.at = page->fixed;
    std::string heading;
    for (size_t i = 0; i < page->axes.size(); ++i) {
      hit.at[page->axes[i]] = page->index_of(row, i);
      heading += (heading.empty() ? "" : " · ") + page->axes[i] + " " + axis_cell(i, row);
    }
    hit.tip.push_back({heading, ""});
    for (size_t c = page->axes.size(); c < columns->size(); ++c) {
      const Column& column = (*columns)[c];
      if (p.x < column.x || p.x >= column.x + column.w) continue;
      const Array& array = page->arrays[c - page->axes.size()];
      const std::string value = array.dtype() == Dtype::text ? token_label(array.text(row))
                                                             : shown_exactly(array, array.number(row));
      hit.mark = {column.x, hit.mark.y, column.w, hit.mark.h};
      hit.tip.push_back({title_of(data, column.head), value});
      hit.spoken = fmt::format("{}: {} {}", heading, title_of(data, column.head), value);
    }
    if (hit.spoken.empty()) hit.spoken = heading;
    return hit;
  };
  drawn.where = [page, first, visible, row_box](const Selection& s) -> std::optional<Box> {
    int64_t row = 0;
    for (size_t i = 0; i < page->axes.size(); ++i) {
      const auto index = s.index(page->axes[i]);
      if (!index || *index < 0 || *index >= page->shape[i]) return std::nullopt;
      row = row * page->shape[i] + *index;
    }
    if (row < first || row >= first + visible) return std::nullopt;
    return row_box(row - first);
  };
  return drawn;
}

Dataset drawn_data(const Dataset& data, const SettingValues& values, const Selection&) {
  const Page page = page_of(data, read_settings<Options>(values, "table"));
  Dataset out;
  out.title = data.title;
  out.provenance = data.provenance;
  for (size_t i = 0; i < page.names.size(); ++i) out.set(page.names[i], page.arrays[i]);
  for (const std::string& axis : page.axes)
    if (const Array* ticks = data.coord(axis); ticks && ticks->size() == out.extent(axis))
      out.set_coord(axis, *ticks);
  return out;
}

}  // namespace

void add_table(ViewCatalog& catalog) {
  View view;
  view.name = "table";
  view.summary = "any result as rows and columns";
  view.help =
      "One row for each place of the axes that most arrays share, one column for each of these arrays. Name "
      "an "
      "array to see those over its axes instead. Numbers show three digits; the pointer shows them all.";
  view.options = declared_settings<Options>();
  view.fit = [](const Dataset& data) { return data.arrays().empty() ? 0.0 : 1.0; };
  view.draw = draw;
  view.drawn_data = drawn_data;
  catalog.add(std::move(view));
}

}  // namespace varve
