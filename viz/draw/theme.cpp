// Holds every colour of both themes, the colour maps made from a few stops, and the contrast rules.
#include "viz/draw/theme.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "viz/draw/oklab.h"

namespace varve {
namespace {

double linear(double channel) {
  return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}
double companded(double channel) {
  return channel <= 0.0031308 ? channel * 12.92 : 1.055 * std::pow(channel, 1 / 2.4) - 0.055;
}
uint8_t byte_of(double unit) { return static_cast<uint8_t>(std::lround(std::clamp(unit, 0.0, 1.0) * 255)); }

double luminance(Color c) {
  return 0.2126 * linear(c.r / 255.0) + 0.7152 * linear(c.g / 255.0) + 0.0722 * linear(c.b / 255.0);
}

using Stops = std::vector<const char*>;
// Each list runs from the pale end to the dark end; the dark theme walks it backwards, so that low values
// sink into the ground in both.
const Stops strata_stops = {"#FAFAEF", "#DCDDB7", "#A6C695", "#65AD95", "#348F90",
                            "#046F89", "#0C4D7B", "#1A2D5D", "#131730"};
const Stops cividis_stops = {"#FEE838", "#E1CC55", "#C3B369", "#A59C74", "#8A8678",
                             "#707173", "#575D6D", "#3B496C", "#123570", "#00224E"};
const Stops viridis_stops = {"#FDE725", "#AADC32", "#5DC863", "#27AD81", "#21908C",
                             "#2C728E", "#3B528B", "#472D7B", "#440154"};
const Stops greys_stops = {"#F7F7F7", "#DADADA", "#BDBDBD", "#A1A1A1", "#868686",
                           "#6B6B6B", "#525252", "#3A3A3A", "#232323"};
const Stops tide_light = {"#204C8A", "#3077B9", "#62A3D5", "#A2CEE9", "#F1F4F6",
                          "#E2C09E", "#CD8B58", "#AF5824", "#7F3117"};
const Stops tide_dark = {"#8BD5FF", "#4EA5E4", "#3A75AF", "#2F4A6E", "#222427",
                         "#673C2D", "#A25E35", "#D88742", "#F7BF7D"};

const std::vector<std::string>& map_names() {
  static const std::vector<std::string> names = {"strata", "tide", "cividis", "viridis", "greys"};
  return names;
}

ColorMap make_map(const std::string& name, Stops stops, bool reversed) {
  if (reversed) std::reverse(stops.begin(), stops.end());
  ColorMap map;
  map.name = name;
  map.diverging = name == "tide";
  for (size_t i = 0; i < map.entries.size(); ++i) {
    const double place = static_cast<double>(i) / 255.0 * static_cast<double>(stops.size() - 1);
    const size_t below = std::min(stops.size() - 2, static_cast<size_t>(place));
    const Oklab from = oklab(hex(stops[below])), to = oklab(hex(stops[below + 1]));
    const double t = place - static_cast<double>(below);
    map.entries[i] = from_oklab({from.lightness + (to.lightness - from.lightness) * t,
                                 from.a + (to.a - from.a) * t, from.b + (to.b - from.b) * t});
  }
  return map;
}

std::map<std::string, ColorMap> make_maps(bool is_dark) {
  std::map<std::string, ColorMap> maps;
  maps["strata"] = make_map("strata", strata_stops, is_dark);
  maps["cividis"] = make_map("cividis", cividis_stops, is_dark);
  maps["viridis"] = make_map("viridis", viridis_stops, is_dark);
  maps["greys"] = make_map("greys", greys_stops, is_dark);
  maps["tide"] = make_map("tide", is_dark ? tide_dark : tide_light, false);
  return maps;
}

// Marks need 3:1, text 4.6:1: a series' words are its colour moved towards ink until they can be read.
Color readable(Color mark, const Theme& theme) {
  for (int step = 0; step <= 25; ++step) {
    const Color candidate = mix(mark, theme.ink, 0.04 * step);
    if (contrast(candidate, theme.canvas) >= 4.6) return candidate;
  }
  return theme.ink;
}

void set_categories(Theme& theme, const std::array<const char*, 10>& marks) {
  for (size_t i = 0; i < marks.size(); ++i) {
    theme.category[i] = hex(marks[i]);
    theme.category_text[i] = readable(theme.category[i], theme);
  }
}

Theme make_light() {
  Theme t;
  t.ground = hex("#DFE4E9");
  t.panel = hex("#F4F6F8");
  t.canvas = hex("#FFFFFF");
  t.raised = hex("#E9EDF1");
  t.hair = hex("#D3D9DF");
  t.grid = hex("#E8ECF0");
  t.strong = hex("#7C8894");
  t.ink = hex("#18202A");
  t.ink2 = hex("#46525F");
  t.ink3 = hex("#596572");
  t.accent = hex("#0A5FB0");
  t.on_accent = hex("#FFFFFF");
  t.soft = hex("#D5E5F5");
  t.ok = hex("#1A6E3C");
  t.ok_soft = hex("#DCEFE2");
  t.warn = hex("#8A5300");
  t.warn_soft = hex("#F7EBD3");
  t.fail = hex("#B3261E");
  t.fail_soft = hex("#F9E0DC");
  t.cached = hex("#3F6470");
  t.tip = hex("#18202A");
  t.tip_text = hex("#F4F6F8");
  t.tip_second = hex("#B4BEC8");
  set_categories(t, {"#3F5FC8", "#E57333", "#5BA089", "#6C075A", "#BA71F0", "#504711", "#BC512A", "#7C71A2",
                     "#834A60", "#272599"});
  return t;
}

Theme make_dark() {
  Theme t;
  t.is_dark = true;
  t.ground = hex("#0B0D10");
  t.panel = hex("#1A1E23");
  t.canvas = hex("#121518");
  t.raised = hex("#242A31");
  t.hair = hex("#2E353D");
  t.grid = hex("#20252B");
  t.strong = hex("#6A7682");
  t.ink = hex("#E8ECF0");
  t.ink2 = hex("#B4BEC8");
  t.ink3 = hex("#98A3AE");
  t.accent = hex("#66B0F5");
  t.on_accent = hex("#0B0D10");
  t.soft = hex("#1C3853");
  t.ok = hex("#5CC389");
  t.ok_soft = hex("#183424");
  t.warn = hex("#E8AE4A");
  t.warn_soft = hex("#3A2E17");
  t.fail = hex("#F58A80");
  t.fail_soft = hex("#40221F");
  t.cached = hex("#8FB6C2");
  t.tip = hex("#E8ECF0");
  t.tip_text = hex("#18202A");
  t.tip_second = hex("#46525F");
  set_categories(t, {"#95CAFC", "#FC9237", "#B3F5EE", "#A46D8A", "#B294B9", "#ECE594", "#D8563E", "#8170CC",
                     "#E7AFAD", "#8596FE"});
  return t;
}

}  // namespace

// Björn Ottosson, "A perceptual color space for image processing" (2020), the two matrices there.
Oklab oklab(Color color) {
  const double r = linear(color.r / 255.0), g = linear(color.g / 255.0), b = linear(color.b / 255.0);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

Color from_oklab(const Oklab& lab) {
  const double l = std::pow(lab.lightness + 0.3963377774 * lab.a + 0.2158037573 * lab.b, 3);
  const double m = std::pow(lab.lightness - 0.1055613458 * lab.a - 0.0638541728 * lab.b, 3);
  const double s = std::pow(lab.lightness - 0.0894841775 * lab.a - 1.2914855480 * lab.b, 3);
  return {byte_of(companded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s)),
          byte_of(companded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s)),
          byte_of(companded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)), 255};
}

Color hex(const char* text) {
  const std::string digits = text;
  const bool is_well_formed = digits.size() == 7 && digits[0] == '#' &&
                              digits.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string::npos;
  if (!is_well_formed) fail_usage("a colour is written #RRGGBB, but '{}' was given", digits);
  const auto part = [&digits](size_t at) {
    return static_cast<uint8_t>(std::stoi(digits.substr(at, 2), nullptr, 16));
  };
  return {part(1), part(3), part(5), 255};
}

Color mix(Color a, Color b, double t) {
  const auto part = [t](uint8_t from, uint8_t to) {
    return static_cast<uint8_t>(std::lround(std::clamp(from + (to - from) * t, 0.0, 255.0)));
  };
  return {part(a.r, b.r), part(a.g, b.g), part(a.b, b.b), part(a.a, b.a)};
}

double contrast(Color a, Color b) {
  const double first = luminance(a), second = luminance(b);
  return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

const Theme& Theme::light() {
  static const Theme theme = make_light();
  return theme;
}
const Theme& Theme::dark() {
  static const Theme theme = make_dark();
  return theme;
}

Color ColorMap::at(double unit) const {
  if (!(unit > 0)) return entries[0];
  return entries[static_cast<size_t>(std::lround(std::min(unit, 1.0) * 255))];
}

const ColorMap& color_map(const std::string& name, const Theme& theme) {
  static const std::map<std::string, ColorMap> light = make_maps(false), dark = make_maps(true);
  const std::map<std::string, ColorMap>& maps = theme.is_dark ? dark : light;
  const auto found = maps.find(name);
  if (found != maps.end()) return found->second;
  fail_usage("there is no colour map named '{}'; there are strata, tide, cividis, viridis and greys", name);
}

std::span<const std::string> color_map_names() { return map_names(); }

Color text_on(Color cell) {
  const Color black{0, 0, 0, 255}, white{255, 255, 255, 255};
  return contrast(black, cell) >= contrast(white, cell) ? black : white;
}

}  // namespace varve
