// Which array and which of its axes a view draws: what fits, what goes beside it, what is left to choose.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "viz/draw/marks.h"
#include "viz/pick.h"

namespace varve {

// Arrays that say something about another one, NAME, and are drawn with it, never alone:
//   NAME_low, NAME_high (or _lo, _hi): ends of an interval
//   NAME_n: how many values stand behind each
//   NAME_fit, NAME_fit_low, NAME_fit_high: a fitted curve and its band
//   NAME_used: 1 where the fit used the value
//   NAME_peak_step, NAME_peak_value: where the fit is highest, in ticks, and how high; with ends as above
//   NAME_floor: below it a value is noise
//   NAME_noise: how large a value noise alone gives, at each place (the size, either sign)
//   NAME_noise_low, NAME_noise_high: between them a value is no more than noise, where that is no size
// Two say something about places: audited_bad (1: left out by an audit) and computed (0: not yet).
bool is_companion(const Dataset& data, const std::string& name);
// The companion of `name` that ends so, or nullptr; "low" also finds _lo, "high" also _hi. It lies over axes
// of the array it belongs to.
const Array* companion(const Dataset& data, const std::string& name, const std::string& ending);
std::string companion_name(const Dataset& data, const std::string& name, const std::string& ending);

// Numeric arrays that are no companions, by score, the best first; a score of 0 or less leaves one out. The
// one that the result itself puts first (provenance "leading_array") comes before all others that are left.
std::vector<std::string> arrays_by(const Dataset& data, const std::function<double(const Array&)>& score);

// Throws Error (usage) where `axis` is no axis of that array.
void require_axis(const Array& array, const std::string& name, const std::string& axis,
                  const std::string& whose);

// `array` over exactly these axes, in this order, whatever the order it lies in; the other axes take the
// place that is given or selected, which `fixed` then says. Types stay.
Array arranged(const Array& array, const std::vector<std::string>& kept, const Dataset& data,
               const Places& given, const Selection& selection, Places& fixed);

// Those items of one axis, in this order.
Array picked(const Array& array, const std::string& axis, const std::vector<int64_t>& items);

// Those places alone, without the values.
Places places_left(const Array& array, const std::vector<std::string>& kept, const Dataset& data,
                   const Places& given, const Selection& selection);
std::vector<FreeAxis> free_axes_of(const Dataset& data, const Places& places);

// What every view proposes: arrays for "array", axes of the array for the others.
std::vector<std::string> axes_of(const Dataset& data, const std::string& array);

// Which of the four looks a place has; nothing where its value is drawn.
class AbsenceMap {
 public:
  AbsenceMap() = default;
  // Over [y, x] of a slice; x or y may be empty.
  AbsenceMap(const Dataset& data, const std::string& y, const std::string& x, const Places& fixed);
  std::optional<Absent> at(int64_t row, int64_t column, double value) const;
  bool any_bad() const { return bad_.size() > 0; }
  bool speaks() const {
    return bad_.size() > 0 || computed_.size() > 0;
  }  // of more than the values themselves

 private:
  struct Flag {
    std::vector<uint8_t> values;
    int64_t row_stride = 0, column_stride = 0;
    size_t size() const { return values.size(); }
    bool at(int64_t row, int64_t column) const {
      return values[static_cast<size_t>(row * row_stride + column * column_stride)] != 0;
    }
  };
  static Flag flag_of(const Dataset& data, const std::string& name, const std::string& y,
                      const std::string& x, const Places& fixed);
  Flag bad_, computed_;
};

}  // namespace varve
