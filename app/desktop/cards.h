// Headers of docks, and the card of an error: what was asked, what was found, what to try; copyable.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QWidget>
#include <string>

#include "app/session/job_words.h"

namespace varve {

class DockHeader : public QWidget {
  Q_OBJECT

 public:
  DockHeader(const QString& title, QWidget* parent);
  void set_title(const QString& title);

 signals:
  void close_asked();

 private:
  QLabel* title_;
};

class ErrorCard : public QWidget {
  Q_OBJECT

 public:
  explicit ErrorCard(QWidget* parent);
  void show_lines(const ErrorLines& lines, bool can_try);
  const ErrorLines& lines() const { return lines_; }

 signals:
  void try_asked();
  void dismissed();

 private:
  ErrorLines lines_;
  QLabel *asked_, *found_, *try_;
  QPushButton* again_;
};

// Style properties are read again only when asked.
void restyle(QWidget* widget, const char* property, const QVariant& value);
QLabel* named_label(const char* name, const QString& text, QWidget* parent);

}  // namespace varve
