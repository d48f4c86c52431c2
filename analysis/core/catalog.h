// A shelf at run time: named things in name order.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"

namespace varve {

// Item needs a public std::string `name`.
template <class Item>
class Catalog {
 public:
  explicit Catalog(std::string kind) : kind_(std::move(kind)) {}
  void add(Item item) {
    if (find(item.name)) fail("two things on the {} shelf are named '{}'", kind_, item.name);
    items_.push_back(std::move(item));
  }
  const Item* find(const std::string& name) const {
    for (const Item& item : items_)
      if (item.name == name) return &item;
    return nullptr;
  }
  // Throws Error (usage) that names the nearest one.
  const Item& get(const std::string& name) const {
    if (const Item* item = find(name)) return *item;
    std::vector<std::string> names;
    for (const Item& item : items_) names.push_back(item.name);
    fail_usage("there is no {} named '{}'; did you mean '{}'? See varve list.", kind_, name,
               nearest(name, names));
  }
  const std::vector<Item>& items() const { return items_; }

 private:
  std::string kind_;
  std::vector<Item> items_;
};

}  // namespace varve
