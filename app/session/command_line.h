// What is on screen as the command lines that make it again.
#pragma once

#include <string>
#include <vector>

#include "app/session/session.h"

namespace varve {

std::string shell_quoted(const std::string& word);  // as it is where that is safe, else in single quotes
// `varve run ...` and `varve plot ...`, one line each; empty where nothing is shown.
std::string command_line_of(const Session& session, const std::string& view);

}  // namespace varve
