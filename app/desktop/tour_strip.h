// The tour's strip above the status bar, and the frame around what it speaks of.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QWidget>
#include <filesystem>
#include <functional>

#include "app/desktop/desk.h"
#include "app/session/tour.h"

namespace varve {

// Two accent pixels around a part of the window; the pointer goes through.
class TargetFrame : public QWidget {
  Q_OBJECT

 public:
  TargetFrame(Desk& desk, QWidget* parent);
  void surround(const QRect& place);  // in the parent; empty: hidden

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Desk& desk_;
};

class TourStrip : public QWidget {
  Q_OBJECT

 public:
  static constexpr int height_px = 56;
  TourStrip(Desk& desk, QWidget* parent = nullptr);
  void remember_in(const std::filesystem::path& file);
  void begin();
  // What the person did is in `sight`; `place_of` says where on the screen a target lies.
  void look(const TourSight& sight, const std::function<QRect(Tour::Target)>& place_of);
  const Tour& tour() const { return tour_; }
  std::string words() const;  // "" while it is hidden

 signals:
  void moved();     // another step, or over
  void finished();  // all six: the questions of the start page follow

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void show_step();
  Desk& desk_;
  Tour tour_;
  std::filesystem::path memory_;
  TargetFrame* frame_ = nullptr;
  QLabel *number_, *sentence_, *after_;
  QPushButton *back_, *skip_, *leave_;
};

}  // namespace varve
