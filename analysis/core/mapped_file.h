// A whole file mapped read-only; moved, never copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace varve {

class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path);  // throws Error naming the path
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  // Tells the kernel that a stretch will be read soon, or not again.
  void will_need(size_t offset, size_t count) const;
  void done_with(size_t offset, size_t count) const;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// The same advice for bytes that are known to lie in some mapped file, and only for those: other memory would
// lose what stands in it. `will_need` may wait for the disk, so it is for a thread that can (ReadAhead).
void will_need(std::span<const std::byte> mapped);
void done_with(std::span<const std::byte> mapped);

}  // namespace varve
