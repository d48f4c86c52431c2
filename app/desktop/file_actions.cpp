// Opening, importing, exporting and copying: the dialogs and files behind the menus.
#include <QApplication>
#include <QClipboard>
#include <QInputDialog>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/desktop/file_dialog.h"
#include "app/desktop/main_window.h"
#include "app/desktop/painter_canvas.h"
#include "app/session/command_line.h"
#include "app/session/export.h"

namespace varve {

void MainWindow::open_demo() {
  const auto demo = find_demo_series(options_.program_folder);
  if (!demo)
    fail(
        "the demo series tiny-neox is in no datasets folder beside or above {}. Set VARVE_DATASETS to the "
        "folder "
        "that holds it.",
        options_.program_folder.string());
  open(demo->string());
}

void MainWindow::open_folder(const QString& title) {
  const QString folder = ask_folder(this, title);
  if (!folder.isEmpty()) open(folder.toStdString());
}

void MainWindow::import_as() {
  const QString source = ask_folder(this, tr("Import which folder?"));
  if (source.isEmpty()) return;
  // A file dialog would walk into a store that is there already instead of carrying on with it.
  QInputDialog dialog(this);
  dialog.setWindowTitle(tr("Import as store"));
  dialog.setLabelText(tr("The store's folder. One that is there already is carried on with."));
  dialog.setTextValue(source + QStringLiteral(".varve"));
  dialog.resize(560, dialog.sizeHint().height());
  const QString store = dialog.exec() == QDialog::Accepted ? dialog.textValue().trimmed() : QString();
  if (!store.isEmpty()) free_session().import_as(source.toStdString(), store.toStdString(), false);
}

QString MainWindow::asked_file(const QString& title, const QString& proposed, const QString& kinds) {
  return ask_file_to_write(this, title, proposed, kinds);
}

void MainWindow::export_picture() {
  ViewTile* const active = views_->active();
  if (!active || !active->content().view) return;
  const ViewContent content = active->content();
  const QString file = asked_file(tr("Export picture"), qtext(active->file_stem() + ".svg"),
                                  tr("Pictures (*.svg *.pdf *.png)"));
  if (file.isEmpty()) return;
  guarded([&] {
    const std::string path = file.toStdString();
    const PictureKind kind = picture_kind(path);
    // Pixels are for slides: twice as many. The scale also settles edges, so vector files take the program's
    // own.
    const double scale = kind == PictureKind::png ? 2 : 1;
    // Files are light unless asked otherwise: they go into papers.
    const double width = content.view->width;
    const double height =
        picture_height(*content.view, *content.data, content.options, content.selection, width);
    write_file_atomically(path, picture_of(*content.view, *content.data, content.options, content.selection,
                                           kind, Theme::light(), width, height, scale));
    written_ = "written: " + file.toStdString();
    flows_->kept();
  });
}

void MainWindow::export_numbers() {
  ViewTile* const active = views_->active();
  if (!active || !active->content().view) return;
  const ViewContent content = active->content();
  const QString file =
      asked_file(tr("Export data"), qtext(active->file_stem() + ".csv"), tr("Numbers (*.csv *.h5)"));
  if (file.isEmpty()) return;
  guarded([&] {
    write_numbers(file.toStdString(),
                  content.view->drawn_data(*content.data, content.options, content.selection));
    written_ = "written: " + file.toStdString();
  });
}

void MainWindow::copy_value() {
  ViewTile* const active = views_->active();
  if (!active) return;
  const Pane& pane = active->canvas().pane();
  std::string text = pane.tip_text();
  if (text.empty()) text = pane.tip_text_of(active->content().selection);
  if (!text.empty()) QApplication::clipboard()->setText(qtext(text));
}

void MainWindow::copy_table() {
  ViewTile* const active = views_->active();
  if (!active || !active->content().view) return;
  const ViewContent& content = active->content();
  QApplication::clipboard()->setText(
      qtext(tsv_of(content.view->drawn_data(*content.data, content.options, content.selection))));
}

void MainWindow::copy_python() {
  ViewTile* const active = views_->active();
  const OpenView* const view = session_->active_view();
  if (!active || !view) return;
  const std::string lines = python_of(*session_, *view, active->content());
  if (lines.empty())
    fail(
        "{} is made in the window from several results, and no call makes it yet. Export data keeps its "
        "numbers.",
        active->content().title);
  QApplication::clipboard()->setText(qtext(lines));
}

void MainWindow::copy_command_line() {
  ViewTile* const active = views_->active();
  const OpenView* const view = session_->active_view();
  if (!active || !view) return;
  const std::string lines = command_line_of(*session_, *view, active->content());
  if (lines.empty())
    fail(
        "{} is made in the window from several results, and no command line makes it yet. Export data keeps "
        "its numbers.",
        active->content().title);
  QApplication::clipboard()->setText(qtext(lines));
  flows_->kept();
}

}  // namespace varve
