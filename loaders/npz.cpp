// Zip archives as NumPy reads and writes them: all members at once, and new ones stored (layout in
// zip_archive.cpp).
#include <zlib.h>

#include <limits>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "loaders/npy.h"
#include "loaders/zip_archive.h"

namespace varve {
namespace {

uint32_t checksum(std::string_view data) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

void put(std::string& out, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

// The fields that local header and directory entry share: version to extra length.
std::string common_fields(const std::string& name, std::string_view data) {
  std::string out;
  put(out, 20, 2);      // version needed: 2.0
  put(out, 0x0800, 2);  // names are UTF-8
  put(out, 0, 2);       // stored
  put(out, 0, 2);       // 00:00:00
  put(out, 0x21, 2);    // 1980-01-01, zip's first day: no clock in the bytes
  put(out, checksum(data), 4);
  put(out, static_cast<uint32_t>(data.size()), 4);
  put(out, static_cast<uint32_t>(data.size()), 4);
  put(out, static_cast<uint32_t>(name.size()), 2);
  put(out, 0, 2);
  return out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> read_zip(std::string_view bytes, const std::string& where) {
  const ZipArchive archive(bytes, where);
  std::vector<std::pair<std::string, std::string>> members;
  for (const ZipMember& member : archive.members()) members.emplace_back(member.name, archive.read(member));
  return members;
}

std::string zip_bytes(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out, directory;
  for (const auto& [name, data] : members) {
    if (out.size() + data.size() + directory.size() > std::numeric_limits<uint32_t>::max() / 2)
      fail("the archive would pass 2 GiB; export to netcdf instead");
    const std::string fields = common_fields(name, data);
    directory += "PK\1\2";
    put(directory, 20, 2);
    directory += fields;
    put(directory, 0, 2);  // comment
    put(directory, 0, 2);  // disk
    put(directory, 0, 2);  // attributes
    put(directory, 0, 4);
    put(directory, static_cast<uint32_t>(out.size()), 4);
    directory += name;
    out += "PK\3\4" + fields + name + data;
  }
  const auto place = static_cast<uint32_t>(out.size());
  out += directory + "PK\5\6";
  put(out, 0, 4);
  put(out, static_cast<uint32_t>(members.size()), 2);
  put(out, static_cast<uint32_t>(members.size()), 2);
  put(out, static_cast<uint32_t>(directory.size()), 4);
  put(out, place, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace varve
