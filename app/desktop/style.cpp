// Qt's style: Fusion, a palette and one stylesheet from the theme table.
#include "app/desktop/style.h"

#include <QPainter>
#include <QPalette>
#include <QProxyStyle>
#include <QStyleOption>
#include <map>

#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {

// Names in braces stand for entries of the theme table.
constexpr const char* sheet = R"(
* { font-family: "DejaVu Sans"; font-size: 12px; color: {ink}; }
QMainWindow { background: {ground}; }
QMainWindow::separator { background: {ground}; width: 4px; height: 4px; }
QMenuBar { background: {panel}; border-bottom: 1px solid {hair}; padding: 2px 4px; }
QMenuBar::item { padding: 4px 8px; background: transparent; border-radius: 3px; }
QMenuBar::item:selected { background: {raised}; }
QMenu { background: {panel}; border: 1px solid {strong}; padding: 4px 0; }
QMenu::item { padding: 4px 24px 4px 24px; }
QMenu::item:selected { background: {soft}; }
QMenu::item:disabled { color: {ink3}; }
QMenu::separator { height: 1px; background: {hair}; margin: 4px 0; }
QSplitter::handle { background: {ground}; image: none; }
QStatusBar { background: {panel}; border-top: 1px solid {hair}; min-height: 22px; max-height: 22px; }
QStatusBar::item { border: none; }
QStatusBar QLabel { font-size: 10px; color: {ink2}; padding: 0 8px; }
QPushButton#status { border: none; background: transparent; font-size: 10px; color: {ink2}; padding: 0 8px; }
QPushButton#status:hover { color: {accent}; }
QToolTip { background: {tip}; color: {tip_text}; border: none; padding: 4px 8px; font-size: 10px; }
QToolBar { border: none; padding: 0; margin: 0; spacing: 0; background: {panel}; }
#header { background: {raised}; border-top: 2px solid {raised}; }
#header[active="true"] { background: {soft}; border-top: 2px solid {accent}; }
#title { font-size: 11px; font-weight: bold; }
#second { font-size: 10px; color: {ink2}; }
#third { font-size: 10px; color: {ink3}; }
#readout { font-size: 14px; font-weight: bold; }
#heading { font-size: 13px; font-weight: bold; }
#badge { background: {ok_soft}; color: {ok}; border-radius: 3px; padding: 1px 6px; font-size: 10px; }
#badge[tone="warn"] { background: {warn_soft}; color: {warn}; }
#badge[tone="fail"] { background: {fail_soft}; color: {fail}; }
#panel { background: {panel}; }
#canvas { background: {canvas}; }
QPushButton, QToolButton { background: {canvas}; border: 1px solid {strong}; border-radius: 3px; padding: 2px 10px;
  font-size: 11px; min-height: 14px; }
QToolButton { padding: 2px; }
QPushButton:hover, QToolButton:hover { background: {raised}; }
QPushButton:pressed, QToolButton:pressed, QToolButton:checked { background: {raised}; }
QPushButton:disabled, QToolButton:disabled { background: {raised}; color: {ink3}; border-color: {hair}; }
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QAbstractSpinBox:focus { border: 2px solid {accent};
  padding: 1px 9px; }
QToolButton:focus { padding: 1px; }
QPushButton#primary, QToolButton#primary { background: {accent}; border-color: {accent}; color: {on_accent};
  font-weight: bold; }
QPushButton#primary:disabled { background: {raised}; border-color: {hair}; color: {ink3}; }
QPushButton#large { min-height: 28px; font-size: 12px; }
QPushButton#rowbutton { min-height: 12px; }
QPushButton#primary[large="true"] { min-height: 28px; font-size: 12px; }
QToolButton#flat { border: none; background: transparent; }
QToolButton#flat:hover { background: {hair}; }
QComboBox { background: {canvas}; border: 1px solid {strong}; border-radius: 3px; padding: 1px 22px 1px 8px;
  font-size: 11px; min-height: 16px; combobox-popup: 0; }
QComboBox:focus { padding: 0 21px 0 7px; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: {canvas}; border: 1px solid {strong}; selection-background-color: {soft};
  selection-color: {ink}; outline: none; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: 0; }
QLineEdit, QAbstractSpinBox, QPlainTextEdit { background: {canvas}; border: 1px solid {strong}; border-radius: 3px;
  padding: 2px 10px; selection-background-color: {accent}; selection-color: {on_accent}; }
QPlainTextEdit:focus { border: 2px solid {accent}; padding: 1px 9px; }
QLineEdit#prompt { font-family: "DejaVu Sans Mono"; font-size: 12px; }
QScrollArea { border: none; background: transparent; }
QScrollBar { background: {panel}; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: {hair}; border-radius: 3px; min-height: 24px; min-width: 24px; margin: 2px; }
QScrollBar::handle:hover { background: {strong}; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: {raised}; border: none; border-radius: 0; max-height: 8px; min-height: 8px; }
QProgressBar::chunk { background: {accent}; }
QProgressBar[cached="true"]::chunk { background: {cached}; }
QLineEdit[wrong="true"], *[wrong="true"] > QLineEdit { border: 1px solid {fail}; }
#complaint, #offline { color: {fail}; font-size: 10px; }
#fieldname { font-size: 11px; color: {ink2}; }
#hairline { background: {hair}; }
#strip { background: {soft}; border-top: 2px solid {accent}; }
#failcard { background: {fail_soft}; border-left: 3px solid {fail}; }
#failcard QLabel { font-size: 11px; }
#jobstate[tone="fail"] { color: {fail}; font-size: 10px; }
#jobstate { color: {ink2}; font-size: 10px; }
QPushButton#palettefield { background: {canvas}; color: {ink3}; border: 1px solid {hair}; text-align: left;
  padding: 2px 10px; min-width: 310px; margin: 2px 8px 2px 0; }
QPushButton#palettefield:hover { border-color: {strong}; }
QPushButton#series { border: none; background: transparent; text-align: left; padding: 0; font-size: 13px;
  font-weight: bold; }
QPushButton#series:hover { color: {accent}; }
QListView, QTableView { background: {canvas}; border: 1px solid {hair}; outline: none;
  selection-background-color: {soft}; selection-color: {ink}; }
#palette QListView { background: transparent; border: none; }
QHeaderView::section { background: {raised}; border: none; padding: 4px 8px; font-size: 11px; }
QTabBar { background: {raised}; }
QTabBar::tab { background: {raised}; color: {ink2}; border: none; border-top: 2px solid {raised}; padding: 3px 12px;
  font-size: 11px; }
QTabBar::tab:selected { background: {canvas}; color: {ink}; border-top-color: {accent}; }
QTabBar::tab:hover { color: {ink}; }
QRubberBand { background: {soft}; border: 2px solid {accent}; }
#drop { border: 1px dashed {strong}; border-radius: 3px; background: {canvas}; color: {ink2}; }
#drop[over="true"] { border: 2px dashed {accent}; background: {soft}; }
#product { font-size: 29px; font-weight: bold; }
#motto { font-size: 14px; color: {ink2}; }
QPushButton#row { border: none; background: transparent; text-align: left; padding: 4px 8px; }
QPushButton#row:hover { background: {raised}; }
)";

std::map<QString, Color> table_of(const Theme& theme) {
  return {{"ground", theme.ground},
          {"panel", theme.panel},
          {"canvas", theme.canvas},
          {"raised", theme.raised},
          {"hair", theme.hair},
          {"strong", theme.strong},
          {"ink", theme.ink},
          {"ink2", theme.ink2},
          {"ink3", theme.ink3},
          {"accent", theme.accent},
          {"on_accent", theme.on_accent},
          {"soft", theme.soft},
          {"ok", theme.ok},
          {"ok_soft", theme.ok_soft},
          {"warn", theme.warn},
          {"warn_soft", theme.warn_soft},
          {"fail", theme.fail},
          {"fail_soft", theme.fail_soft},
          {"cached", theme.cached},
          {"tip", theme.tip},
          {"tip_text", theme.tip_text}};
}

QPalette palette_of(const Theme& theme) {
  QPalette palette;
  palette.setColor(QPalette::Window, qcolor(theme.panel));
  palette.setColor(QPalette::WindowText, qcolor(theme.ink));
  palette.setColor(QPalette::Base, qcolor(theme.canvas));
  palette.setColor(QPalette::AlternateBase, qcolor(theme.raised));
  palette.setColor(QPalette::Text, qcolor(theme.ink));
  palette.setColor(QPalette::PlaceholderText, qcolor(theme.ink3));
  palette.setColor(QPalette::Button, qcolor(theme.panel));
  palette.setColor(QPalette::ButtonText, qcolor(theme.ink));
  palette.setColor(QPalette::Highlight, qcolor(theme.accent));
  palette.setColor(QPalette::HighlightedText, qcolor(theme.on_accent));
  palette.setColor(QPalette::ToolTipBase, qcolor(theme.tip));
  palette.setColor(QPalette::ToolTipText, qcolor(theme.tip_text));
  palette.setColor(QPalette::Link, qcolor(theme.accent));
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
    palette.setColor(QPalette::Disabled, role, qcolor(theme.ink3));
  return palette;
}

// Keys of menus work without a line under their letter, which no other word of the window has. Boxes to tick
// have the theme's outline: Fusion's own cannot be seen on a dark ground.
class QuietStyle : public QProxyStyle {
 public:
  explicit QuietStyle(const Theme& theme) : QProxyStyle(QStringLiteral("Fusion")), theme_(theme) {}
  int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                QStyleHintReturn* data) const override {
    const bool is_quiet = hint == SH_UnderlineShortcut || hint == SH_DialogButtonBox_ButtonsHaveIcons;
    return is_quiet ? 0 : QProxyStyle::styleHint(hint, option, widget, data);
  }
  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override {
    if (element != PE_IndicatorCheckBox) return QProxyStyle::drawPrimitive(element, option, painter, widget);
    const bool is_on = option->state.testFlag(State_On), enabled = option->state.testFlag(State_Enabled);
    const Color ink = enabled ? theme_.ink : theme_.ink3;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const QRectF box = QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5);
    painter->setPen(QPen(qcolor(option->state.testFlag(State_HasFocus) ? theme_.accent : theme_.strong), 1));
    painter->setBrush(qcolor(theme_.canvas));
    painter->drawRoundedRect(box, 2, 2);
    if (is_on) {
      painter->setPen(QPen(qcolor(ink), 1.8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
      const auto at = [&box](double x, double y) {
        return QPointF(box.left() + x * box.width(), box.top() + y * box.height());
      };
      painter->drawPolyline(QPolygonF({at(0.22, 0.54), at(0.42, 0.74), at(0.78, 0.28)}));
    }
    painter->restore();
  }

 private:
  const Theme& theme_;
};

}  // namespace

void apply_style(QApplication& application, const Theme& theme) {
  application.setStyle(new QuietStyle(theme));
  application.setPalette(palette_of(theme));
  application.setFont(qfont({.points = 9, .face = Face::sans}));
  QString style = QString::fromUtf8(sheet);
  for (const auto& [name, color] : table_of(theme)) style.replace("{" + name + "}", qcolor(color).name());
  application.setStyleSheet(style);
}

}  // namespace varve
