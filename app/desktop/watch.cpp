// Timing the events of the window's thread.
#include "app/desktop/watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <QEvent>
#include <QThread>
#include <chrono>
#include <cstdlib>

namespace varve {

namespace {

bool is_painting(QEvent::Type type) {
  return type == QEvent::UpdateRequest || type == QEvent::Paint || type == QEvent::Expose ||
         type == QEvent::Resize || type == QEvent::Show || type == QEvent::UpdateLater;
}

double now_millis() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

WatchedApplication::WatchedApplication(int& argc, char** argv) : QApplication(argc, argv) {
  schedule_file_ = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

WatchedApplication::~WatchedApplication() {
  if (schedule_file_ >= 0) ::close(schedule_file_);
}

// The second number is how long this thread was ready but had no processor, in nanoseconds.
double WatchedApplication::waited_millis() const {
  char text[96];
  const ssize_t size = schedule_file_ < 0 ? 0 : ::pread(schedule_file_, text, sizeof text - 1, 0);
  if (size <= 0) return 0;
  text[size] = 0;
  char* after = nullptr;
  std::strtoull(text, &after, 10);
  return static_cast<double>(std::strtoull(after, nullptr, 10)) / 1e6;
}

void WatchedApplication::reset() {
  held_up_ = {};
  leaves_out_ = true;
}

bool WatchedApplication::notify(QObject* receiver, QEvent* event) {
  // Other threads' events pass here, too.
  if (QThread::currentThread() != thread()) return QApplication::notify(receiver, event);
  if (depth_ > 0) {
    if (QThread::currentThread()->loopLevel() > 1) had_loop_ = true;
    ++depth_;
    const bool done = QApplication::notify(receiver, event);
    --depth_;
    return done;
  }
  // The receiver may be gone afterwards.
  const QEvent::Type type = event->type();
  const char* name = receiver->metaObject()->className();
  had_loop_ = leaves_out_ = false;
  ++depth_;
  const double began = now_millis(), waited = waited_millis();
  const bool done = QApplication::notify(receiver, event);
  const double millis = now_millis() - began - (waited_millis() - waited);
  --depth_;
  if (type == QEvent::Expose && !has_window_) {
    // The window's first picture loads the graphics: that is the start, not work on a series.
    has_window_ = true;
    held_up_ = {};
    return done;
  }
  if (had_loop_ || leaves_out_) return done;
  if (is_painting(type)) {
    held_up_.longest_paint_millis = std::max(held_up_.longest_paint_millis, millis);
  } else if (millis > held_up_.longest_millis) {
    held_up_.longest_millis = millis;
    held_up_.by = "event " + std::to_string(static_cast<int>(type)) + " of " + name;
  }
  return done;
}

}  // namespace varve
