// Whole numbers by name, as made prompts are asked for: "prompts=8,period=24".
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace varve {

using Numbers = std::map<std::string, int64_t>;

// `values` with those that `text` gives in place of their defaults. Throws Error (usage) that begins with
// `whose`, as in "task 'ioi'", and names the nearest known name.
Numbers read_numbers(const std::string& whose, const std::string& text, Numbers values);

}  // namespace varve
