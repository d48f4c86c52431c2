// A Dear ImGui context of its own for each canvas, with the event queue that ImGui 1.86 does not have.
#include "viz/host/frame.h"

#include <GL/gl.h>
#include <backends/imgui_impl_opengl3.h>
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
  ImTextureID glyphs = nullptr;  // this canvas's texture of the atlas, of the generation below
  int64_t glyphs_of = 0;
  Textures textures;
  std::deque<InputEvent> queue;
  Input input;
  int settling = settling_frames;
  bool has_graphics = false;
  bool shows_times = false;
  FrameTimes times;
};

Frame::Frame(std::shared_ptr<ScreenFonts> fonts) : inner_(std::make_unique<Inner>()) {
  IMGUI_CHECKVERSION();
  inner_->fonts = fonts ? std::move(fonts) : std::make_shared<ScreenFonts>(1);
  inner_->context = ImGui::CreateContext(&inner_->fonts->atlas());
  ImGui::SetCurrentContext(inner_->context);
  ImGui::GetIO().IniFilename = nullptr;
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

void Frame::draw(double width, double height, double dpr, Color background,
                 const std::function<void(Canvas&, const Input&)>& paint) {
  const auto began = std::chrono::steady_clock::now();
  ImGui::SetCurrentContext(inner_->context);
  if (!inner_->has_graphics) {
    if (!ImGui_ImplOpenGL3_Init("#version 330 core")) fail("the canvas needs OpenGL 3.3, which is not there");
    inner_->has_graphics = true;
  }
  ScreenFonts& fonts = *inner_->fonts;
  if (fonts.dpr() != dpr) fonts.begin_anew(dpr);
  if (fonts.stale()) fonts.build();
  if (inner_->glyphs_of != fonts.generation()) {
    if (inner_->glyphs_of == 0) {
      ImGui_ImplOpenGL3_CreateDeviceObjects();
    } else {
      ImGui_ImplOpenGL3_DestroyFontsTexture();
      ImGui_ImplOpenGL3_CreateFontsTexture();
    }
    inner_->glyphs = fonts.atlas().TexID;
    inner_->glyphs_of = fonts.generation();
  }
  fonts.atlas().SetTexID(inner_->glyphs);  // the atlas is shared, the textures are not
  ImGuiIO& io = ImGui::GetIO();
  // Everything in device pixels: text and hairlines then fall on whole ones.
  io.DisplaySize = {static_cast<float>(std::round(width * dpr)),
                    static_cast<float>(std::round(height * dpr))};
  io.DeltaTime = 1.0F / 60;
  if (inner_->settling > 0) --inner_->settling;
  inner_->input = take_events(inner_->queue, inner_->input);

  ImGui_ImplOpenGL3_NewFrame();
  ImGui::NewFrame();
  inner_->textures.next_frame();
  ScreenCanvas canvas(*ImGui::GetBackgroundDrawList(), fonts, inner_->textures, {0, 0, width, height});
  paint(canvas, inner_->input);
  if (inner_->shows_times)
    inner_->times.draw(canvas, contrast(background, {0, 0, 0, 255}) > 10 ? Theme::light() : Theme::dark());
  ImGui::Render();
  glViewport(0, 0, static_cast<GLsizei>(io.DisplaySize.x), static_cast<GLsizei>(io.DisplaySize.y));
  glClearColor(static_cast<float>(background.r) / 255, static_cast<float>(background.g) / 255,
               static_cast<float>(background.b) / 255, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  if (inner_->shows_times) glFinish();
  inner_->times.add(
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
}

void Frame::release() {
  ImGui::SetCurrentContext(inner_->context);
  inner_->textures.clear();
  if (inner_->has_graphics) ImGui_ImplOpenGL3_Shutdown();
  inner_->has_graphics = false;
  inner_->glyphs_of = 0;
}

}  // namespace varve
