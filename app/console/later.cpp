// Words of the command-line contract that this build does not answer yet; asking for one says so.
#include "app/console/later.h"

#include <array>
#include <utility>

namespace varve {

bool is_later_verb(const std::string& verb) {
  return verb == "batch" || verb == "submit" || verb == "replay" || verb == "train";
}

bool is_later_option(const std::string& verb, const std::string& option) {
  constexpr std::array<std::pair<const char*, const char*>, 4> later{
      {{"trace", "--grad-of"}, {"trace", "--patch"}, {"import", "--map"}}};
  for (const auto& [of_verb, name] : later)
    if (verb == of_verb && option == name) return true;
  return false;
}

}  // namespace varve
