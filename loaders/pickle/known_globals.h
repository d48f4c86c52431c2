// The globals a pickle may name, and what each makes of its arguments: always data, never a call.
#pragma once

#include <string>
#include <string_view>

#include "loaders/pickle/pickle_tree.h"

namespace varve {

// Adds a global to the tree. Throws Error naming one that is not on the list; `place` says where it was met.
PickleId add_global(PickleTree& tree, std::string_view module, std::string_view name,
                    const std::string& place);

// What `global(*arguments)` stands for. Throws Error where the arguments make no sense.
PickleId apply_global(PickleTree& tree, PickleId global, PickleId arguments, const std::string& place);

// The state that is set on a value after it was made.
void apply_state(PickleTree& tree, PickleId target, PickleId state, const std::string& place);

// 'storage' ids of PyTorch.
PickleId add_storage(PickleTree& tree, PickleId persistent_id, const std::string& place);

}  // namespace varve
