// Keeps and forgets what views have worked out.
#include "viz/cache.h"

#include <algorithm>
#include <vector>

namespace varve {
namespace {

constexpr int64_t limit_bytes = 256'000'000;
constexpr int64_t frames_safe = 2;  // what the last frames drew is never thrown away

}  // namespace

void ViewCache::use(const std::shared_ptr<const Dataset>& data) {
  if (data == data_) return;
  clear();
  data_ = data;
}

void ViewCache::clear() {
  entries_.clear();
  bytes_ = 0;
  data_.reset();
  ++generation_;
}

void ViewCache::next_frame() {
  ++frame_;
  if (bytes_ <= limit_bytes) return;
  std::vector<std::pair<int64_t, std::string>> oldest;
  for (const auto& [key, entry] : entries_)
    if (entry.used + frames_safe < frame_) oldest.emplace_back(entry.used, key);
  std::sort(oldest.begin(), oldest.end());
  for (const auto& [used, key] : oldest) {
    if (bytes_ <= limit_bytes) return;
    bytes_ -= entries_[key].bytes;
    entries_.erase(key);
  }
}

std::string key_of(const std::string& view, const SettingValues& options,
                   const std::map<std::string, int64_t>& places) {
  std::string key = view;
  for (const auto& [name, value] : options) key += "|" + name + "=" + value;
  for (const auto& [axis, index] : places) key += "|" + axis + "@" + std::to_string(index);
  return key;
}

}  // namespace varve
