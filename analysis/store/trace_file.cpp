// What `varve trace` writes: one dataset per site at the file's root, filled prompt by prompt.
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "analysis/store/dataset_parts.h"
#include "analysis/store/draft.h"
#include "analysis/store/run_store.h"

namespace varve {

namespace {

struct Site {
  std::vector<std::string> axes;
  std::vector<int64_t> shape;
  bool wide = false;    // f64: decided by the first write
  int64_t offset = -1;  // of its first byte in the file; -1: not laid out yet
  std::vector<bool> written;
  int64_t width() const { return wide ? 8 : 4; }
  // Values of one prompt.
  int64_t slab() const {
    return std::accumulate(shape.begin() + 1, shape.end(), int64_t{1}, std::multiplies<>());
  }
};

// Copies `values` of the smaller shape into the corner of a slab filled with NaN.
template <class To, class From>
std::vector<To> pad(const std::vector<int64_t>& shape, std::span<const From> values,
                    std::span<const int64_t> full) {
  int64_t total = 1;
  for (int64_t extent : full) total *= extent;
  std::vector<To> slab(static_cast<size_t>(total), std::numeric_limits<To>::quiet_NaN());
  if (values.empty()) return slab;
  if (shape.empty()) {
    slab[0] = static_cast<To>(values[0]);
    return slab;
  }
  const auto row = static_cast<size_t>(shape.back());
  std::vector<int64_t> index(shape.size(), 0);
  for (size_t from = 0; from < values.size(); from += row) {
    int64_t to = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) to = to * full[axis] + index[axis];
    for (size_t column = 0; column < row; ++column)
      slab[static_cast<size_t>(to) + column] = static_cast<To>(values[from + column]);
    for (size_t axis = shape.size() - 1; axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return slab;
}

}  // namespace

struct TraceFile::Inner {
  explicit Inner(const std::filesystem::path& file)
      : published(file), path(file.string()), scales(draft.file()) {}

  PublishedFile published;
  std::string path;
  h5::Draft draft;
  h5::LinkNames names;
  h5::Scales scales;
  std::map<std::string, Site> sites;
  std::map<std::string, Array> arrays;
  std::map<std::string, int64_t> extents;
  std::map<std::string, std::string> attributes;
  h5::DatasetTable table;

  // An axis name that means another length at one site gets a name of its own there: netCDF axes are shared.
  std::vector<std::string> share_axes(std::vector<std::string> axes, const std::vector<int64_t>& shape) {
    for (size_t place = 0; place < axes.size(); ++place) {
      const std::string wanted = axes[place];
      const auto fits = [&](const std::string& name) {
        const bool again = std::find(axes.begin(), axes.begin() + static_cast<std::ptrdiff_t>(place), name) !=
                           axes.begin() + static_cast<std::ptrdiff_t>(place);
        return !again && extents.try_emplace(name, shape[place]).first->second == shape[place];
      };
      for (int next = 2; !fits(axes[place]); ++next) axes[place] = fmt::format("{}_{}", wanted, next);
    }
    return axes;
  }

  void tie(hid_t dataset, const std::string& link, const std::vector<std::string>& axes) {
    for (const std::string& axis : axes)
      if (!scales.has(axis)) scales.add_bare(axis, names.claim(axis), extents.at(axis));
    scales.attach(dataset, link, axes);
  }

  void lay_out(const std::string& name, Site& site) {
    const std::string what = fmt::format("{}: making a place for {}", path, name);
    const std::string link = names.claim(name);
    const h5::Handle properties = h5::plain_dataset_properties();
    const h5::Handle space = h5::simple_space(site.shape);
    const h5::Handle dataset(
        H5Dcreate2(draft.file(), link.c_str(), site.wide ? H5T_IEEE_F64LE : H5T_IEEE_F32LE, space.id(),
                   H5P_DEFAULT, properties.id(), H5P_DEFAULT),
        H5Dclose, what);
    h5::describe_dataset(dataset.id(), name, site.axes, h5::Role::values, false);
    tie(dataset.id(), link, site.axes);
    site.offset = draft.reserve(dataset.id());
    table.add_floats(name, site.axes, site.shape, site.wide ? Dtype::f64 : Dtype::f32, site.offset);
  }

  template <class To>
  void write_slab(const Site& site, int64_t prompt, std::span<const To> slab) {
    const int64_t bytes = site.slab() * site.width();
    published.write(site.offset + prompt * bytes, slab.data(), bytes);
  }

  template <class From>
  void write(const std::string& name, int64_t prompt, const std::vector<int64_t>& shape,
             std::span<const From> values) {
    const auto found = sites.find(name);
    if (found == sites.end()) fail("{}: the site '{}' was never declared", path, name);
    Site& site = found->second;
    const std::span<const int64_t> full(site.shape.begin() + 1, site.shape.end());
    bool fits = prompt >= 0 && prompt < site.shape[0] && shape.size() == full.size();
    int64_t count = 1;
    for (size_t axis = 0; fits && axis < full.size(); ++axis) {
      fits = shape[axis] >= 0 && shape[axis] <= full[axis];
      count *= shape[axis];
    }
    if (!fits || count != static_cast<int64_t>(values.size()))
      fail("{}: prompt {} does not fit the site '{}' as it was declared", path, prompt, name);
    if (site.offset < 0) {
      site.wide = sizeof(From) == 8;
      lay_out(name, site);
    }
    // A prompt that fills its slab is written from where it lies: slabs can be the largest thing there is.
    if (site.wide == (sizeof(From) == 8) && std::equal(full.begin(), full.end(), shape.begin()))
      write_slab(site, prompt, values);
    else if (site.wide)
      write_slab<double>(site, prompt, pad<double>(shape, values, full));
    else
      write_slab<float>(site, prompt, pad<float>(shape, values, full));
    site.written[static_cast<size_t>(prompt)] = true;
  }

  void fill_gaps() {
    for (auto& [name, site] : sites) {
      if (site.offset < 0) lay_out(name, site);
      const std::vector<int64_t> nothing(site.shape.size() - 1, 0);
      for (int64_t prompt = 0; prompt < site.shape[0]; ++prompt) {
        if (site.written[static_cast<size_t>(prompt)]) continue;
        const std::span<const int64_t> full(site.shape.begin() + 1, site.shape.end());
        if (site.wide)
          write_slab<double>(site, prompt, pad<double>(nothing, std::span<const double>{}, full));
        else
          write_slab<float>(site, prompt, pad<float>(nothing, std::span<const float>{}, full));
      }
    }
  }

  void add_arrays() {
    for (const auto& [name, array] : arrays) {
      const std::string link = names.claim(name);
      Array shared(share_axes(array.axes(), array.shape()), array.shape(), array.values());
      shared.unit = array.unit;
      shared.title = array.title;
      const h5::Handle dataset = h5::write_array(draft.file(), link, name, shared, h5::Role::values, table);
      tie(dataset.id(), link, shared.axes());
    }
  }
};

TraceFile::TraceFile(const std::filesystem::path& file) : inner_(std::make_unique<Inner>(file)) {}
TraceFile::~TraceFile() = default;

void TraceFile::declare(const std::string& site, const std::vector<std::string>& axes,
                        const std::vector<int64_t>& shape) {
  bool good = !axes.empty() && axes.size() == shape.size() && axes[0] == "prompt";
  for (int64_t extent : shape) good = good && extent >= 0;
  if (!good) fail("{}: the site '{}' must have 'prompt' as its first axis", inner_->path, site);
  if (inner_->sites.contains(site) || inner_->arrays.contains(site))
    fail("{}: the site '{}' was declared twice", inner_->path, site);
  Site& made = inner_->sites[site];
  made.axes = inner_->share_axes(axes, shape);
  made.shape = shape;
  made.written.assign(static_cast<size_t>(shape[0]), false);
}

void TraceFile::write(const std::string& site, int64_t prompt, const std::vector<int64_t>& shape,
                      std::span<const float> values) {
  inner_->write(site, prompt, shape, values);
}

void TraceFile::write(const std::string& site, int64_t prompt, const std::vector<int64_t>& shape,
                      std::span<const double> values) {
  inner_->write(site, prompt, shape, values);
}

void TraceFile::add(const std::string& name, const Array& array) {
  if (inner_->sites.contains(name) || !inner_->arrays.emplace(name, array).second)
    fail("{}: '{}' was added twice", inner_->path, name);
}

void TraceFile::attribute(const std::string& name, const std::string& value) {
  inner_->attributes[name] = value;
}

void TraceFile::publish() {
  Inner& inner = *inner_;
  inner.fill_gaps();
  inner.add_arrays();
  inner.scales.finish();
  {
    const h5::Handle root(H5Gopen2(inner.draft.file(), "/", H5P_DEFAULT), H5Gclose, inner.path);
    for (const auto& [name, value] : inner.attributes) h5::write_attribute(root.id(), name, value);
  }
  inner.draft.close();
  inner.draft.copy_into(inner.published);
  Dataset words;
  const auto title = inner.attributes.find("title");
  if (title != inner.attributes.end()) words.title = title->second;
  words.provenance = inner.attributes;
  const std::string table = inner.table.text(words);
  inner.published.write(inner.draft.bytes(), table.data(), static_cast<int64_t>(table.size()));
  const int64_t bytes = inner.draft.bytes() + static_cast<int64_t>(table.size());
  std::string digest;
  {
    const MappedFile whole(inner.published.temporary());
    digest = digest_around(whole.bytes().data(), bytes, {});
  }
  write_seal(inner.published,
             {bytes, digest, h5::print_summary(words.title, inner.attributes, table.size())});
  inner.published.publish();
}

}  // namespace varve
