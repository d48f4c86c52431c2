// The verification badge of a result: what was checked when it was made, the weakest fact first.
#pragma once

#include <string>
#include <vector>

#include "viz/view.h"

namespace varve {

enum class Tone { ok, warn, fail };
struct Badge {
  Tone tone = Tone::warn;
  std::string words;               // "6 checks", "n = 7 < 8", the identity that broke
  std::string line;                // the same as part of a sentence: "6 checks passed"
  std::vector<std::string> facts;  // one a check: identity, worst residual, limit, n
};

// `caution` is what the view itself has to say, as in Drawn; it outweighs checks that passed.
Badge badge_of(const Dataset& data, const std::string& caution = "");

// The badge right of where `title` ends in `line`; answers the width that is left for the title.
double draw_badge(Canvas& canvas, const Theme& theme, Box line, const std::string& title, const Badge& badge);

}  // namespace varve
