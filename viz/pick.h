// What views ask of a Dataset: which array, which slice of it, and how its axes are named and labelled.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "viz/draw/axes.h"
#include "viz/view.h"

namespace varve {

using Places = std::map<std::string, int64_t>;

// "prompt=3,rank=0" -> indices; throws Error (usage) naming what is wrong. An axis the data lacks is an
// error.
Places parse_places(const std::string& text, const Dataset& data, const std::string& whose);

// The index of `axis` to show: what `given` says, else the selection, else the last step, else 0. Clamped.
int64_t place_of(const std::string& axis, const Dataset& data, const Places& given,
                 const Selection& selection);

// `array` without the axes that are not in `kept`; what was chosen for them is added to `fixed`.
Array sliced(const Array& array, const std::vector<std::string>& kept, const Dataset& data,
             const Places& given, const Selection& selection, Places& fixed);
// The same with the axes in the order of `kept`.
Array sliced_in_order(const Array& array, const std::vector<std::string>& kept, const Dataset& data,
                      const Places& given, const Selection& selection, Places& fixed);

bool is_numeric(const Array& array);
// Throws Error (usage) naming the nearest one where it is absent.
const Array& array_named(const Dataset& data, const std::string& name, const std::string& whose);

std::vector<double> ticks_along(const Dataset& data, const std::string& axis, int64_t extent);
std::vector<std::string> names_along(const Dataset& data, const std::string& axis, int64_t extent);
// "16k", "9", "embed"; the last where ticks count the blocks applied.
std::string name_at(const Dataset& data, const std::string& axis, int64_t index);
std::string said(const Dataset& data, const Places& places);  // "step 16,000 · prompt 2 of 8"
// How many places a selection may name: the axis's extent; without a bound where no array has the axis but
// one of whole numbers says its places (unit "expert": which expert); 0 where the result knows nothing of it.
int64_t places_along(const Dataset& data, const std::string& axis);
// Where an index lies on an axis that counts or measures: "step" 16000; nothing along names, as of heads.
std::optional<MarkNumber> numbered(const Dataset& data, const std::string& axis, int64_t index);
std::string axis_title(const std::string& axis);  // "training step", "position"

// Which interval NAME_low and NAME_high are: "95 % bootstrap over 8 prompts"; empty where they hold no
// number.
std::string interval_words(const Dataset& data, const std::string& name);

std::string title_of(const Dataset& data, const std::string& name);   // title, else the name in words
std::string with_unit(const Array& array, const std::string& title);  // "entropy, nats"
std::string shown(double value);                                      // 3 digits; 0 is "0", missing "–"
std::string shown_exactly(const Array& array, double value);          // as many digits as the type holds
std::string spoken_number(double value);

// Where the area's content lies once zoomed and panned: one rule for all views.
double moved_x(const Look& look, double x);
double moved_y(const Look& look, double y);

// Smallest and largest finite value, or the 2nd and 98th percentile.
struct Spread {
  double low = 0, high = 1;
  int64_t below = 0, above = 0, finite = 0;
  double lowest = 0, highest = 1;  // of all finite values
  double least_positive = 0;       // 0: there is none
};
enum class Centre { none, zero };  // zero: both ends equally far from it
Spread spread_of(const std::vector<double>& values, const std::string& range);  // "robust" or "full"
Spread spread_of(const Array& values, const std::string& range, Centre centre = Centre::none);
std::vector<double> numbers_of(const Array& array);

// The colour scale of a quantity: probabilities and shares 0 to 1, diverging maps centred on `center`.
ColorScale color_scale(const Theme& theme, const std::string& map, const std::vector<double>& values,
                       const std::string& range, const std::string& unit, bool log);

ColorScale color_scale(const Theme& theme, const std::string& map, const Spread& spread,
                       const std::string& unit, bool log);

}  // namespace varve
