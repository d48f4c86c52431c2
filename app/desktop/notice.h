// A card for what went wrong: what was asked, what was found, what to try. Never a dialog.
#pragma once

#include <QLabel>
#include <QWidget>

namespace varve {

class Notice : public QWidget {
  Q_OBJECT

 public:
  explicit Notice(QWidget* parent = nullptr);
  void say(const QString& title, const QString& words);
  std::string words() const;  // "" while hidden

 private:
  QLabel *title_, *words_;
};

}  // namespace varve
