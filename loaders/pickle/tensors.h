// From the tensors that a pickle describes to views of their bytes.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "loaders/pickle/pickle_tree.h"
#include "loaders/strided.h"

namespace varve {

// A storage of PyTorch as its persistent id names it.
struct StorageName {
  std::string key;
  std::string type;  // "torch.FloatStorage"
  uint64_t bytes = 0;
};

// `what` names file and tensor in errors. Throws Error for sizes that overflow and unknown types.
StorageName storage_name(const PickleTree& tree, PickleId storage, const std::string& what);

// Bytes that one element of a storage takes; also of types that no tensor here can hold.
int64_t element_size(const std::string& storage_type, const std::string& what);

using FindStorage = std::function<std::span<const std::byte>(const StorageName&, const std::string& what)>;

// Of a tensor, an array or a refused value. Throws Error naming what cannot be read.
StridedTensor pickled_tensor(const PickleTree& tree, PickleId id, const FindStorage& find,
                             const std::string& what);

// All state dicts of a pickle as the parts of a file. `where` names the file, `single` a tensor that is
// alone.
std::vector<FilePart> pickled_parts(const PickleTree& tree, const FindStorage& find, TensorPlacer& placer,
                                    const std::string& where, const std::string& single);

}  // namespace varve
