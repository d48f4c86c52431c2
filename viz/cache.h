// What a window keeps of a view between frames: sorted series, pyramids, painted tiles. All of it may be
// thrown away.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "viz/view.h"

namespace varve {

// Belongs to one pane. Entries belong to one Dataset and are named by what else they depend on: the view, its
// options, the places shown, the zoom.
class ViewCache {
 public:
  // Forgets everything where this is another Dataset than before. Holds on to it, so that no other Dataset
  // can take its address.
  void use(const std::shared_ptr<const Dataset>& data);
  void next_frame();  // beyond the limit, what was not used for longest goes
  void clear();

  // T has bytes().
  template <class T>
  std::shared_ptr<const T> get(const std::string& key, const std::function<T()>& make) {
    Entry& entry = entries_[key];
    if (!entry.value) {
      auto made = std::make_shared<const T>(make());
      entry.bytes = made->bytes() + 128;
      entry.value = std::move(made);
      bytes_ += entry.bytes;
      ++made_;
    }
    entry.used = frame_;
    return std::static_pointer_cast<const T>(entry.value);
  }

  int64_t bytes() const { return bytes_; }
  int64_t entries() const { return static_cast<int64_t>(entries_.size()); }
  int64_t made() const { return made_; }               // how many entries had to be computed so far
  uint64_t generation() const { return generation_; }  // rises with every clear()

 private:
  struct Entry {
    std::shared_ptr<const void> value;
    int64_t bytes = 0, used = 0;
  };
  std::shared_ptr<const Dataset> data_;
  std::map<std::string, Entry> entries_;
  int64_t bytes_ = 0, frame_ = 0, made_ = 0;
  uint64_t generation_ = 1;
};

// From the cache where there is one, else made for this picture alone.
template <class T>
std::shared_ptr<const T> kept(const Look& look, const std::string& key, const std::function<T()>& make) {
  return look.cache ? look.cache->get<T>(key, make) : std::make_shared<const T>(make());
}

// The part of a key that says options and places.
std::string key_of(const std::string& view, const SettingValues& options,
                   const std::map<std::string, int64_t>& places);

}  // namespace varve
