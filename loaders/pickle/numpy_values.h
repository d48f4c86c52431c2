// NumPy's dtypes, scalars and arrays as a pickle describes them.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "loaders/pickle/pickle_tree.h"

namespace varve {

// nullopt where the arguments make no sense.
std::optional<PickleId> make_numpy_dtype(PickleTree& tree, std::span<const PickleId> arguments);
std::optional<PickleId> make_numpy_scalar(PickleTree& tree, std::span<const PickleId> arguments);
std::optional<PickleId> make_numpy_buffer(PickleTree& tree, std::span<const PickleId> arguments);

void set_numpy_dtype(PickleTree& tree, PickleId dtype, PickleId state, const std::string& place);
void set_numpy_array(PickleTree& tree, PickleId array, PickleId state, const std::string& place);

}  // namespace varve
