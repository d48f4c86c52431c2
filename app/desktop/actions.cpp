// The list of actions.
#include "app/desktop/actions.h"

#include "app/desktop/painter_canvas.h"

namespace varve {

std::string plain_words(const QString& text) {
  QString words = text;
  words.remove('&');
  words.remove(QStringLiteral("…"));
  return words.trimmed().toStdString();
}

void Actions::add(const std::string& menu, QAction* action, const QKeySequence& key) {
  const std::string id = menu + ": " + plain_words(action->text());
  action->setObjectName(qtext(id));
  action->setShortcut(key);
  all_.push_back({.id = id, .menu = menu, .action = action, .standard = key});
}

QAction* Actions::find(const std::string& id) const {
  for (const ActionEntry& entry : all_)
    if (entry.id == id) return entry.action;
  return nullptr;
}

void Actions::use_keys(const std::map<std::string, std::string>& rebound) {
  for (const ActionEntry& entry : all_) {
    const auto other = rebound.find(entry.id);
    entry.action->setShortcut(other == rebound.end()
                                  ? entry.standard
                                  : QKeySequence(qtext(other->second), QKeySequence::PortableText));
  }
}

std::map<std::string, std::string> Actions::rebound() const {
  std::map<std::string, std::string> rebound;
  for (const ActionEntry& entry : all_)
    if (entry.action->shortcut() != entry.standard)
      rebound[entry.id] = entry.action->shortcut().toString(QKeySequence::PortableText).toStdString();
  return rebound;
}

void Actions::set_key(const std::string& id, const QKeySequence& key) {
  if (QAction* action = find(id)) action->setShortcut(key);
}

std::string Actions::owner_of(const QKeySequence& key, const std::string& except) const {
  if (key.isEmpty()) return "";
  for (const ActionEntry& entry : all_)
    if (entry.id != except && entry.action->shortcut() == key) return entry.id;
  return "";
}

std::vector<PaletteEntry> Actions::entries() const {
  std::vector<PaletteEntry> entries;
  for (const ActionEntry& entry : all_) {
    PaletteEntry made;
    made.kind = "action";
    made.words = plain_words(entry.action->text()) + " · " + entry.menu;
    made.key = entry.action->shortcut().toString(QKeySequence::NativeText).toStdString();
    made.id = "action " + entry.id;
    if (!entry.action->isEnabled()) {
      const QString why = entry.action->property("why_off").toString();
      made.why_off = why.isEmpty() ? "not now" : why.toStdString();
    }
    entries.push_back(std::move(made));
  }
  return entries;
}

}  // namespace varve
