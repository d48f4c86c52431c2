// Colours as eyes without one kind of cone see them: maps must still rise, and marks must still differ.
//
// The views are those of Machado, Oliveira and Fernandes (2009), severity 1, applied to linear light.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "viz/draw/oklab.h"
#include "viz/draw/theme.h"

namespace varve {
namespace {

using Matrix = std::array<std::array<double, 3>, 3>;
struct Sight {
  const char* name;
  Matrix matrix;
};
const std::vector<Sight>& sights() {
  static const std::vector<Sight> all = {
      {"normal", {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}},
      {"protanopia",
       {{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}}},
      {"deuteranopia",
       {{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}}},
      {"tritanopia",
       {{{1.255528, -0.076749, -0.178779},
         {-0.078411, 0.930809, 0.147602},
         {0.004733, 0.691367, 0.303900}}}}};
  return all;
}

double linear(uint8_t channel) {
  const double c = channel / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}
uint8_t companded(double c) {
  c = std::clamp(c, 0.0, 1.0);
  return static_cast<uint8_t>(
      std::lround(255 * (c <= 0.0031308 ? c * 12.92 : 1.055 * std::pow(c, 1 / 2.4) - 0.055)));
}

Oklab seen(Color color, const Sight& sight) {
  const std::array<double, 3> light = {linear(color.r), linear(color.g), linear(color.b)};
  std::array<uint8_t, 3> out{};
  for (size_t row = 0; row < 3; ++row) {
    double sum = 0;
    for (size_t k = 0; k < 3; ++k) sum += sight.matrix[row][k] * light[k];
    out[row] = companded(sum);
  }
  return oklab(Color{out[0], out[1], out[2]});
}
double distance(const Oklab& p, const Oklab& q) {
  return std::hypot(p.lightness - q.lightness, p.a - q.a, p.b - q.b);
}

constexpr double byte_of_rounding = 0.005;

TEST(ColourVision, SequentialMapsRiseInEverySight) {
  for (const Theme* theme : {&Theme::light(), &Theme::dark()})
    for (const std::string& name : color_map_names()) {
      const ColorMap& map = color_map(name, *theme);
      if (map.diverging) continue;
      const double sign = theme->is_dark ? 1 : -1;  // low values sink into the ground
      for (const Sight& sight : sights()) {
        for (size_t i = 1; i < map.entries.size(); ++i)
          ASSERT_GE(
              sign * (seen(map.entries[i], sight).lightness - seen(map.entries[i - 1], sight).lightness),
              -byte_of_rounding)
              << name << ", " << sight.name << ", entry " << i;
        // Every eighth of the map is a step that shows.
        for (size_t i = 32; i < map.entries.size(); i += 32)
          EXPECT_GE(
              sign * (seen(map.entries[i], sight).lightness - seen(map.entries[i - 32], sight).lightness),
              0.03)
              << name << ", " << sight.name << ", entry " << i;
      }
    }
}

TEST(ColourVision, TheTwoHalvesOfTheDivergingMapDifferInEverySight) {
  for (const Theme* theme : {&Theme::light(), &Theme::dark()}) {
    const ColorMap& map = color_map("tide", *theme);
    for (const Sight& sight : sights()) {
      const Oklab low = seen(map.entries[0], sight), middle = seen(map.entries[127], sight),
                  high = seen(map.entries[255], sight);
      EXPECT_GE(distance(low, high), 0.15) << sight.name;
      EXPECT_GE(distance(seen(map.entries[64], sight), seen(map.entries[191], sight)), 0.15) << sight.name;
      EXPECT_GE(distance(low, middle), 0.5) << sight.name;
      EXPECT_GE(distance(high, middle), 0.5) << sight.name;
      // Away from the centre each half only grows stronger.
      const double sign = theme->is_dark ? -1 : 1;
      for (size_t i = 0; i < 127; ++i) {
        ASSERT_GE(sign * (seen(map.entries[i + 1], sight).lightness - seen(map.entries[i], sight).lightness),
                  -byte_of_rounding)
            << sight.name << ", entry " << i;
        ASSERT_GE(sign * (seen(map.entries[254 - i], sight).lightness -
                          seen(map.entries[255 - i], sight).lightness),
                  -byte_of_rounding)
            << sight.name << ", entry " << 255 - i;
      }
    }
  }
}

TEST(ColourVision, AnyTwoCategoriesDifferInEverySight) {
  for (const Theme* theme : {&Theme::light(), &Theme::dark()}) {
    // The design's figures, less the rounding of the simulated colours to bytes.
    const double least = (theme->is_dark ? 0.103 : 0.097) - 0.003;
    for (const Sight& sight : sights())
      for (size_t i = 0; i < theme->category.size(); ++i)
        for (size_t j = 0; j < i; ++j)
          EXPECT_GE(distance(seen(theme->category[i], sight), seen(theme->category[j], sight)), least)
              << sight.name << ": " << j << " and " << i << (theme->is_dark ? ", dark" : ", light");
  }
}

}  // namespace
}  // namespace varve
