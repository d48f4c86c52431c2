// One control for each kind of setting.
#include "app/desktop/option_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QPainter>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QWheelEvent>
#include <algorithm>
#include <utility>

#include "analysis/core/text.h"
#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {

// Names are short for typing; on screen the words are whole.
std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  std::replace(name.begin(), name.end(), '-', ' ');
  std::string words;
  for (const std::string& word : split(name, ' '))
    words += (words.empty() ? "" : " ") + (word == "prob" ? "probability," : word == "kl" ? "KL," : word);
  return words;
}

// The stylesheet takes the style's own arrow away; pictures are not shipped, so it is drawn. The wheel turns
// it only where it was chosen: over the others it scrolls the form they are in.
class ChoiceBox : public QComboBox {
 public:
  explicit ChoiceBox(QWidget* parent) : QComboBox(parent) { setFocusPolicy(Qt::StrongFocus); }

 protected:
  void wheelEvent(QWheelEvent* event) override {
    if (hasFocus())
      QComboBox::wheelEvent(event);
    else
      event->ignore();
  }
  void paintEvent(QPaintEvent* event) override {
    QComboBox::paintEvent(event);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(palette().color(QPalette::PlaceholderText));
    const double x = width() - 13, y = height() / 2.0;
    painter.drawPolygon(QPolygonF({{x - 3.5, y - 2}, {x + 3.5, y - 2}, {x, y + 2.5}}));
  }
};

// A form shares its width: the longest entry must not ask for more.
void let_shrink(QComboBox& box) {
  box.setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  box.setMinimumContentsLength(4);
}

int bounded(double value) { return static_cast<int>(std::clamp(value, -2e9, 2e9)); }

}  // namespace

std::string option_label(const SettingInfo& info) {
  std::string name = spaced(info.name);
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

std::string option_object_name(const SettingInfo& info) { return "option_" + info.name; }

QComboBox* make_choice_box(QWidget* parent) {
  auto* box = new ChoiceBox(parent);
  let_shrink(*box);
  return box;
}

QWidget* make_form_widget(const SettingInfo& info, QWidget* parent, OptionChanged changed) {
  if (info.kind == SettingKind::choice || info.kind == SettingKind::boolean) {
    QWidget* made = make_option_widget(info, parent, std::move(changed));
    if (auto* box = qobject_cast<QComboBox*>(made)) let_shrink(*box);
    return made;
  }
  auto* line = new QLineEdit(parent);
  line->setAcceptDrops(false);
  line->setObjectName(qtext(option_object_name(info)));
  QObject::connect(line, &QLineEdit::textEdited, line, [name = info.name, changed](const QString& text) {
    changed(name, text.trimmed().toStdString());
  });
  return line;
}

QWidget* make_option_widget(const SettingInfo& info, QWidget* parent, OptionChanged changed) {
  QWidget* made = nullptr;
  const std::string name = info.name;
  if (info.kind == SettingKind::choice) {
    auto* box = new ChoiceBox(parent);
    box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    for (const std::string& choice : info.choices) box->addItem(qtext(spaced(choice)), qtext(choice));
    QObject::connect(box, &QComboBox::activated, box, [box, name, changed](int) {
      changed(name, box->currentData().toString().toStdString());
    });
    made = box;
  } else if (info.kind == SettingKind::boolean) {
    auto* box = new QCheckBox(parent);
    QObject::connect(box, &QCheckBox::clicked, box,
                     [name, changed](bool on) { changed(name, on ? "true" : "false"); });
    made = box;
  } else if (info.kind == SettingKind::integer) {
    auto* box = new QSpinBox(parent);
    box->setRange(bounded(info.range.low), bounded(info.range.high));
    QObject::connect(box, &QSpinBox::valueChanged, box,
                     [name, changed](int value) { changed(name, std::to_string(value)); });
    made = box;
  } else {
    auto* box = new QLineEdit(parent);
    box->setAcceptDrops(false);  // a folder dropped here is meant for the window
    box->setMaximumWidth(120);
    QObject::connect(box, &QLineEdit::editingFinished, box,
                     [box, name, changed] { changed(name, box->text().toStdString()); });
    made = box;
  }
  made->setObjectName(qtext(option_object_name(info)));
  made->setToolTip(qtext(info.help));
  made->setAccessibleName(qtext(option_label(info)));
  return made;
}

void show_option_value(QWidget* widget, const SettingInfo&, const std::string& value) {
  const QSignalBlocker quiet(widget);
  if (auto* combo = qobject_cast<QComboBox*>(widget)) {
    // Several arrays at once are typed in recipes; they are an entry of their own while they are drawn.
    if (combo->findData(qtext(value)) < 0 && !value.empty())
      combo->addItem(qtext(spaced(value)), qtext(value));
    combo->setCurrentIndex(combo->findData(qtext(value)));
  } else if (auto* check = qobject_cast<QCheckBox*>(widget))
    check->setChecked(value == "true");
  else if (auto* spin = qobject_cast<QSpinBox*>(widget))
    spin->setValue(std::stoi(value));
  else if (auto* line = qobject_cast<QLineEdit*>(widget); line && line->text() != qtext(value))
    line->setText(qtext(value));
}

}  // namespace varve
