// Layouts and the menu of one view.
#include <QMenu>

#include "analysis/core/error.h"
#include "app/desktop/main_window.h"
#include "app/desktop/painter_canvas.h"
#include "app/session/layouts.h"

namespace varve {

void MainWindow::use_layout(int number) {
  if (!session_->opened()) return;
  if (number == 5) {
    const OpenView* view = session_->active_view();
    if (!view)
      fail("Compare shows the active view thrice, and no view is open. Press 1 for the layout Lens.");
    session_->use_layout(compare_layout(*view), "Compare");
    return;
  }
  if (const auto mine = remembered_.layouts.find(number); mine != remembered_.layouts.end()) {
    session_->use_layout(mine->second, std::to_string(number));
    return;
  }
  for (const LayoutInfo& layout : ready_layouts())
    if (layout.number == number) {
      session_->use_layout(ready_layout(number), layout.name);
      return;
    }
  fail("Layout {} is free. Lay the views out as you like, then save them there: Window, Save layout.",
       number);
}

void MainWindow::save_layout(int number) {
  if (!session_->opened() || session_->bench().views.empty()) return;
  remembered_.layouts[number] = session_->bench();
  written_ = "saved as layout " + std::to_string(number);
}

void MainWindow::show_view_menu(int64_t id, const QPoint& at) {
  ViewTile* const tile = views_->tile(id);
  if (!tile || !session_->bench().find(id)) return;
  session_->activate(id);
  // Looked up only now: what is active is part of the bench, and changing it makes the bench anew.
  const OpenView* const view = session_->bench().find(id);
  QMenu menu(this);
  const auto add = [&](QMenu& to, const QString& text, std::function<void()> what) {
    QAction* action = to.addAction(text);
    connect(action, &QAction::triggered, this, [this, what = std::move(what)] {
      guarded(what);
      refresh();
    });
    return action;
  };
  QMenu* as = menu.addMenu(tr("Show as"));
  for (const View& other : views().items()) {
    const std::shared_ptr<const Dataset> drawn = tile->content().data;
    if (!drawn || !(other.fit(*drawn) > 0)) continue;
    QAction* action =
        add(*as, qtext(view_title(other.name)), [this, id, name = other.name] { show_as(id, name); });
    action->setToolTip(qtext(other.summary));
    action->setCheckable(true);
    action->setChecked(tile->content().view && tile->content().view->name == other.name);
  }
  as->setEnabled(!as->isEmpty());
  menu.addSeparator();
  const std::pair<OpenView::Against, QString> againsts[] = {
      {OpenView::Against::now, tr("Of now")},
      {OpenView::Against::pin, tr("Of A")},
      {OpenView::Against::difference, tr("Now minus A")}};
  for (const auto& [against, text] : againsts) {
    QAction* action = add(menu, text, [this, id, against = against] {
      session_->change_view(id, "compare", [against](OpenView& changed) { changed.against = against; });
    });
    action->setCheckable(true);
    action->setChecked(view->against == against);
    action->setEnabled(view->result.which == ResultRef::Which::cell);
  }
  menu.addSeparator();
  add(menu, view->own_step ? tr("Follow the shared step") : tr("Keep this step"), [this, id] {
    session_->change_view(id, "unlink the view", [this](OpenView& changed) {
      changed.own_step = changed.own_step ? std::nullopt : std::optional<int64_t>(session_->choice().step);
    });
  });
  const auto layer = session_->choice().selection.index("layer");
  QAction* keep_layer =
      add(menu, view->own_layer ? tr("Follow the shared layer") : tr("Keep this layer"), [this, id, layer] {
        session_->change_view(id, "unlink the view", [layer](OpenView& changed) {
          changed.own_layer = changed.own_layer ? std::nullopt : layer;
        });
      });
  keep_layer->setEnabled(view->own_layer || layer);
  QAction* options = add(menu, tr("Keep the options in sight"), [this, id] {
    session_->change_view(id, "pin the options",
                          [](OpenView& changed) { changed.pins_options = !changed.pins_options; });
  });
  options->setCheckable(true);
  options->setChecked(view->pins_options);
  menu.addSeparator();
  add(menu, tr("Duplicate"), [this, copy = *view] { session_->open_view(copy); });
  add(menu, tr("Fill the middle"), [this, id] { session_->fill_with(id); });
  menu.addSeparator();
  for (QAction* action : {export_picture_, export_numbers_, copy_command_, copy_value_})
    menu.addAction(action);
  menu.addSeparator();
  add(menu, tr("Close"), [this, id] { session_->close_view(id); });
  menu.exec(at);
}

}  // namespace varve
