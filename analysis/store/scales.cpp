// Named axes as HDF5 dimension scales (HDF5 Dimension Scale specification 1.0; netCDF-4 format, section 4),
// written by hand: the attributes are few, and written once they keep equal content equal in bytes.
#include "analysis/store/scales.h"

#include <cstring>

namespace varve::h5 {

namespace {

constexpr const char* what = "writing the axes of a new file";

// The scale specification asks for text of fixed length here.
void write_fixed(hid_t object, const char* name, const std::string& text) {
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, what);
  check(H5Tset_size(type.id(), text.size() + 1), what);
  const Handle space = simple_space({});
  const Handle attribute(H5Acreate2(object, name, type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                         what);
  check(H5Awrite(attribute.id(), type.id(), text.c_str()), what);
}

void write_dimension_id(hid_t object, int id) {
  const Handle space = simple_space({});
  const Handle attribute(
      H5Acreate2(object, "_Netcdf4Dimid", H5T_NATIVE_INT, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
      what);
  check(H5Awrite(attribute.id(), H5T_NATIVE_INT, &id), what);
}

hobj_ref_t reference_to(hid_t file, const std::string& link) {
  hobj_ref_t reference = 0;
  check(H5Rcreate(&reference, file, link.c_str(), H5R_OBJECT, -1), what);
  return reference;
}

struct BackReference {
  hobj_ref_t dataset;
  int dimension;
};

}  // namespace

void Scales::adopt(hid_t dataset, const std::string& axis, const std::string& link) {
  write_fixed(dataset, "CLASS", "DIMENSION_SCALE");
  write_fixed(dataset, "NAME", axis);
  write_dimension_id(dataset, static_cast<int>(scales_.size()));
  scales_[axis] = {link, {}};
}

void Scales::add_bare(const std::string& axis, const std::string& link, int64_t extent) {
  const Handle properties = plain_dataset_properties();
  const Handle space = simple_space({extent});
  const Handle dataset(
      H5Dcreate2(file_, link.c_str(), H5T_IEEE_F32BE, space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
      H5Dclose, what);
  write_fixed(dataset.id(), "CLASS", "DIMENSION_SCALE");
  // netCDF's own words for it; readers look for this sentence.
  write_fixed(dataset.id(), "NAME",
              fmt::format("This is a netCDF dimension but not a netCDF variable.{:>10}", extent));
  write_dimension_id(dataset.id(), static_cast<int>(scales_.size()));
  scales_[axis] = {link, {}};
}

void Scales::attach(hid_t dataset, const std::string& link, const std::vector<std::string>& axes) {
  if (axes.empty()) return;
  std::vector<hobj_ref_t> references;
  for (const std::string& axis : axes) {
    Scale& scale = scales_.at(axis);
    references.push_back(reference_to(file_, scale.link));
    scale.users.push_back({link, static_cast<int>(references.size()) - 1});
  }
  std::vector<hvl_t> lists;
  for (hobj_ref_t& reference : references) lists.push_back({1, &reference});
  const Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose, what);
  const Handle space = simple_space({static_cast<int64_t>(lists.size())});
  const Handle attribute(
      H5Acreate2(dataset, "DIMENSION_LIST", type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose, what);
  check(H5Awrite(attribute.id(), type.id(), lists.data()), what);
}

void Scales::finish() {
  const Handle type(H5Tcreate(H5T_COMPOUND, sizeof(BackReference)), H5Tclose, what);
  check(H5Tinsert(type.id(), "dataset", HOFFSET(BackReference, dataset), H5T_STD_REF_OBJ), what);
  check(H5Tinsert(type.id(), "dimension", HOFFSET(BackReference, dimension), H5T_NATIVE_INT), what);
  for (const auto& [axis, scale] : scales_) {
    if (scale.users.empty()) continue;
    // Zeroed as bytes: the gap inside the struct reaches the file.
    std::vector<char> table(scale.users.size() * sizeof(BackReference), '\0');
    for (size_t row = 0; row < scale.users.size(); ++row) {
      const hobj_ref_t reference = reference_to(file_, scale.users[row].link);
      char* place = table.data() + row * sizeof(BackReference);
      std::memcpy(place + HOFFSET(BackReference, dataset), &reference, sizeof reference);
      std::memcpy(place + HOFFSET(BackReference, dimension), &scale.users[row].place, sizeof(int));
    }
    const Handle dataset(H5Dopen2(file_, scale.link.c_str(), H5P_DEFAULT), H5Dclose, what);
    const Handle space = simple_space({static_cast<int64_t>(scale.users.size())});
    const Handle attribute(
        H5Acreate2(dataset.id(), "REFERENCE_LIST", type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
        what);
    check(H5Awrite(attribute.id(), type.id(), table.data()), what);
  }
}

}  // namespace varve::h5
