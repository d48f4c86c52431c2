// A thin layer over the HDF5 C interface: handles that close themselves, and errors instead of return codes.
#include "analysis/store/hdf5.h"

namespace varve::h5 {

void quiet() {
  thread_local const bool done = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  if (!done) fail("HDF5 could not be started");
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "a text type");
  check(H5Tset_size(type.id(), H5T_VARIABLE), "a text type");
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "a text type");
  return type;
}

Handle simple_space(const std::vector<int64_t>& shape) {
  if (shape.empty()) return {H5Screate(H5S_SCALAR), H5Sclose, "a scalar"};
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  return {H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose, "a shape"};
}

void write_attribute(hid_t object, const std::string& name, const std::string& text) {
  const std::string what = "writing the attribute " + name;
  const Handle type = text_type();
  const Handle space = simple_space({});
  const Handle attribute(H5Acreate2(object, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose, what);
  const char* words = text.c_str();
  check(H5Awrite(attribute.id(), type.id(), &words), what);
}

Handle plain_dataset_properties() {
  Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "dataset properties");
  check(H5Pset_obj_track_times(properties.id(), false), "dataset properties");
  check(H5Pset_attr_creation_order(properties.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
        "dataset properties");
  check(H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER), "dataset properties");
  return properties;
}

}  // namespace varve::h5
