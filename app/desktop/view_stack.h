// The views of the lens: the table at the top, below it the same quantity over training and over layers.
#pragma once

#include <QSplitter>
#include <array>

#include "app/desktop/side_view.h"
#include "app/desktop/view_host.h"
#include "app/session/lens_by_step.h"

namespace varve {

// The view that keys and export act on.
struct ActiveView {
  ViewCanvas* canvas = nullptr;
  std::string stem;  // of a file's name
};

class ViewStack : public QSplitter {
  Q_OBJECT

 public:
  explicit ViewStack(Desk& desk, QWidget* parent = nullptr);
  void refresh();
  ViewHost& top() { return *top_; }
  ViewCanvas& map() { return map_->canvas(); }
  ViewCanvas& curves() { return curves_->canvas(); }
  ActiveView active();

 signals:
  void export_asked();
  void painted();  // by any of the views

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void share_height();
  void go_to(const std::map<std::string, int64_t>& at);
  Desk& desk_;
  ViewHost* top_;
  QSplitter* below_;
  SideView *map_, *curves_;
  LensByStep by_step_;
  std::shared_ptr<const Dataset> over_training_;
  std::array<int64_t, 5> shared_for_{};  // rows, columns, width, height, what stands above the table
  bool is_shared_by_hand_ = false;       // the person has moved the handle
};

}  // namespace varve
