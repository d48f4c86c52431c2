// Reads a Dataset back. The seal vouches for the bytes, and still no size in the file is trusted.
#include <limits>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>

#include "analysis/core/dataset.h"
#include "analysis/store/dataset_parts.h"
#include "analysis/store/run_store.h"

namespace varve {

namespace {

using nlohmann::json;

struct Source {
  std::string path;
  int64_t bytes = 0;  // of the HDF5 part: nothing in it can be larger
};

struct About {
  std::string name;
  std::vector<std::string> axes;
  bool ticks = false, escaped = false;
};

// nullopt: an axis without ticks, which holds no numbers.
std::optional<About> read_about(hid_t dataset, const std::string& what) {
  const std::string text = h5::read_attribute(dataset, "varve", what);
  if (text.empty()) {
    if (H5Aexists(dataset, "CLASS") > 0) return std::nullopt;
    fail("{}: it lacks the attribute that names its axes", what);
  }
  try {
    const json about = json::parse(text);
    return About{about.at("name").get<std::string>(), about.at("axes").get<std::vector<std::string>>(),
                 about.at("role") == "ticks", about.value("escaped", false)};
  } catch (const json::exception&) {
    fail("{}: its description cannot be read", what);
  }
}

// Contiguous or compact, in this file, unfiltered: what the writer makes. External storage would let a file
// point at any other file of the machine.
void require_plain_storage(hid_t dataset, const std::string& what) {
  const h5::Handle properties(H5Dget_create_plist(dataset), H5Pclose, what);
  const H5D_layout_t layout = H5Pget_layout(properties.id());
  const bool plain = (layout == H5D_CONTIGUOUS || layout == H5D_COMPACT) &&
                     H5Pget_external_count(properties.id()) == 0 && H5Pget_nfilters(properties.id()) == 0;
  if (!plain) fail("{}: its storage is chunked, filtered or elsewhere; varve writes it plain", what);
}

std::vector<int64_t> shape_of(hid_t space, const std::string& what) {
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > H5S_MAX_RANK) fail("{}: it has no shape", what);
  std::vector<hsize_t> extents(static_cast<size_t>(rank));
  if (rank > 0 && H5Sget_simple_extent_dims(space, extents.data(), nullptr) < 0)
    fail("{}: it has no shape", what);
  std::vector<int64_t> shape;
  for (hsize_t extent : extents) {
    if (extent > static_cast<hsize_t>(std::numeric_limits<int64_t>::max()))
      fail("{}: an axis is too long", what);
    shape.push_back(static_cast<int64_t>(extent));
  }
  return shape;
}

// How many values there are; an Error where the file is too small to hold them.
int64_t count_values(hid_t dataset, const std::vector<int64_t>& shape, int64_t each, const Source& source,
                     const std::string& what) {
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent > 0 && count > source.bytes / extent)
      fail("{}: it claims more values than the file has bytes", what);
    count *= extent;
  }
  const hsize_t stored = H5Dget_storage_size(dataset);
  if (count > source.bytes / each || stored != static_cast<hsize_t>(count * each))
    fail("{}: its {} values need {} bytes, the file holds {}", what, count, count * each, stored);
  return count;
}

template <class T>
Array::Values read_numbers(hid_t dataset, hid_t type, int64_t count, const std::string& what) {
  std::vector<T> values(static_cast<size_t>(count));
  if (count > 0) h5::check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), what);
  return values;
}

// Memory for the texts of one array, no more of it than the file is long: each text lies in the file once,
// and a file that says otherwise points many times at one large text. HDF5's own count of the bytes takes
// time that grows with the square of how many texts there are.
class TextMemory {
 public:
  TextMemory(size_t texts, int64_t bytes) : left_(static_cast<size_t>(bytes)) { blocks_.reserve(texts); }
  static void* take(size_t bytes, void* memory) {
    auto& own = *static_cast<TextMemory*>(memory);
    own.spent_ = own.spent_ || bytes > own.left_ || own.blocks_.size() == own.blocks_.capacity();
    if (own.spent_) return nullptr;
    own.left_ -= bytes;
    own.blocks_.emplace_back(new (std::nothrow) char[bytes]);
    return own.blocks_.back().get();
  }
  static void give_back(void*, void*) {}  // all of it goes with this object
  bool spent() const { return spent_; }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t left_;
  bool spent_ = false;
};

Array::Values read_texts(hid_t dataset, int64_t count, const About& about, const Source& source,
                         const std::string& what) {
  std::vector<std::string> values(static_cast<size_t>(count));
  if (count == 0) return values;
  const h5::Handle type = h5::text_type();
  TextMemory memory(values.size(), source.bytes);
  const h5::Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose, what);
  h5::check(H5Pset_vlen_mem_manager(transfer.id(), TextMemory::take, &memory, TextMemory::give_back, &memory),
            what);
  std::vector<char*> words(values.size(), nullptr);
  const herr_t ended = H5Dread(dataset, type.id(), H5S_ALL, H5S_ALL, transfer.id(), words.data());
  if (memory.spent()) fail("{}: its texts are longer than the file", what);
  h5::check(ended, what);
  for (size_t place = 0; place < words.size(); ++place)
    if (words[place]) values[place] = words[place];
  if (about.escaped)
    for (std::string& value : values) value = h5::unescape(value, what);
  return values;
}

Array read_array(hid_t dataset, const About& about, const Source& source, const std::string& what) {
  const h5::Handle space(H5Dget_space(dataset), H5Sclose, what);
  if (H5Sget_simple_extent_type(space.id()) == H5S_NULL) return {};
  require_plain_storage(dataset, what);
  const h5::Handle type(H5Dget_type(dataset), H5Tclose, what);
  const std::vector<int64_t> shape = shape_of(space.id(), what);
  const auto each = static_cast<int64_t>(H5Tget_size(type.id()));
  if (each <= 0) fail("{}: its element type has no size", what);
  if (H5Tis_variable_str(type.id()) > 0) {
    // 16 bytes on disk: length, heap address, place in the heap.
    const int64_t count = count_values(dataset, shape, 16, source, what);
    return {about.axes, shape, read_texts(dataset, count, about, source, what)};
  }
  const int64_t count = count_values(dataset, shape, each, source, what);
  if (H5Tequal(type.id(), H5T_IEEE_F32LE) > 0)
    return {about.axes, shape, read_numbers<float>(dataset, H5T_IEEE_F32LE, count, what)};
  if (H5Tequal(type.id(), H5T_IEEE_F64LE) > 0)
    return {about.axes, shape, read_numbers<double>(dataset, H5T_IEEE_F64LE, count, what)};
  if (H5Tequal(type.id(), H5T_STD_I64LE) > 0)
    return {about.axes, shape, read_numbers<int64_t>(dataset, H5T_STD_I64LE, count, what)};
  if (H5Tequal(type.id(), H5T_STD_U8LE) > 0)
    return {about.axes, shape, read_numbers<uint8_t>(dataset, H5T_STD_U8LE, count, what)};
  fail("{}: its element type is none of f32, f64, i64, u8 and text", what);
}

std::vector<std::string> root_links(hid_t file, const std::string& path) {
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t* info, void* into) -> herr_t {
    if (info->type != H5L_TYPE_HARD) return -1;
    static_cast<std::vector<std::string>*>(into)->push_back(name);
    return 0;
  };
  if (H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names) < 0)
    fail("{}: its table of contents cannot be read or points into other files", path);
  return names;
}

Dataset read_body(const Source& source) {
  h5::quiet();
  const h5::Handle file(H5Fopen(source.path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose,
                        source.path + ": opening it");
  const h5::Handle root(H5Gopen2(file.id(), "/", H5P_DEFAULT), H5Gclose, source.path + ": opening it");
  Dataset data;
  for (const std::string& link : root_links(root.id(), source.path)) {
    const std::string what = fmt::format("{}: reading '{}'", source.path, link);
    const h5::Handle object(H5Oopen(root.id(), link.c_str(), H5P_DEFAULT), H5Oclose, what);
    if (H5Iget_type(object.id()) != H5I_DATASET) fail("{}: it is a group; varve writes none", what);
    const std::optional<About> about = read_about(object.id(), what);
    if (!about) continue;
    Array array = read_array(object.id(), *about, source, what);
    array.unit = h5::read_attribute(object.id(), "units", what);
    array.title = h5::read_attribute(object.id(), "long_name", what);
    if (about->ticks)
      data.set_coord(about->name, std::move(array));
    else
      data.set(about->name, std::move(array));
  }
  const auto root_text = [&](const char* name) { return h5::read_attribute(root.id(), name, source.path); };
  data.title = root_text("title");
  data.notes = h5::read_notes(root_text("notes"), source.path);
  data.provenance = h5::read_provenance(root_text("provenance"), source.path);
  data.checks = h5::read_checks(root_text("checks"), source.path);
  data.events = h5::read_events(root_text("events"), source.path);
  return data;
}

}  // namespace

Dataset read_sealed_dataset(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) fail("{}: there is no such file", file.string());
  const Seal seal = read_seal(file);
  check_body(file, seal, {});
  return read_body({file.string(), seal.body_bytes});
}

Dataset read_dataset(const std::filesystem::path& file) {
  try {
    return read_sealed_dataset(file);
  } catch (const Error& error) {
    if (!std::filesystem::exists(file)) throw;
    throw Error(error.blame(),
                fmt::format("{}. Delete it and run again; nothing else depends on it.", error.what()));
  }
}

}  // namespace varve
