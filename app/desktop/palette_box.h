// The command palette: one field over the window, a list below it, everything that can be done or seen.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QStandardItemModel>
#include <functional>
#include <string>
#include <vector>

#include "app/desktop/desk.h"
#include "app/session/palette.h"

namespace varve {

class PaletteBox : public QFrame {
  Q_OBJECT

 public:
  PaletteBox(Desk& desk, QWidget* parent);
  // What is known besides places: made anew each time it opens.
  void open(std::vector<PaletteEntry> entries, std::vector<std::string> recent, const QString& typed = {});
  std::vector<std::string> shown_words() const;  // first line first
  std::string typed() const { return field_->text().toStdString(); }

 signals:
  void chosen(const std::string& id, bool in_new_view);
  void place_chosen(const varve::GoTo& place);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  void search();
  void act(bool in_new_view);
  void lay_out();
  Desk& desk_;
  QLineEdit* field_;
  QListView* list_;
  QLabel* hint_;
  QStandardItemModel* model_;
  std::vector<PaletteEntry> entries_;
  std::vector<std::string> recent_;
  std::vector<GoTo> places_;   // shown first
  std::vector<size_t> found_;  // then these of entries_
};

}  // namespace varve
