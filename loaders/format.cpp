// The shelf of file formats at run time.
#include "loaders/format.h"

namespace varve {

const FormatCatalog& formats() {
  static const FormatCatalog all = [] {
    FormatCatalog catalog("format");
    add_all_formats(catalog);
    return catalog;
  }();
  return all;
}

}  // namespace varve
