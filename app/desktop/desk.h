// What every part of the window shares: the session, the theme in force, and whom to tell after an act.
#pragma once

#include <functional>

#include "app/session/session.h"
#include "viz/draw/theme.h"

namespace varve {

struct Desk {
  Session* session = nullptr;
  const Theme* theme = &Theme::light();
  bool drag_zooms = false;      // as PaneContent says
  std::function<void()> acted;  // after a call that may have changed the session
};

}  // namespace varve
