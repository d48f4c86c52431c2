// Writes and reads the table that lets a Dataset file be read without HDF5.
#include "analysis/store/dataset_table.h"

#include <cstring>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "analysis/store/dataset_parts.h"

namespace varve::h5 {

using nlohmann::json;

namespace {

json entry_of(const std::string& name, const std::vector<std::string>& axes,
              const std::vector<int64_t>& shape, Dtype dtype) {
  return {{"name", name}, {"axes", axes}, {"shape", shape}, {"dtype", name_of(dtype)}, {"role", "values"}};
}

json texts_of(const Array& array, bool& escaped) {
  json texts = json::array();
  for (const std::string& value : array.as<std::string>()) escaped = escaped || needs_escapes(value);
  for (const std::string& value : array.as<std::string>()) texts.push_back(escaped ? escape(value) : value);
  return texts;
}

int64_t whole_number(const json& value, const std::string& what) {
  const bool fits =
      value.is_number_integer() && (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
  if (!fits || value.get<int64_t>() < 0) fail("{}: a size or place in its table is no whole number", what);
  return value.get<int64_t>();
}

struct Body {
  std::string_view values;  // the HDF5 part
  const std::string& what;
};

std::vector<int64_t> shape_of(const json& entry, const Body& body) {
  std::vector<int64_t> shape;
  for (const json& extent : entry.at("shape")) shape.push_back(whole_number(extent, body.what));
  return shape;
}

// The product of the extents; an Error where so many values of `each` bytes cannot lie in the file.
int64_t count_of(const std::vector<int64_t>& shape, int64_t each, const Body& body) {
  const auto most = static_cast<int64_t>(body.values.size()) / each;
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent > 0 && count > most / extent)
      fail("{}: an array claims more values than the file has", body.what);
    count *= extent;
  }
  return count;
}

template <class T>
Array::Values numbers(const json& entry, const std::vector<int64_t>& shape, const Body& body) {
  const int64_t count = count_of(shape, sizeof(T), body),
                offset = whole_number(entry.at("offset"), body.what);
  const auto size = static_cast<int64_t>(body.values.size()), bytes = count * static_cast<int64_t>(sizeof(T));
  if (offset > size || bytes > size - offset) fail("{}: an array lies outside the file", body.what);
  std::vector<T> values(static_cast<size_t>(count));
  const char* const from = body.values.data() + offset;
  if (count > 0) std::memcpy(values.data(), from, static_cast<size_t>(bytes));
  done_with({reinterpret_cast<const std::byte*>(from), static_cast<size_t>(bytes)});
  return values;
}

Array::Values texts(const json& entry, const Body& body) {
  auto values = entry.at("texts").get<std::vector<std::string>>();
  if (entry.value("escaped", false))
    for (std::string& value : values) value = unescape(value, body.what);
  return values;
}

Array array_of(const json& entry, const Body& body) {
  if (entry.value("nothing", false)) return {};
  const std::vector<int64_t> shape = shape_of(entry, body);
  const auto axes = entry.at("axes").get<std::vector<std::string>>();
  const auto dtype = entry.at("dtype").get<std::string>();
  Array::Values values;
  if (dtype == name_of(Dtype::text)) {
    values = texts(entry, body);
    if (count_of(shape, 1, body) != static_cast<int64_t>(entry.at("texts").size()))
      fail("{}: an array has more or fewer texts than its shape says", body.what);
  } else if (dtype == name_of(Dtype::f32)) {
    values = numbers<float>(entry, shape, body);
  } else if (dtype == name_of(Dtype::f64)) {
    values = numbers<double>(entry, shape, body);
  } else if (dtype == name_of(Dtype::i64)) {
    values = numbers<int64_t>(entry, shape, body);
  } else if (dtype == name_of(Dtype::u8)) {
    values = numbers<uint8_t>(entry, shape, body);
  } else {
    fail("{}: an array's type is '{}', which is none of f32, f64, i64, u8 and text", body.what, dtype);
  }
  Array array(axes, shape, std::move(values));
  array.unit = entry.value("unit", "");
  array.title = entry.value("title", "");
  return array;
}

}  // namespace

void DatasetTable::add(const std::string& name, const Array& array, Role role, int64_t offset) {
  json entry = entry_of(name, array.axes(), array.shape(), array.dtype());
  if (role == Role::ticks) entry["role"] = "ticks";
  if (!array.unit.empty()) entry["unit"] = array.unit;
  if (!array.title.empty()) entry["title"] = array.title;
  if (array.shape().empty() && array.size() == 0) {
    entry["nothing"] = true;
  } else if (array.dtype() == Dtype::text) {
    bool escaped = false;
    entry["texts"] = texts_of(array, escaped);
    if (escaped) entry["escaped"] = true;
  } else {
    entry["offset"] = offset;
  }
  arrays_.push_back(std::move(entry));
}

void DatasetTable::add_floats(const std::string& name, const std::vector<std::string>& axes,
                              const std::vector<int64_t>& shape, Dtype dtype, int64_t offset) {
  json entry = entry_of(name, axes, shape, dtype);
  entry["offset"] = offset;
  arrays_.push_back(std::move(entry));
}

std::string DatasetTable::text(const Dataset& words) const {
  const json table = {{"title", words.title},
                      {"notes", print_notes(words.notes)},
                      {"provenance", print_provenance(words.provenance)},
                      {"checks", print_checks(words.checks)},
                      {"events", print_events(words.events)},
                      {"arrays", arrays_}};
  return table.dump(-1, ' ', false, json::error_handler_t::replace);
}

Dataset read_table(std::string_view body, int64_t table_bytes, const std::string& what) {
  const auto size = static_cast<int64_t>(body.size());
  if (table_bytes <= 0 || table_bytes > size) fail("{}: its table has no place in it", what);
  const auto begin = static_cast<size_t>(size - table_bytes);
  try {
    const json table = json::parse(body.substr(begin));
    const Body values{body.substr(0, begin), what};
    Dataset data;
    for (const json& entry : table.at("arrays")) {
      Array array = array_of(entry, values);
      const auto name = entry.at("name").get<std::string>();
      if (entry.at("role") == "ticks")
        data.set_coord(name, std::move(array));
      else
        data.set(name, std::move(array));
    }
    const auto word = [&table](const char* name) { return table.at(name).get<std::string>(); };
    data.title = word("title");
    data.notes = read_notes(word("notes"), what);
    data.provenance = read_provenance(word("provenance"), what);
    data.checks = read_checks(word("checks"), what);
    data.events = read_events(word("events"), what);
    return data;
  } catch (const json::exception&) {
    fail("{}: its table cannot be read", what);
  }
}

}  // namespace varve::h5
