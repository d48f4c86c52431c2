// A view with its title, what it shows and where it comes from around it, on any canvas.
#pragma once

#include <string>

#include "viz/view.h"

namespace varve {

std::string key_line(const Dataset& data);  // "logit-lens 5f3a91c2 · f32 · 6 checks passed"

// Title and lines only where look.titled and the area has room for them.
Drawn draw_titled(const View& view, const Dataset& data, const SettingValues& options,
                  const Selection& selection, const Look& look, Canvas& canvas);

}  // namespace varve
