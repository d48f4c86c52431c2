// The progress line on stderr: a bar, what is being done, time left. Drawn on a terminal only.
#include "app/console/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "analysis/core/text.h"

namespace varve {
namespace {

// Short work stays silent: a line that flashes up is noise.
constexpr double silent_seconds = 0.4;
constexpr int bar_cells = 24;

int terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void write_to_stderr(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::string progress_text(double fraction, const std::string& doing, double seconds, int width) {
  if (seconds < silent_seconds) return "";
  const double part = std::clamp(fraction, 0.0, 1.0);
  const int filled = static_cast<int>(part * bar_cells);
  std::string text = fmt::format("[{}{}] {:3.0f} %", std::string(static_cast<size_t>(filled), '='),
                                 std::string(static_cast<size_t>(bar_cells - filled), ' '), part * 100);
  // Under 2 % an estimate is mostly the cost of starting, so none is shown.
  if (part > 0.02 && part < 1) text += "  " + show_seconds(seconds / part * (1 - part)) + " left";
  if (!doing.empty()) text += "  " + doing;
  // Cut at a character's first byte, so that no half character reaches the terminal.
  size_t end = std::min(text.size(), static_cast<size_t>(std::max(width - 1, 20)));
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

ProgressLine::ProgressLine(bool visible)
    : visible_(visible && isatty(STDERR_FILENO) == 1), began_(std::chrono::steady_clock::now()) {}

ProgressLine::~ProgressLine() { erase(); }

void ProgressLine::draw(const Progress& progress) {
  if (!visible_) return;
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began_;
  const std::string doing = progress.stop_requested() ? "stopping" : progress.doing();
  const std::string text = progress_text(progress.fraction(), doing, spent.count(), terminal_width());
  if (text.empty()) return;
  const std::lock_guard<std::mutex> hold(mutex_);
  write_to_stderr("\r\x1b[K" + text);
  drawn_ = true;
}

void ProgressLine::erase() {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (!drawn_) return;
  write_to_stderr("\r\x1b[K");
  drawn_ = false;
}

}  // namespace varve
