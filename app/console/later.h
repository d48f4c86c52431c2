// Words of the command-line contract that this build does not answer yet; asking for one says so.
#pragma once

#include <string>

namespace varve {

bool is_later_verb(const std::string& verb);

}  // namespace varve
