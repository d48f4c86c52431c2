// The sums of the lens: the same bits from every width of processor, and close to a plain loop in double.
#include "analysis/lens_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace varve {
namespace {

std::vector<float> logits(int64_t count, double seed) {
  std::vector<float> all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back(static_cast<float>(12 * std::sin(seed + static_cast<double>(i * i % 997))));
  return all;
}

constexpr int64_t counts[] = {1, 15, 16, 17, 81, 256};

TEST(LensSums, EveryKindOfProcessorGivesTheSameBits) {
  const LensLoops<float>& plain = lens_loops_of_kind(0);
  for (int kind = 1; kind < lens_loop_kinds(); ++kind) {
    const LensLoops<float>& wide = lens_loops_of_kind(kind);
    for (int64_t count : counts) {
      const std::vector<float> z = logits(count, 1), f = logits(count, 2);
      std::vector<float> p(z.size()), q(z.size());
      plain.softmax(f.data(), 14.5f, count, p.data());
      wide.softmax(f.data(), 14.5f, count, q.data());
      EXPECT_EQ(p, q);
      const float top = plain.largest(z.data(), count);
      EXPECT_EQ(top, wide.largest(z.data(), count));
      EXPECT_EQ(plain.above(z.data(), z[0], count), wide.above(z.data(), z[0], count));
      const LensSums one = plain.sums(z.data(), top, f.data(), p.data(), count);
      const LensSums other = wide.sums(z.data(), top, f.data(), p.data(), count);
      EXPECT_EQ(one.max, other.max);
      EXPECT_EQ(one.mass, other.mass);
      EXPECT_EQ(one.mean, other.mean);
      EXPECT_EQ(one.final_gap, other.final_gap);
      EXPECT_EQ(one.lens_gap, other.lens_gap);
    }
  }
}

TEST(LensSums, EqualThePlainLoopInDouble) {
  for (int64_t count : counts) {
    const std::vector<float> z = logits(count, 1), f = logits(count, 2);
    const std::vector<double> z64(z.begin(), z.end()), f64(f.begin(), f.end());
    std::vector<float> p(z.size());
    std::vector<double> p64(z.size());
    lens_loops<float>().softmax(f.data(), 14.5f, count, p.data());
    lens_loops<double>().softmax(f64.data(), 14.5, count, p64.data());
    const float top = lens_loops<float>().largest(z.data(), count);
    const LensSums one = lens_loops<float>().sums(z.data(), top, f.data(), p.data(), count);
    const LensSums other =
        lens_loops<double>().sums(z64.data(), static_cast<double>(top), f64.data(), p64.data(), count);
    // Each exponential is off by 2 units in the last place of a float at most, 2.4e-7 of it.
    constexpr double rounding = 3e-7;
    EXPECT_NEAR(one.mass, other.mass, rounding * other.mass);
    EXPECT_NEAR(one.mean, other.mean, rounding * 24 * other.mass);
    EXPECT_NEAR(one.final_gap, other.final_gap, rounding * 24 * static_cast<double>(count));
    EXPECT_NEAR(one.lens_gap, other.lens_gap, rounding * 24 * other.mass);
  }
}

TEST(LensSums, JoinedStretchesEqualTheWhole) {
  const std::vector<float> z = logits(256, 3);
  const std::vector<double> all(z.begin(), z.end());
  const LensLoops<double>& loops = lens_loops<double>();
  const auto sums = [&](int64_t first, int64_t count) {
    return loops.sums(all.data() + first, loops.largest(all.data() + first, count), nullptr, nullptr, count);
  };
  const LensSums whole = sums(0, 256), joined = join(join(sums(0, 100), sums(100, 60)), sums(160, 96));
  constexpr double rounding = 1e-12;
  EXPECT_EQ(whole.max, joined.max);
  EXPECT_NEAR(whole.mass, joined.mass, rounding * whole.mass);
  EXPECT_NEAR(whole.mean, joined.mean, rounding * std::abs(whole.mean));
}

TEST(LensSums, ALogitThatIsNoNumberSpoilsTheMass) {
  std::vector<float> z = logits(40, 1);
  z[33] = NAN;
  for (int kind = 0; kind < lens_loop_kinds(); ++kind) {
    const LensLoops<float>& loops = lens_loops_of_kind(kind);
    const float top = loops.largest(z.data(), 40);
    EXPECT_TRUE(std::isfinite(top));
    EXPECT_TRUE(std::isnan(loops.sums(z.data(), top, nullptr, nullptr, 40).mass));
  }
}

}  // namespace
}  // namespace varve
