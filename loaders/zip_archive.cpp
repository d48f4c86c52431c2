// Zip archives looked into where they lie. Byte layout (all numbers little endian):
//   1. per member: "PK\3\4", flags at 6, method at 8, crc at 14, sizes at 18 and 22, name length 26, extra
//      length 28, then name, extra, data
//   2. per member in the directory: "PK\1\2", flags at 8, method at 10, crc at 16, sizes at 20 and 24, name
//      length 28, extra length 30, comment length 32, place of 1. at 42, name at 46; a field full of ones
//      stands in extra block 1 as 8 bytes (zip64): size, packed size, place
//   3. zip64 only: "PK\6\6", count at 32, directory size at 40, its place at 48; then "PK\6\7", place of the
//      former at 8
//   4. at the end: "PK\5\6", disks at 4 and 6, counts at 8 and 10, directory size at 12, its place at 16,
//      comment length at 20
#include "loaders/zip_archive.h"

#include <zlib.h>

#include <algorithm>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

constexpr size_t local_size = 30, entry_size = 46, end_size = 22, locator_size = 20, wide_end_size = 56;
constexpr uint32_t full16 = 0xFFFF, full32 = 0xFFFFFFFF;
// Deflate cannot pack tighter than about 1032 to 1: a larger promise is a bomb or damage.
constexpr uint64_t largest_ratio = 1040;
// All packed members together: what is left of the ratio once a whole archive of arrays uses it.
constexpr uint64_t unpacked_floor = 256'000'000, unpacked_ratio = 64;

uint64_t number(std::string_view bytes, uint64_t at, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; ++i)
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[at + static_cast<uint64_t>(i)]))
             << (8 * i);
  return value;
}
uint32_t u16(std::string_view bytes, uint64_t at) { return static_cast<uint32_t>(number(bytes, at, 2)); }
uint32_t u32(std::string_view bytes, uint64_t at) { return static_cast<uint32_t>(number(bytes, at, 4)); }

uint32_t checksum_of(std::string_view data) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

// Where the directory lies and how many members it lists.
struct Directory {
  uint64_t count = 0, size = 0, begin = 0;
  uint64_t end = 0;  // where the records that close the archive begin
};

uint64_t find_end(std::string_view bytes, const std::string& where) {
  constexpr size_t longest_comment = 65535;
  if (bytes.size() >= end_size)
    for (size_t back = end_size; back <= std::min(bytes.size(), end_size + longest_comment); ++back) {
      const size_t at = bytes.size() - back;
      // The comment must reach to the last byte: nothing may follow an archive.
      if (bytes.substr(at, 4) == "PK\5\6" && u16(bytes, at + 20) == back - end_size) return at;
    }
  fail("{}: not a zip archive, or cut short", where);
}

Directory find_directory(std::string_view bytes, const std::string& where) {
  const uint64_t end = find_end(bytes, where);
  if (u16(bytes, end + 4) != 0 || u16(bytes, end + 6) != 0 || u16(bytes, end + 8) != u16(bytes, end + 10))
    fail("{}: one of several volumes of a zip archive; only whole archives are read", where);
  Directory found{u16(bytes, end + 10), u32(bytes, end + 12), u32(bytes, end + 16), end};
  const bool wide = end >= locator_size && bytes.substr(end - locator_size, 4) == "PK\6\7";
  if (wide) {
    const uint64_t record = number(bytes, end - locator_size + 8, 8);
    if (end < locator_size + wide_end_size || record > end - locator_size - wide_end_size ||
        bytes.substr(record, 4) != "PK\6\6")
      fail("{}: the archive's zip64 end record is not where it is said to be; is the file damaged?", where);
    const Directory large{number(bytes, record + 32, 8), number(bytes, record + 40, 8),
                          number(bytes, record + 48, 8), record};
    const bool agree = (found.count == full16 || found.count == large.count) &&
                       (found.size == full32 || found.size == large.size) &&
                       (found.begin == full32 || found.begin == large.begin);
    if (!agree) fail("{}: the archive's two end records disagree; is the file damaged?", where);
    found = large;
  }
  if (found.begin > found.end || found.size != found.end - found.begin ||
      found.count > found.size / entry_size)
    fail("{}: the archive's directory does not lie where its end says; is the file cut short?", where);
  return found;
}

// The 8-byte fields of extra block 1 for those of size, packed and place that are full.
void read_wide_fields(std::string_view extra, ZipMember& member, uint64_t& place, const std::string& where) {
  uint64_t* const fields[] = {&member.size, &member.packed, &place};
  if (std::none_of(std::begin(fields), std::end(fields), [](uint64_t* field) { return *field == full32; }))
    return;
  for (size_t at = 0; at + 4 <= extra.size();) {
    const size_t length = u16(extra, at + 2);
    if (length > extra.size() - at - 4) break;
    if (u16(extra, at) == 1) {
      std::string_view block = extra.substr(at + 4, length);
      for (uint64_t* const field : fields) {
        if (*field != full32) continue;
        if (block.size() < 8) fail("{}: member '{}' lacks its zip64 sizes", where, member.name);
        *field = number(block, 0, 8);
        block.remove_prefix(8);
      }
      return;
    }
    at += 4 + length;
  }
  fail("{}: member '{}' lacks its zip64 sizes; is the file damaged?", where, member.name);
}

void refuse_flags(uint32_t flags, uint32_t method, const ZipMember& member, const std::string& where) {
  constexpr uint32_t encrypted = 0x1 | 0x40, patched = 0x20;
  if (flags & encrypted)
    fail("{}: member '{}' is encrypted; unpack it with its password and pack it again without", where,
         member.name);
  if (flags & patched) fail("{}: member '{}' is a patch, not data", where, member.name);
  if (method != 0 && method != 8)
    fail("{}: member '{}' is packed by method {}; stored and deflate are read", where, member.name, method);
}

// The member's own header must tell the same story as the directory.
uint64_t data_begin(std::string_view bytes, const ZipMember& member, uint64_t place, uint32_t flags,
                    const Directory& directory, const std::string& where) {
  if (place > directory.begin || directory.begin - place < local_size || bytes.substr(place, 4) != "PK\3\4")
    fail("{}: member '{}' does not lie where the archive's directory says; is the file damaged?", where,
         member.name);
  const uint64_t name_size = u16(bytes, place + 26);
  const uint64_t begin = place + local_size + name_size + u16(bytes, place + 28);
  if (begin > directory.begin || member.packed > directory.begin - begin)
    fail("{}: member '{}' runs past the end of the archive; is the file cut short?", where, member.name);
  constexpr uint32_t sizes_follow = 0x8;
  const uint32_t own_flags = u16(bytes, place + 6), own_packed = u32(bytes, place + 18),
                 own_size = u32(bytes, place + 22);
  const bool sizes_agree = (own_packed == full32 || own_packed == member.packed) &&
                           (own_size == full32 || own_size == member.size) &&
                           u32(bytes, place + 14) == member.checksum;
  if (bytes.substr(place + local_size, name_size) != member.name ||
      (u16(bytes, place + 8) != 0) != !member.stored || (own_flags & 0x61) != (flags & 0x61) ||
      ((own_flags & sizes_follow) == 0 && !sizes_agree))
    fail("{}: member '{}' is described in two ways by the archive; is the file damaged?", where, member.name);
  return begin;
}

void refuse_overlaps(std::vector<std::pair<uint64_t, const ZipMember*>> places, const std::string& where) {
  std::sort(places.begin(), places.end());
  for (size_t i = 1; i < places.size(); ++i) {
    const ZipMember& before = *places[i - 1].second;
    if (before.begin + before.packed > places[i].first)
      fail("{}: members '{}' and '{}' overlap; no honest archive does that", where, before.name,
           places[i].second->name);
  }
}

void refuse_bombs(const std::vector<ZipMember>& members, size_t archive, const std::string& where) {
  uint64_t unpacked = 0;
  for (const ZipMember& member : members) {
    if (member.stored) continue;
    if (member.size > member.packed * largest_ratio + 64)
      fail("{}: member '{}' promises {} bytes out of {}; is the file damaged?", where, member.name,
           member.size, member.packed);
    unpacked += member.size;
  }
  if (unpacked > unpacked_floor && unpacked / unpacked_ratio > archive)
    fail("{}: its members unpack to {} bytes, {} times the file; refused. Save it unpacked", where, unpacked,
         unpacked / std::max<size_t>(1, archive));
}

std::string inflated(std::string_view packed, const ZipMember& member, const std::string& where) {
  std::string out(member.size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail("{}: zlib refused to start", where);
  // zlib counts in 32 bits, so large members go in pieces.
  uint64_t in = 0, done = 0;
  int ended = Z_OK;
  while (ended == Z_OK || ended == Z_BUF_ERROR) {
    const auto give = static_cast<uInt>(std::min<uint64_t>(packed.size() - in, 1U << 30));
    const auto room = static_cast<uInt>(std::min<uint64_t>(out.size() - done, 1U << 30));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + in));
    stream.avail_in = give;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    stream.avail_out = room;
    ended = inflate(&stream, Z_NO_FLUSH);
    const uInt taken = give - stream.avail_in, made = room - stream.avail_out;
    in += taken;
    done += made;
    if (taken == 0 && made == 0) break;
  }
  inflateEnd(&stream);
  if (ended != Z_STREAM_END || done != out.size() || in != packed.size())
    fail("{}: member '{}' does not unpack to its {} bytes; is the file damaged?", where, member.name,
         member.size);
  return out;
}

}  // namespace

ZipArchive::ZipArchive(std::string_view bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {
  const Directory directory = find_directory(bytes, where_);
  std::vector<uint64_t> places;
  uint64_t at = directory.begin;
  for (uint64_t i = 0; i < directory.count; ++i) {
    if (directory.end - at < entry_size || bytes.substr(at, 4) != "PK\1\2")
      fail("{}: the archive's directory is damaged at member {}", where_, i);
    const uint64_t name_size = u16(bytes, at + 28), extra_size = u16(bytes, at + 30),
                   whole = entry_size + name_size + extra_size + u16(bytes, at + 32);
    if (directory.end - at < whole) fail("{}: the archive's directory is cut short at member {}", where_, i);
    ZipMember member;
    const std::string_view name = bytes.substr(at + entry_size, name_size);
    if (!is_utf8(name) || name.find('\0') != std::string_view::npos)
      fail("{}: the name of member {} is not UTF-8", where_, i);
    if (!places_.emplace(name, members_.size()).second)
      fail("{}: two members are named '{}'; no honest archive does that", where_, name);
    member.name = name;
    const uint32_t flags = u16(bytes, at + 8), method = u16(bytes, at + 10);
    refuse_flags(flags, method, member, where_);
    member.stored = method == 0;
    member.checksum = u32(bytes, at + 16);
    member.packed = u32(bytes, at + 20);
    member.size = u32(bytes, at + 24);
    uint64_t place = u32(bytes, at + 42);
    read_wide_fields(bytes.substr(at + entry_size + name_size, extra_size), member, place, where_);
    if (member.stored && member.packed != member.size)
      fail("{}: the stored member '{}' has two sizes, {} and {}; is the file damaged?", where_, member.name,
           member.packed, member.size);
    member.begin = data_begin(bytes, member, place, flags, directory, where_);
    places.push_back(place);
    members_.push_back(std::move(member));
    at += whole;
  }
  if (at != directory.end) fail("{}: the archive's directory lists more than it counts", where_);
  std::vector<std::pair<uint64_t, const ZipMember*>> order;
  for (size_t i = 0; i < members_.size(); ++i) order.emplace_back(places[i], &members_[i]);
  refuse_overlaps(std::move(order), where_);
  refuse_bombs(members_, bytes.size(), where_);
}

const ZipMember* ZipArchive::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &members_[found->second];
}

std::string_view ZipArchive::stored(const ZipMember& member) const {
  if (!member.stored) fail("{}: member '{}' is packed, so its bytes do not lie there", where_, member.name);
  return bytes_.substr(member.begin, member.size);
}

void ZipArchive::check(const ZipMember& member) const {
  if (checksum_of(stored(member)) != member.checksum)
    fail("{}: the checksum of member '{}' is wrong; the file is damaged. Download or copy it again", where_,
         member.name);
}

void ZipArchive::check_stored(const std::function<void(int64_t bytes)>& passed) const {
  for (const ZipMember& member : members_) {
    // torch can be told to compute no checksums and then writes zeros.
    if (!member.stored || member.checksum == 0) continue;
    check(member);
    passed(static_cast<int64_t>(member.size));
  }
}

std::string ZipArchive::read(const ZipMember& member) const {
  if (member.stored) {
    check(member);
    return std::string(stored(member));
  }
  std::string content = inflated(bytes_.substr(member.begin, member.packed), member, where_);
  if (checksum_of(content) != member.checksum)
    fail("{}: the checksum of member '{}' is wrong; the file is damaged. Download or copy it again", where_,
         member.name);
  return content;
}

}  // namespace varve
