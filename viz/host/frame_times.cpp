// Keeps and shows frame times.
#include "viz/host/frame_times.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace varve {

namespace {
constexpr size_t most_kept = 120;
}  // namespace

void FrameTimes::add(double millis) {
  times_.push_back(millis);
  if (times_.size() > most_kept) times_.pop_front();
  ++count_;
}

double FrameTimes::median() const {
  if (times_.empty()) return 0;
  std::vector<double> sorted(times_.begin(), times_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

double FrameTimes::worst() const {
  return times_.empty() ? 0 : *std::max_element(times_.begin(), times_.end());
}

void FrameTimes::draw(Canvas& canvas, const Theme& theme) const {
  const Font font{7, Face::mono};
  const std::string words =
      fmt::format("last {:.1f}  median {:.1f}  worst {:.1f} ms", last(), median(), worst());
  const Box area = canvas.area();
  const Box card{area.x + 6, area.bottom() - 24, canvas.text_width(words, font) + 14, 18};
  canvas.fill(card, theme.tip, 3);
  canvas.text({card.x + 7, card.y + 9}, words, font, theme.tip_text);
}

}  // namespace varve
