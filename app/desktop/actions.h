// Every action of the window under one name, with its key: what menus, the palette, the sheet of keys and
// rebinding share.
#pragma once

#include <QAction>
#include <QKeySequence>
#include <map>
#include <string>
#include <vector>

#include "app/session/palette.h"

namespace varve {

struct ActionEntry {
  std::string id;    // "Series: Next step"; stable, so that a rebound key finds it again
  std::string menu;  // "Series"
  QAction* action = nullptr;
  QKeySequence standard;  // its key where nobody rebound it
};

class Actions {
 public:
  void add(const std::string& menu, QAction* action, const QKeySequence& key);
  const std::vector<ActionEntry>& all() const { return all_; }
  QAction* find(const std::string& id) const;  // null where there is none
  // Keys as rebound: id -> key as text, "" for none.
  void use_keys(const std::map<std::string, std::string>& rebound);
  std::map<std::string, std::string> rebound() const;
  void set_key(const std::string& id, const QKeySequence& key);
  // The other action that has this key; empty where it is free.
  std::string owner_of(const QKeySequence& key, const std::string& except) const;
  std::vector<PaletteEntry> entries() const;

 private:
  std::vector<ActionEntry> all_;
};

// Words without the marks of menus: "&Open folder …" is "Open folder".
std::string plain_words(const QString& text);

}  // namespace varve
