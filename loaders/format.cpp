// The shelf of file formats at run time.
#include "loaders/format.h"

#include "analysis/core/error.h"

namespace varve {

const std::vector<FileTensor>& TensorFile::tensors() const {
  if (parts().size() != 1)
    fail("the file holds {} checkpoints, from '{}' to '{}'; one is needed here", parts().size(),
         parts().front().label, parts().back().label);
  return parts().front().tensors;
}

const FormatCatalog& formats() {
  static const FormatCatalog all = [] {
    FormatCatalog catalog("format");
    add_all_formats(catalog);
    return catalog;
  }();
  return all;
}

}  // namespace varve
