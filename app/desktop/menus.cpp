// Menus, keys, and the dialogs and files behind them.
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QInputDialog>
#include <QMenuBar>
#include <QMessageBox>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/desktop/main_window.h"
#include "app/desktop/painter_canvas.h"
#include "app/session/command_line.h"
#include "app/session/export.h"

namespace varve {

QAction* MainWindow::add_action(QMenu* menu, const QString& text, const QKeySequence& key,
                                std::function<void()> what) {
  QAction* action = menu->addAction(text);
  action->setShortcut(key);
  connect(action, &QAction::triggered, this, [this, what = std::move(what)] {
    guarded(what);
    refresh();
  });
  return action;
}

void MainWindow::build_menus() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  add_action(file, tr("Open folder …"), QKeySequence::Open, [this] { open_folder(tr("Open folder")); });
  add_action(file, tr("Open store …"), {}, [this] { open_folder(tr("Open store")); });
  add_action(file, tr("Open the demo series"), {}, [this] { open_demo(); });
  add_action(file, tr("Import as store …"), Qt::CTRL | Qt::Key_I, [this] { import_as(); });
  close_ = add_action(file, tr("Close series"), QKeySequence::Close, [this] { session_->close(); });
  file->addSeparator();
  export_picture_ = add_action(file, tr("Export picture …"), Qt::Key_E, [this] { export_picture(); });
  export_numbers_ =
      add_action(file, tr("Export data …"), Qt::SHIFT | Qt::Key_E, [this] { export_numbers(); });
  copy_command_ = add_action(file, tr("Copy as command line"), Qt::CTRL | Qt::SHIFT | Qt::Key_C,
                             [this] { copy_command_line(); });
  file->addSeparator();
  add_action(file, tr("Quit"), QKeySequence::Quit, [this] { close(); });

  QMenu* edit = menuBar()->addMenu(tr("&Edit"));
  undo_ = add_action(edit, tr("Undo"), QKeySequence::Undo, [this] { session_->undo(); });
  redo_ = add_action(edit, tr("Redo"), Qt::CTRL | Qt::SHIFT | Qt::Key_Z, [this] { session_->redo(); });
  edit->addSeparator();
  copy_value_ = add_action(edit, tr("Copy value"), QKeySequence::Copy, [this] { copy_value(); });

  QMenu* series = menuBar()->addMenu(tr("&Series"));
  add_action(series, tr("Next step"), Qt::Key_Right, [this] { session_->move(1); });
  add_action(series, tr("Previous step"), Qt::Key_Left, [this] { session_->move(-1); });
  add_action(series, tr("Ten steps on"), Qt::SHIFT | Qt::Key_Right, [this] { session_->move(10); });
  add_action(series, tr("Ten steps back"), Qt::SHIFT | Qt::Key_Left, [this] { session_->move(-10); });
  add_action(series, tr("First step"), Qt::Key_Home, [this] { session_->move(-1'000'000); });
  add_action(series, tr("Last step"), Qt::Key_End, [this] { session_->move(1'000'000); });
  add_action(series, tr("Play or pause"), Qt::Key_Space, [this] { session_->play(!session_->playing()); });

  QMenu* analyse = menuBar()->addMenu(tr("&Analyse"));
  add_action(analyse, tr("Run logit lens"), Qt::CTRL | Qt::Key_Return,
             [this] { session_->run("logit-lens"); });
  add_action(analyse, tr("Stop the jobs"), Qt::CTRL | Qt::Key_Period, [this] { session_->stop_jobs(); });
  add_action(analyse, tr("Prompt …"), Qt::CTRL | Qt::Key_P, [this] { prompt_->focus(); });

  QMenu* select = menuBar()->addMenu(tr("Se&lect"));
  add_action(select, tr("Clear selection"), Qt::CTRL | Qt::SHIFT | Qt::Key_A,
             [this] { session_->clear_selection(); });

  QMenu* window = menuBar()->addMenu(tr("&Window"));
  add_action(window, tr("Light or dark"), Qt::CTRL | Qt::SHIFT | Qt::Key_T,
             [this] { set_theme(desk_.theme->is_dark ? Theme::light() : Theme::dark()); });
  add_action(window, tr("Fit the view"), Qt::Key_R, [this] {
    views_->active().canvas->pane().fit();
    views_->active().canvas->update();
  });
  add_action(window, tr("Inspector"), Qt::Key_I, [this] { fold_tab_->toggle(); });

  QMenu* help = menuBar()->addMenu(tr("&Help"));
  add_action(help, tr("Keys"), Qt::Key_Question, [this] { show_keys(); });
  add_action(help, tr("About Varve"), {}, [this] {
    QMessageBox::about(
        this, tr("About Varve"),
        tr("Varve %1\nTraining leaves layers, one per checkpoint.\nNothing here uses a network.")
            .arg(QStringLiteral(VARVE_VERSION)));
  });
}

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
  const QString folder = QFileDialog::getExistingDirectory(this, title, {}, QFileDialog::ShowDirsOnly);
  if (!folder.isEmpty()) open(folder.toStdString());
}

void MainWindow::import_as() {
  const QString source = QFileDialog::getExistingDirectory(this, tr("Import which folder?"));
  if (source.isEmpty()) return;
  // A file dialog would walk into a store that is there already instead of carrying on with it.
  QInputDialog dialog(this);
  dialog.setWindowTitle(tr("Import as store"));
  dialog.setLabelText(tr("The store's folder. One that is there already is carried on with."));
  dialog.setTextValue(source + QStringLiteral(".varve"));
  dialog.resize(560, dialog.sizeHint().height());
  const QString store = dialog.exec() == QDialog::Accepted ? dialog.textValue().trimmed() : QString();
  if (!store.isEmpty()) session_->import_as(source.toStdString(), store.toStdString(), false);
}

QString MainWindow::asked_file(const QString& title, const QString& proposed, const QString& kinds) {
  return QFileDialog::getSaveFileName(this, title, proposed, kinds, nullptr,
                                      QFileDialog::DontUseNativeDialog);
}

void MainWindow::export_picture() {
  const ActiveView active = views_->active();
  const PaneContent content = active.canvas->content();
  if (!content.view || !content.data) return;
  const QString file =
      asked_file(tr("Export picture"), qtext(active.stem + ".svg"), tr("Pictures (*.svg *.pdf *.png)"));
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
    status_run_->setText(tr("written: ") + file);
  });
}

void MainWindow::export_numbers() {
  const ActiveView active = views_->active();
  const PaneContent content = active.canvas->content();
  if (!content.view || !content.data) return;
  const QString file = asked_file(tr("Export data"), qtext(active.stem + ".csv"), tr("Numbers (*.csv *.h5)"));
  if (file.isEmpty()) return;
  guarded([&] {
    write_numbers(file.toStdString(),
                  content.view->drawn_data(*content.data, content.options, content.selection));
    status_run_->setText(tr("written: ") + file);
  });
}

void MainWindow::copy_value() {
  const Pane& pane = views_->active().canvas->pane();
  std::string text = pane.tip_text();
  if (text.empty()) text = pane.tip_text_of(views_->active().canvas->content().selection);
  if (!text.empty()) QApplication::clipboard()->setText(qtext(text));
}

void MainWindow::copy_command_line() {
  if (view_->view())
    QApplication::clipboard()->setText(qtext(command_line_of(*session_, view_->view()->name)));
}

void MainWindow::show_keys() {
  QString rows;
  for (const QAction* menu : menuBar()->actions())
    for (const QAction* action : menu->menu()->actions())
      if (!action->shortcut().isEmpty())
        rows +=
            QStringLiteral("<tr><td><b>%1</b>&nbsp;&nbsp;&nbsp;</td><td>%2</td></tr>")
                .arg(action->shortcut().toString(QKeySequence::NativeText), action->text().toHtmlEscaped());
  rows +=
      tr("<tr><td><b>Wheel</b></td><td>zoom a view; drag pans, double-click fits</td></tr>"
         "<tr><td><b>Enter</b></td><td>on a view: arrows move the cell; Esc leaves</td></tr>");
  QMessageBox box(this);
  box.setWindowTitle(tr("Keys"));
  box.setTextFormat(Qt::RichText);
  box.setText(QStringLiteral("<table>") + rows + QStringLiteral("</table>"));
  box.exec();
}

}  // namespace varve
