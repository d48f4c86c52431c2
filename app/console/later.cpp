// Words of the command-line contract that this build does not answer yet; asking for one says so.
#include "app/console/later.h"

namespace varve {

bool is_later_verb(const std::string& verb) {
  return verb == "submit" || verb == "replay" || verb == "train";
}

}  // namespace varve
