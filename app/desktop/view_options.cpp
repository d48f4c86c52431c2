// Building the controls above a view, and keeping them to what is drawn.
#include "app/desktop/view_options.h"

#include <QComboBox>
#include <QLabel>
#include <QSignalBlocker>
#include <QSlider>
#include <algorithm>

#include "analysis/core/error.h"
#include "app/desktop/option_form.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/wrap_layout.h"
#include "app/session/session.h"

namespace varve {

namespace {

constexpr int widest_choice = 120, slider_width = 64;

std::vector<std::string> choices_of(const View& view, const Dataset& data, const std::string& option,
                                    const SettingValues& values) {
  if (!view.choices) return {};
  try {
    return view.choices(data, option, values);
  } catch (const Error&) {
    return {};  // the view itself says what is wrong with its options
  }
}

std::vector<FreeAxis> free_axes_of(const ViewContent& content) {
  if (!content.view->free_axes) return {};
  try {
    std::vector<FreeAxis> free = content.view->free_axes(*content.data, content.options, content.selection);
    // The step has its rail, and an axis of one place nothing to choose.
    std::erase_if(free, [](const FreeAxis& axis) { return axis.axis == "step" || axis.extent < 2; });
    return free;
  } catch (const Error&) {
    return {};
  }
}

std::string slider_words(const FreeAxis& axis) {
  return axis.axis + " " + (axis.name.empty() ? std::to_string(axis.index) : axis.name);
}

}  // namespace

ViewOptions::ViewOptions(Desk& desk, int64_t id, QWidget* parent)
    : QWidget(parent), desk_(desk), id_(id), row_(new WrapLayout(this)) {
  row_->setContentsMargins(10, 8, 10, 2);
  QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Preferred);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
}

bool ViewOptions::is_bare() const { return row_->count() == 0; }

int ViewOptions::height_in(int width) const { return is_bare() ? 0 : row_->heightForWidth(width); }

void ViewOptions::keep_room() {
  if (!parentWidget()) return;
  const int most = parentWidget()->height() * 2 / 5;
  int lines = 1;
  while (lines < 8 && row_->height_of(lines + 1) <= most) ++lines;
  if (const int limit = row_->height_of(lines); limit != maximumHeight()) setMaximumHeight(limit);
}

void ViewOptions::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  keep_room();
}

void ViewOptions::refresh(const ViewContent& content) {
  content_ = content;
  if (!content.view) return;
  const std::vector<FreeAxis> free = free_axes_of(content);
  std::vector<std::string> now{content.view->name};
  for (const SettingInfo& info : content.view->options)
    if (info.kind == SettingKind::text)
      for (const std::string& choice : choices_of(*content.view, *content.data, info.name, content.options))
        now.push_back(info.name + "=" + choice);
  for (const FreeAxis& axis : free) now.push_back(axis.axis + " of " + std::to_string(axis.extent));
  if (now != built_for_) {
    built_for_ = now;
    build(content, free);
  }
  keep_room();
  for (const SettingInfo& info : content.view->options)
    if (auto* widget = findChild<QWidget*>(qtext(option_object_name(info))))
      show_option_value(widget, info, content.options.at(info.name));
  for (const FreeAxis& axis : free) {
    if (auto* slider = findChild<QSlider*>(qtext("place_" + axis.axis))) {
      const QSignalBlocker quiet(slider);
      slider->setValue(static_cast<int>(axis.index));
    }
    if (QLabel* label = place_names_[axis.axis])
      label->setText(
          label->fontMetrics().elidedText(qtext(slider_words(axis)), Qt::ElideRight, label->width()));
  }
}

void ViewOptions::build(const ViewContent& content, const std::vector<FreeAxis>& free) {
  // Taken away under their names: what is found by name from here on is new.
  for (QWidget* old : findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly)) old->setObjectName({});
  row_->clear();
  place_names_.clear();
  for (const SettingInfo& info : content.view->options) {
    if (info.kind == SettingKind::text) {
      add_choices(info, choices_of(*content.view, *content.data, info.name, content.options));
      continue;
    }
    auto* label = new QLabel(qtext(option_label(info)), this);
    label->setObjectName("second");
    row_->add_pair(label,
                   make_option_widget(info, this, [this](const std::string& name, const std::string& value) {
                     change(name, value);
                   }));
  }
  for (const FreeAxis& axis : free) add_slider(axis);
  for (QWidget* made : findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly))
    if (row_->indexOf(made) >= 0) made->show();
  updateGeometry();
}

void ViewOptions::add_choices(const SettingInfo& info, const std::vector<std::string>& choices) {
  if (choices.size() < 2) return;
  auto* label = new QLabel(qtext(option_label(info)), this);
  label->setObjectName("second");
  SettingInfo chosen = info;
  chosen.kind = SettingKind::choice;
  chosen.choices = choices;
  QWidget* made = make_option_widget(
      chosen, this, [this](const std::string& name, const std::string& value) { change(name, value); });
  if (auto* box = qobject_cast<QComboBox*>(made)) box->insertItem(0, tr("automatic"), QString());
  made->setMaximumWidth(widest_choice);
  row_->add_pair(label, made);
}

void ViewOptions::add_slider(const FreeAxis& axis) {
  auto* label = new QLabel(this);
  label->setObjectName("second");
  // As wide as it will be, so that the row stays where it is while the slider moves.
  label->setFixedWidth(
      std::min(widest_choice, label->fontMetrics().horizontalAdvance(qtext(slider_words(axis))) + 8));
  place_names_[axis.axis] = label;
  auto* slider = new QSlider(Qt::Horizontal, this);
  slider->setObjectName(qtext("place_" + axis.axis));
  slider->setRange(0, static_cast<int>(axis.extent - 1));
  slider->setPageStep(1);
  slider->setFixedWidth(slider_width);
  slider->setToolTip(tr("Which place along %1 is shown, here and in all views").arg(qtext(axis.axis)));
  slider->setAccessibleName(qtext(axis.axis));
  connect(slider, &QSlider::valueChanged, this, [this, name = axis.axis](int place) {
    desk_.session->select({{name, place}});
    desk_.acted();
  });
  row_->add_pair(label, slider);
}

// Another array may lack what was chosen of the one before: such choices go back to automatic.
void ViewOptions::change(const std::string& name, const std::string& value) {
  if (!content_.view || !content_.data) return;
  desk_.session->change_view(id_, "change " + name, [&](OpenView& view) {
    view.options[name] = value;
    SettingValues all = content_.options;
    all[name] = value;
    for (const SettingInfo& info : content_.view->options) {
      const auto given = view.options.find(info.name);
      if (info.name == name || info.kind != SettingKind::text || given == view.options.end()) continue;
      all[info.name] = "";
      const std::vector<std::string> left = choices_of(*content_.view, *content_.data, info.name, all);
      if (!left.empty() && std::find(left.begin(), left.end(), given->second) == left.end())
        view.options.erase(given);
      else
        all[info.name] = given->second;
    }
  });
  desk_.acted();
}

}  // namespace varve
