// Reads Python pickles as data. Nothing is imported, called or executed: a pickle that names anything outside
// a short list of known globals is refused.
#pragma once

#include <string>
#include <string_view>

#include "loaders/pickle/pickle_tree.h"

namespace varve {

// One whole pickle; bytes behind its end are an error. The bytes must outlive the tree.
PickleTree read_pickle(std::string_view bytes, const std::string& where);

// The first of several pickles in a row; `bytes` then begins behind it.
PickleTree read_next_pickle(std::string_view& bytes, const std::string& where);

// Names from hostile files, fit for a message.
std::string printable(std::string_view text);

}  // namespace varve
