// What a person chose as text that outlives the program, and back.
#pragma once

#include <string>

#include "app/session/history.h"

namespace varve {

std::string json_of(const Choice& choice);
std::string json_of(const Bench& bench);
// Files are edited by hand and by other versions: what is missing gets its default, what makes no sense is
// let go. Throws Error where the text is no JSON object.
Choice choice_of(const std::string& json);
Bench bench_of(const std::string& json);

}  // namespace varve
