// A Dear ImGui context of its own for each canvas, with the event queue that ImGui 1.86 does not have.
#include "viz/host/frame.h"

#include <imgui.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "analysis/core/error.h"
#include "viz/host/screen_canvas.h"

namespace varve {

namespace {
// Hover and tips settle one frame after the event that caused them.
constexpr int settling_frames = 2;
}  // namespace

Input take_events(std::deque<InputEvent>& queue, const Input& before) {
  Input now = before;
  now.pressed = now.released = now.double_clicked = false;
  now.wheel = 0;
  while (!queue.empty()) {
    const InputEvent event = queue.front();
    queue.pop_front();
    now.with_control = event.with_control;
    now.with_shift = event.with_shift;
    now.with_alt = event.with_alt;
    if (event.kind == InputEvent::Kind::leave) {
      now.inside = now.resting = false;
      continue;
    }
    if (event.kind != InputEvent::Kind::move || event.at.x != now.pointer.x || event.at.y != now.pointer.y)
      now.resting = false;
    now.pointer = event.at;
    now.inside = true;
    now.wheel += event.wheel;
    if (event.kind == InputEvent::Kind::move || event.kind == InputEvent::Kind::wheel) continue;
    now.pressed = event.kind == InputEvent::Kind::press;
    now.released = event.kind == InputEvent::Kind::release;
    now.double_clicked = event.kind == InputEvent::Kind::double_click;
    now.held = !now.released;
    now.is_right = event.is_right;
    break;
  }
  return now;
}

struct Frame::Inner {
  std::shared_ptr<ScreenFonts> fonts;  // outlive the context
  ImGuiContext* context = nullptr;
  Textures textures;
  std::deque<InputEvent> queue;
  Input input;
  int settling = settling_frames;
  bool shows_times = false;
  FrameTimes times;
};

Frame::Frame(std::shared_ptr<ScreenFonts> fonts) : inner_(std::make_unique<Inner>()) {
  IMGUI_CHECKVERSION();
  inner_->fonts = fonts ? std::move(fonts) : std::make_shared<ScreenFonts>(1);
  inner_->context = ImGui::CreateContext(&inner_->fonts->atlas());
  ImGui::SetCurrentContext(inner_->context);
  ImGui::GetIO().IniFilename = nullptr;
  // Lists of more than 65,536 corners are cut into commands that count from their own first one.
  ImGui::GetIO().BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset;
}

Frame::~Frame() { ImGui::DestroyContext(inner_->context); }

void Frame::push(const InputEvent& event) {
  inner_->queue.push_back(event);
  inner_->settling = settling_frames;
}

void Frame::rest() {
  inner_->input.resting = true;
  inner_->settling = settling_frames;
}

void Frame::show_times(bool on) {
  inner_->shows_times = on;
  inner_->settling = settling_frames;
}

bool Frame::shows_times() const { return inner_->shows_times; }

const FrameTimes& Frame::times() const { return inner_->times; }

bool Frame::busy() const { return !inner_->queue.empty() || inner_->settling > 0 || inner_->fonts->stale(); }

void Frame::draw(const Pixels& pixels, double dpr, Color background,
                 const std::function<void(Canvas&, const Input&)>& draw_marks) {
  const auto began = std::chrono::steady_clock::now();
  ImGui::SetCurrentContext(inner_->context);
  ScreenFonts& fonts = *inner_->fonts;
  if (fonts.dpr() != dpr) fonts.begin_anew(dpr);
  if (fonts.stale()) fonts.build();
  ImGuiIO& io = ImGui::GetIO();
  // Everything in device pixels: text and hairlines then fall on whole ones.
  io.DisplaySize = {static_cast<float>(pixels.columns), static_cast<float>(pixels.rows)};
  io.DeltaTime = 1.0F / 60;
  if (inner_->settling > 0) --inner_->settling;
  inner_->input = take_events(inner_->queue, inner_->input);

  ImGui::NewFrame();
  inner_->textures.next_frame();
  const Box area{0, 0, static_cast<double>(pixels.columns) / dpr, static_cast<double>(pixels.rows) / dpr};
  ScreenCanvas canvas(*ImGui::GetBackgroundDrawList(), fonts, inner_->textures, area);
  draw_marks(canvas, inner_->input);
  if (inner_->shows_times)
    inner_->times.draw(canvas, contrast(background, {0, 0, 0, 255}) > 10 ? Theme::light() : Theme::dark());
  ImGui::Render();
  paint(*ImGui::GetDrawData(), background, pixels);
  inner_->times.add(
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
}

}  // namespace varve
