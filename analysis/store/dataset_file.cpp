// Writes a Dataset as one netCDF-4 readable HDF5 file; equal Datasets give equal bytes.
#include <type_traits>

#include "analysis/core/dataset.h"
#include "analysis/store/dataset_parts.h"
#include "analysis/store/draft.h"
#include "analysis/store/run_store.h"

namespace varve {

namespace {

template <class T>
hid_t stored_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_IEEE_F32LE;
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
  if constexpr (std::is_same_v<T, int64_t>) return H5T_STD_I64LE;
  return H5T_STD_U8LE;
}

void write_text(hid_t dataset, const std::vector<std::string>& values, bool escaped,
                const std::string& what) {
  std::vector<std::string> copies;
  if (escaped)
    for (const std::string& value : values) copies.push_back(h5::escape(value));
  std::vector<const char*> words;
  words.reserve(values.size());
  for (const std::string& value : escaped ? copies : values) words.push_back(value.c_str());
  const h5::Handle type = h5::text_type();
  h5::check(H5Dwrite(dataset, type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, words.data()), what);
}

bool any_needs_escapes(const Array& array) {
  if (array.dtype() != Dtype::text) return false;
  for (const std::string& value : array.as<std::string>())
    if (h5::needs_escapes(value)) return true;
  return false;
}

}  // namespace

h5::Handle h5::write_array(hid_t file, const std::string& link, const std::string& name, const Array& array,
                           Role role, DatasetTable& table) {
  const std::string what = fmt::format("writing the array '{}'", name);
  const bool escaped = any_needs_escapes(array);
  const bool nothing =
      array.shape().empty() && std::visit([](const auto& v) { return v.empty(); }, array.values());
  const Handle properties = plain_dataset_properties();
  const Handle space = nothing ? Handle(H5Screate(H5S_NULL), H5Sclose, what) : simple_space(array.shape());
  return std::visit(
      [&](const auto& values) {
        using T = typename std::decay_t<decltype(values)>::value_type;
        constexpr bool is_text = std::is_same_v<T, std::string>;
        const Handle text = text_type();
        const hid_t type = is_text ? text.id() : stored_type<T>();
        // HDF5 insists on empty texts before the first write.
        if (is_text) check(H5Pset_fill_time(properties.id(), H5D_FILL_TIME_IFSET), what);
        Handle dataset(
            H5Dcreate2(file, link.c_str(), type, space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
            H5Dclose, what);
        if constexpr (is_text) {
          if (!values.empty()) write_text(dataset.id(), values, escaped, what);
        } else {
          if (!values.empty())
            check(H5Dwrite(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), what);
        }
        if (!array.unit.empty()) write_attribute(dataset.id(), "units", array.unit);
        if (!array.title.empty()) write_attribute(dataset.id(), "long_name", array.title);
        describe_dataset(dataset.id(), name, array.axes(), role, escaped);
        const haddr_t offset = is_text || values.empty() ? 0 : H5Dget_offset(dataset.id());
        if (offset == HADDR_UNDEF) fail("{} failed inside HDF5", what);
        table.add(name, array, role, static_cast<int64_t>(offset));
        return dataset;
      },
      array.values());
}

namespace {

void write_axes(hid_t file, const Dataset& data, h5::LinkNames& names, h5::Scales& scales,
                h5::DatasetTable& table) {
  for (const auto& [axis, ticks] : data.coords()) {
    const std::string link = names.claim(axis);
    const h5::Handle dataset = h5::write_array(file, link, axis, ticks, h5::Role::ticks, table);
    scales.adopt(dataset.id(), axis, link);
  }
  for (const auto& [name, array] : data.arrays())
    for (const std::string& axis : array.axes())
      if (!scales.has(axis)) scales.add_bare(axis, names.claim(axis), array.extent(axis));
}

void write_and_publish(const std::filesystem::path& file, const Dataset& data,
                       PublishedFile::Existing existing) {
  PublishedFile published(file);
  h5::Draft draft;
  h5::DatasetTable table;
  {
    h5::LinkNames names;
    h5::Scales scales(draft.file());
    write_axes(draft.file(), data, names, scales, table);
    for (const auto& [name, array] : data.arrays()) {
      const std::string link = names.claim(name);
      const h5::Handle dataset = h5::write_array(draft.file(), link, name, array, h5::Role::values, table);
      scales.attach(dataset.id(), link, array.axes());
    }
    scales.finish();
    const h5::Handle root(H5Gopen2(draft.file(), "/", H5P_DEFAULT), H5Gclose, "opening a new file");
    h5::write_attribute(root.id(), "title", data.title);
    h5::write_attribute(root.id(), "notes", h5::print_notes(data.notes));
    h5::write_attribute(root.id(), "provenance", h5::print_provenance(data.provenance));
    h5::write_attribute(root.id(), "checks", h5::print_checks(data.checks));
    h5::write_attribute(root.id(), "events", h5::print_events(data.events));
  }
  draft.close();
  draft.copy_into(published);
  const std::string words = table.text(data);
  published.write(draft.bytes(), words.data(), static_cast<int64_t>(words.size()));
  write_seal(published, {draft.bytes() + static_cast<int64_t>(words.size()), draft.digest(words),
                         h5::print_summary(data.title, data.provenance, words.size())});
  published.publish(existing);
}

}  // namespace

void write_dataset(const std::filesystem::path& file, const Dataset& data) {
  write_and_publish(file, data, PublishedFile::Existing::replace);
}

void write_dataset_once(const std::filesystem::path& file, const Dataset& data) {
  write_and_publish(file, data, PublishedFile::Existing::keep);
}

}  // namespace varve
