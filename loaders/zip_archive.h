// Zip archives looked into where they lie: members are found through the central directory, nothing is
// trusted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace varve {

// Opening a file of weights up to this size also compares its checksums, which reads it once more; larger
// ones are checked when they are imported.
inline constexpr uint64_t zip_checked_at_once = 256'000'000;

struct ZipMember {
  std::string name;
  uint64_t size = 0;    // unpacked
  uint64_t packed = 0;  // as it lies in the archive
  uint64_t begin = 0;   // where its bytes begin in the archive
  uint32_t checksum = 0;
  bool stored = true;  // else deflated
};

// Members never overlap, have names of their own and lie inside the archive; encrypted ones are refused.
class ZipArchive {
 public:
  // `where` names the archive in errors; the bytes must outlive it. Throws Error.
  ZipArchive(std::string_view bytes, std::string where);
  const std::vector<ZipMember>& members() const { return members_; }  // in directory order
  const ZipMember* find(std::string_view name) const;
  // The bytes of a stored member where they lie; their checksum is not looked at.
  std::string_view stored(const ZipMember& member) const;
  // Throws Error where a stored member's bytes do not have its checksum.
  void check(const ZipMember& member) const;
  // All stored members, one after the other; `passed` is told how many bytes each had.
  void check_stored(const std::function<void(int64_t bytes)>& passed) const;
  // Unpacked or copied, checksum verified.
  std::string read(const ZipMember& member) const;

 private:
  std::string_view bytes_;
  std::string where_;
  std::vector<ZipMember> members_;
  std::map<std::string_view, size_t> places_;  // name in the archive's bytes -> member
};

}  // namespace varve
