// What the window shows while nothing is open: how to begin, what was open before, and what went wrong.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <QWidget>
#include <string>
#include <vector>

#include "app/desktop/desk.h"

namespace varve {

class StartPage : public QWidget {
  Q_OBJECT

 public:
  explicit StartPage(Desk& desk, QWidget* parent = nullptr);
  void refresh(const std::vector<std::string>& recent);

 signals:
  void demo_asked();
  void folder_asked();
  void store_asked();
  void path_asked(const QString& path);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void show_recent(const std::vector<std::string>& recent);
  Desk& desk_;
  QWidget *left_, *card_;
  QLabel *card_title_, *card_words_, *nothing_;
  QVBoxLayout* recent_rows_;
  std::vector<std::string> shown_recent_;
};

}  // namespace varve
