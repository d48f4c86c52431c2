// What is on screen as the command lines that make it again.
#pragma once

#include <string>
#include <vector>

#include "app/session/session.h"
#include "app/session/view_content.h"

namespace varve {

std::string shell_quoted(const std::string& word);  // as it is where that is safe, else in single quotes
// `varve run ...` and `varve plot ...`, one line each; empty where what is drawn is no stored result.
std::string command_line_of(const Session& session, const OpenView& view, const ViewContent& content);
// The same picture as a call of the Python module.
std::string python_of(const Session& session, const OpenView& view, const ViewContent& content);

}  // namespace varve
