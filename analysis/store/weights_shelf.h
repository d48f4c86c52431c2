// Every tensor the store holds or links to, by digest, mapped on first use.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "analysis/core/mapped_file.h"
#include "analysis/store/run_store.h"
#include "analysis/store/weights_file.h"

namespace varve {

// Thread-safe. Mappings stay until the shelf goes, so views handed out stay valid.
class WeightsShelf {
 public:
  explicit WeightsShelf(std::filesystem::path store) : store_(std::move(store)) {}

  bool holds(const std::string& digest);
  bool keeps_whole(const std::string& digest);
  TensorView view(const TensorRecord& record);
  std::vector<std::span<const std::byte>> stored(const TensorRecord& record);
  std::filesystem::path folder() const { return store_ / "weights"; }

 private:
  struct Place {
    std::string file;
    TensorType type;
    std::vector<int64_t> shape;
    int64_t offset, bytes;
    std::string base;  // empty: the bytes are the tensor's own
  };
  const Place* find(const std::string& digest);
  void scan();
  std::span<const std::byte> mapped(const std::filesystem::path& file);
  std::span<const std::byte> held(const TensorRecord& record, std::string& base);
  TensorView unpacked(const TensorRecord& record, const std::string& base, std::span<const std::byte> packed);
  TensorView linked(const TensorRecord& record);
  TensorView link_of(const TensorRecord& record);  // its size checked, its bytes not looked at

  std::filesystem::path store_;
  std::mutex mutex_;
  std::unordered_map<std::string, Place> places_;
  std::set<std::string> seen_;                  // weights files already indexed
  std::map<std::string, std::string> damaged_;  // weights file -> what is wrong with it
  std::map<std::string, std::unique_ptr<MappedFile>> mapped_;
  // Unpacked tensors that someone still looks at.
  std::unordered_map<std::string, std::weak_ptr<const std::vector<std::byte>>> unpacked_;
  std::set<std::string> verified_links_;  // "path offset digest" compared in this process
};

// The file a linked tensor lies in; relative paths start at the store.
std::filesystem::path link_target(const std::filesystem::path& store, const TensorRecord& record);
// Throws Error unless the source is as it was when it was linked, as far as its size tells.
void check_link_size(const std::filesystem::path& source, const TensorRecord& record);
[[noreturn]] void fail_changed(const std::filesystem::path& source, const TensorRecord& record,
                               const std::string& found);

}  // namespace varve
