// What writing and reading of Datasets share: names as links, text that HDF5 cannot hold as it is, and the
// attributes that carry notes, provenance, checks and events.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "analysis/core/dataset.h"
#include "analysis/store/dataset_table.h"
#include "analysis/store/hdf5.h"
#include "analysis/store/scales.h"
#include "analysis/store/seal.h"

namespace varve::h5 {

// Link names of one file: an array may be called as an axis is, or hold a slash; its true name is kept
// beside.
class LinkNames {
 public:
  std::string claim(const std::string& name);

 private:
  std::set<std::string> taken_;
};

// Creates and fills one dataset, axes not yet attached, and enters it in the table.
Handle write_array(hid_t file, const std::string& link, const std::string& name, const Array& array,
                   Role role, DatasetTable& table);
// Attribute `varve`: what netCDF has no place for.
void describe_dataset(hid_t dataset, const std::string& name, const std::vector<std::string>& axes, Role role,
                      bool escaped);

// Text with bytes that are no UTF-8, or a zero byte, is kept with backslashes and marked as escaped.
bool needs_escapes(const std::string& text);
std::string escape(const std::string& text);
std::string unescape(const std::string& text, const std::string& what);

// JSON texts of the root attributes, and back. `what` names the file in errors.
std::string print_notes(const std::vector<std::string>& notes);
std::string print_provenance(const std::map<std::string, std::string>& provenance);
std::string print_checks(const std::vector<Check>& checks);
std::string print_events(const std::vector<Event>& events);
std::vector<std::string> read_notes(const std::string& text, const std::string& what);
std::map<std::string, std::string> read_provenance(const std::string& text, const std::string& what);
std::vector<Check> read_checks(const std::string& text, const std::string& what);
std::vector<Event> read_events(const std::string& text, const std::string& what);

// The seal's note of a Dataset file: its title and provenance, so that a list of results reads no more, and
// how long the table is that ends the body.
std::string print_summary(const std::string& title, const std::map<std::string, std::string>& provenance,
                          size_t table_bytes);
struct Summary {
  int64_t table_bytes = 0;  // 0: written before there were tables
  std::string title;
  std::map<std::string, std::string> provenance;
};
Summary read_summary(const std::string& note, const std::string& what);

}  // namespace varve::h5

namespace varve {

// As read_dataset, but the Error does not yet say what to try: that depends on whose file it is.
Dataset read_sealed_dataset(const std::filesystem::path& file);
// As write_dataset, but a file already there stays: of two makers at once the first wins.
void write_dataset_once(const std::filesystem::path& file, const Dataset& data);

}  // namespace varve
