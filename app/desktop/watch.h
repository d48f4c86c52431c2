// Says for how long the window could not answer: the longest single event that its thread worked on.
#pragma once

#include <QApplication>
#include <string>

namespace varve {

// What the window's thread was held up by since the last reset().
struct HeldUp {
  double longest_millis = 0;  // of one event, without the time in which other threads had the processor
  std::string by;             // "timer event of MainWindow"
  double longest_paint_millis = 0;
};

class WatchedApplication : public QApplication {
  Q_OBJECT

 public:
  WatchedApplication(int& argc, char** argv);
  ~WatchedApplication() override;
  bool notify(QObject* receiver, QEvent* event) override;
  const HeldUp& held_up() const { return held_up_; }
  // Begins anew; the event in hand is no longer counted. Asking for a series does that: what counts is the
  // work on it, its first picture included.
  void reset();

 private:
  double waited_millis() const;  // for a processor, in all; 0 where the system does not tell
  HeldUp held_up_;
  int depth_ = 0;
  bool leaves_out_ = false;
  bool had_loop_ = false;  // the event in hand ran an event loop of its own, as a dialog does
  int schedule_file_ = -1;
  bool has_window_ = false;
};

}  // namespace varve
