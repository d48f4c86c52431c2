// A view: one function from a Dataset and its options to marks on a canvas. No files, no threads, no analysis
// names.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/catalog.h"
#include "analysis/core/dataset.h"
#include "viz/draw/canvas.h"

namespace varve {

// The part of the shared selection a view may show: axis name -> index. Absent: nothing selected there.
struct Selection {
  std::map<std::string, int64_t> at;
  std::optional<int64_t> index(const std::string& axis) const {
    const auto found = at.find(axis);
    return found == at.end() ? std::nullopt : std::optional<int64_t>(found->second);
  }
  bool operator==(const Selection&) const = default;
};

struct TipRow {
  std::string name, value;
  double bar = -1;  // 0 to 1: drawn as a bar; below 0: none
};
// A number of a mark with the name of its quantity.
struct MarkNumber {
  std::string name;
  double value = 0;
};
// What lies under the pointer.
struct Hit {
  Box mark;
  std::map<std::string, int64_t> at;  // axes that mark has; a click sets these
  SettingValues sets;                 // options of the view that a click sets: the name of a line hides it
  std::vector<TipRow> tip;            // first row is the heading
  std::string spoken;                 // accessible text
  std::optional<MarkNumber> number;   // its value, for measuring from mark to mark
  std::optional<MarkNumber> along;    // where it lies on an axis of numbers: the step
};

// What drawing leaves behind for pointer and keys.
struct Drawn {
  std::function<std::optional<Hit>(Point)> hit;               // may be empty
  std::function<std::optional<Box>(const Selection&)> where;  // box of a selection, for keyboard cell mode
  std::function<std::optional<int64_t>(Point)> step_at;  // nearest item of the axis step; empty: it has none
  std::vector<std::pair<std::string, Box>> names;        // that a click hides or brings back
  std::optional<Box> plot;                               // what zoom and pan move; without it the whole area
  std::string header;                                    // what is drawn: "prompt 1 of 8 · f32 · n = 128"
  std::string caution;  // the weakest fact behind the picture: "n = 7 < 8"; empty where there is none
};

class ViewCache;

struct Look {
  const Theme* theme = nullptr;
  Box area;                    // what the view may fill
  double zoom = 1;             // of the content; views that have axes apply it to their ranges
  double zoom_y = 0;           // where up and down zoom by another factor; 0: by the same
  Point pan;                   // logical pixels
  bool titled = false;         // files carry a title line, windows have a header
  ViewCache* cache = nullptr;  // what a window keeps between frames; files keep nothing
  double zoom_down() const { return zoom_y > 0 ? zoom_y : zoom; }
};

// An axis of the drawn array that is neither drawn nor summed up: a window gives it a slider.
struct FreeAxis {
  std::string axis;
  int64_t extent = 0, index = 0;
  std::string name;  // of the place shown, "16k"
};

struct View {
  std::string name;  // "lens-table"
  std::string summary;
  std::string help;
  std::vector<SettingInfo> options;
  // 0: cannot show it; higher is a better fit. The best view of a Dataset is its default.
  std::function<double(const Dataset&)> fit;
  std::function<Drawn(const Dataset&, const SettingValues& options, const Selection&, const Look&, Canvas&)>
      draw;
  // Exactly the numbers drawn, for export.
  std::function<Dataset(const Dataset&, const SettingValues& options, const Selection&)> drawn_data;
  double width = 900, height = 560;  // of a picture when nobody says
  // The height above which more room in an area so wide shows nothing more; empty: any height is used.
  std::function<double(const Dataset&, const SettingValues& options, const Selection&, double width)>
      enough_height;
  // What an option of kind text may say for this Dataset: arrays, axes. May be empty: nothing is proposed.
  std::function<std::vector<std::string>(const Dataset&, const std::string& option, const SettingValues&)>
      choices;
  std::function<std::vector<FreeAxis>(const Dataset&, const SettingValues&, const Selection&)> free_axes;
};

using ViewCatalog = Catalog<View>;
void add_all_views(ViewCatalog& catalog);  // generated
const ViewCatalog& views();
const View* best_view(const Dataset& data);  // nullptr where none fits
// "Show as ...": every view that can show it, best first.
std::vector<const View*> views_for(const Dataset& data);
// The text of an option `at` ("prompt=3,rank=0") with another index for one axis.
std::string with_place(const std::string& at, const std::string& axis, int64_t index);

// The height of a picture when nobody says: the view's, less what this data would leave empty.
double picture_height(const View& view, const Dataset& data, const SettingValues& options,
                      const Selection& selection, double width);

// The one way a picture file is made: `varve plot` and the window's export both call this.
std::string picture_of(const View& view, const Dataset& data, const SettingValues& options,
                       const Selection& selection, PictureKind kind, const Theme& theme, double width,
                       double height, double scale);

}  // namespace varve
