// Files that appear complete or not at all: written under a temporary name, fsync'ed, then given their name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace varve {

class PublishedFile {
 public:
  explicit PublishedFile(std::filesystem::path target);  // throws Error where the folder cannot be written
  ~PublishedFile();                                      // an unpublished file is removed
  PublishedFile(const PublishedFile&) = delete;
  PublishedFile& operator=(const PublishedFile&) = delete;

  const std::filesystem::path& target() const { return target_; }
  const std::filesystem::path& temporary() const { return temporary_; }
  // From several threads at once, if they like.
  void write(int64_t offset, const void* bytes,
             int64_t count) const;  // throws Error, also where the disk is full
  // Asks the kernel to begin writing out, so that the final fsync finds little left.
  void begin_writing_out(int64_t offset, int64_t count) const;

  enum class Existing { replace, keep };
  void publish(Existing existing = Existing::replace);

 private:
  std::filesystem::path target_, temporary_;
  int descriptor_ = -1;
};

void make_folder(const std::filesystem::path& folder);  // and its parents, durably
// Removes temporaries in one folder whose process is gone, and those of other machines older than a day.
void sweep_folder(const std::filesystem::path& folder);
bool is_temporary(const std::filesystem::path& file);
std::string host_name();

}  // namespace varve
