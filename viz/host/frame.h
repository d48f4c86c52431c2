// One picture of a canvas, driven from outside: events go into a queue, a frame takes them out and draws.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "viz/draw/canvas.h"
#include "viz/host/frame_times.h"
#include "viz/host/raster.h"

namespace varve {

struct InputEvent {
  enum class Kind { move, leave, press, release, double_click, wheel };
  Kind kind = Kind::move;
  Point at;          // logical pixels, from the canvas's top left
  double wheel = 0;  // notches, away from the person is positive
  bool with_control = false, with_shift = false;
  bool with_alt = false;
  bool is_right = false;  // press and release: of the right button
};

// What one frame sees of the left button, the pointer and the wheel.
struct Input {
  Point pointer{-1, -1};
  bool inside = false;  // the pointer is on the canvas
  bool held = false, pressed = false, released = false, double_clicked = false;
  bool resting = false;  // long enough in one place for a tip
  bool with_control = false, with_shift = false, with_alt = false;
  bool is_right = false;  // the button that is held or was released is the right one
  double wheel = 0;
};

// Applies the events that one frame may see: at most one change of the button, so that no press is lost
// between frames. What it leaves in the queue is for the next frame.
Input take_events(std::deque<InputEvent>& queue, const Input& before);

class ScreenFonts;

class Frame {
 public:
  // Canvases of one window share their fonts; without any, the frame makes its own.
  explicit Frame(std::shared_ptr<ScreenFonts> fonts = nullptr);
  ~Frame();
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  void push(const InputEvent& event);
  // The pointer has stayed long enough for a tip; the next move ends that.
  void rest();
  bool busy() const;  // another frame is due: events wait, or the picture has not settled
  // Onto all of `pixels`, which are device pixels, `dpr` of them for a logical one.
  void draw(const Pixels& pixels, double dpr, Color background,
            const std::function<void(Canvas&, const Input&)>& draw_marks);
  // The hidden overlay.
  void show_times(bool on);
  bool shows_times() const;
  const FrameTimes& times() const;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace varve
