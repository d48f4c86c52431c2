// What the window does for the docks at the left and the tour.
#include <QMenuBar>

#include "app/desktop/file_dialog.h"
#include "app/desktop/main_window.h"
#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {
QRect on_screen(const QWidget& widget, const QRect& inside) {
  return {widget.mapToGlobal(inside.topLeft()), inside.size()};
}
}  // namespace

void MainWindow::build_flows() {
  FlowDocks::Wishes wishes;
  wishes.open = [this](const std::string& path) { open(path); };
  wishes.open_demo = [this] { guarded([this] { open_demo(); }); };
  wishes.find = [this](const std::string& gone) {
    const QString title = tr("Where is %1 now?").arg(qtext(std::filesystem::path(gone).filename().string()));
    const QString folder = ask_folder(this, title);
    if (!folder.isEmpty()) open(folder.toStdString());
  };
  wishes.use_layout = [this](int layout) {
    guarded([this, layout] { use_layout(layout); });
    QMetaObject::invokeMethod(
        this, [this] { refresh(); }, Qt::QueuedConnection);
  };
  wishes.verify = [this] { guarded([this] { verify_store(); }); };
  wishes.reads_cell = [this] {
    for (ViewTile* tile : views_->shown())
      if (tile->content().view && !tile->canvas().pane().tip_text().empty()) return true;
    return false;
  };
  wishes.place_of = [this](Tour::Target target) -> QRect {
    switch (target) {
      case Tour::Target::demo:
        return start_->isVisible() ? start_->places()["demo"] : QRect();
      case Tour::Target::rail:
        return rail_bar_->isVisible() ? on_screen(*rail_, rail_->rect()) : QRect();
      case Tour::Target::table:
      case Tour::Target::corner_cell:
        for (ViewTile* tile : views_->shown())
          if (tile->content().view && tile->content().view->name == "lens-table")
            return on_screen(*tile, tile->rect());
        return {};
      case Tour::Target::analyse:
        return on_screen(*menuBar(), menuBar()->actionGeometry(menuBar()->actions()[3]));
      case Tour::Target::save:
        return on_screen(*menuBar(), menuBar()->actionGeometry(menuBar()->actions()[0]));
    }
    return {};
  };
  const std::filesystem::path folder =
      options_.session.empty() ? default_session_file().parent_path() : options_.session.parent_path();
  flows_ = new FlowDocks(desk_, *this, *start_, *jobs_, folder, std::move(wishes));
}

}  // namespace varve
