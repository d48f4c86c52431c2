// Zip archives as NumPy writes and reads them: stored or deflated members, found through the central
// directory.
//   1. per member: "PK\3\4", 26 bytes, name, extra, data
//   2. per member in the directory: "PK\1\2", method at 10, crc at 16, sizes at 20 and 24, name 28, extra 30,
//      comment 32, place of 1. at 42, name at 46
//   3. at the end: "PK\5\6", member count at 10, directory place at 16, comment length at 20
#include <zlib.h>

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "loaders/npy.h"

namespace varve {
namespace {

constexpr size_t end_size = 22, entry_size = 46, local_size = 30;
// Deflate cannot pack tighter than about 1032 to 1: a larger promise is a bomb or damage.
constexpr uint64_t largest_ratio = 1040;

uint32_t u16(std::string_view bytes, size_t at) {
  return static_cast<unsigned char>(bytes[at]) |
         static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + 1])) << 8;
}
uint32_t u32(std::string_view bytes, size_t at) { return u16(bytes, at) | u16(bytes, at + 2) << 16; }

size_t find_end(std::string_view bytes, const std::string& where) {
  constexpr size_t longest_comment = 65535;
  if (bytes.size() >= end_size)
    for (size_t back = end_size; back <= std::min(bytes.size(), end_size + longest_comment); ++back)
      if (bytes.substr(bytes.size() - back, 4) == "PK\5\6") return bytes.size() - back;
  fail("{}: not a zip archive, or cut short", where);
}

std::string inflated(std::string_view packed, uint32_t size, const std::string& where) {
  if (size > packed.size() * largest_ratio + 64)
    fail("{}: a packed member promises {} bytes out of {}; is the file damaged?", where, size, packed.size());
  std::string out(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail("{}: zlib refused to start", where);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = size;
  const int ended = inflate(&stream, Z_FINISH);
  const bool whole = ended == Z_STREAM_END && stream.total_out == size;
  inflateEnd(&stream);
  if (!whole) fail("{}: a packed member does not unpack to its {} bytes; is the file damaged?", where, size);
  return out;
}

uint32_t checksum(std::string_view data) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

std::string member_data(std::string_view bytes, size_t entry, const std::string& where) {
  const uint32_t method = u16(bytes, entry + 10), packed = u32(bytes, entry + 20),
                 size = u32(bytes, entry + 24);
  const size_t local = u32(bytes, entry + 42);
  if (packed == UINT32_MAX || size == UINT32_MAX || local == UINT32_MAX)
    fail("{}: archives of 4 GiB and more are not read; save the array as .npy", where);
  if (local + local_size > bytes.size() || bytes.substr(local, 4) != "PK\3\4")
    fail("{}: a member's place in the archive is wrong; is the file damaged?", where);
  const size_t data = local + local_size + u16(bytes, local + 26) + u16(bytes, local + 28);
  if (data > bytes.size() || packed > bytes.size() - data)
    fail("{}: a member runs past the end of the archive; is the file cut short?", where);
  const std::string_view raw = bytes.substr(data, packed);
  if (method != 0 && method != 8)
    fail("{}: a member is packed by method {}; stored and deflate are read", where, method);
  if (method == 0 && packed != size) fail("{}: a stored member has two sizes; is the file damaged?", where);
  std::string content = method == 0 ? std::string(raw) : inflated(raw, size, where);
  if (checksum(content) != u32(bytes, entry + 16))
    fail("{}: a member's checksum is wrong; is the file damaged?", where);
  return content;
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
  const size_t end = find_end(bytes, where);
  const uint32_t count = u16(bytes, end + 10);
  size_t entry = u32(bytes, end + 16);
  std::vector<std::pair<std::string, std::string>> members;
  for (uint32_t i = 0; i < count; ++i) {
    if (entry + entry_size > end || bytes.substr(entry, 4) != "PK\1\2")
      fail("{}: the archive's directory is damaged at member {}", where, i);
    const size_t name_size = u16(bytes, entry + 28);
    if (entry + entry_size + name_size > end) fail("{}: the archive's directory is cut short", where);
    members.emplace_back(bytes.substr(entry + entry_size, name_size), member_data(bytes, entry, where));
    entry += entry_size + name_size + u16(bytes, entry + 30) + u16(bytes, entry + 32);
  }
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
