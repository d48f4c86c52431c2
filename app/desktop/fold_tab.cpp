// A folded dock's tab.
#include "app/desktop/fold_tab.h"

#include <QPainter>

#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {
constexpr int tab_width = 24, tab_height = 108;
constexpr Font tab_font{.points = 8.5, .face = Face::sans_bold};
}  // namespace

FoldTab::FoldTab(Desk& desk, const QString& title, QWidget* parent) : QAbstractButton(parent), desk_(desk) {
  setText(title);
  setCheckable(true);
  setFocusPolicy(Qt::TabFocus);
  setAttribute(Qt::WA_Hover);
  setAccessibleName(title);
  setToolTip(tr("%1: show or fold (I)").arg(title));
}

QSize FoldTab::sizeHint() const { return {tab_width, tab_height}; }

void FoldTab::paintEvent(QPaintEvent*) {
  const Theme& theme = *desk_.theme;
  QPainter painter(this);
  PainterCanvas canvas(painter, {0, 0, width() * 1.0, height() * 1.0}, devicePixelRatioF());
  const Box box{0, 0, width() * 1.0, height() * 1.0};
  canvas.fill(box, isChecked() ? theme.soft : underMouse() ? theme.hair : theme.raised);
  // The accent marks the edge towards the dock that the tab has opened.
  if (isChecked()) canvas.fill({0, 0, 3, box.h}, theme.accent);
  canvas.vertical_text({box.w / 2 + 1, box.h / 2}, text().toStdString(), tab_font, theme.ink);
  if (hasFocus()) canvas.frame(box.inset(1), theme.accent, 2);
}

}  // namespace varve
