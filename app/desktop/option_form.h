// Controls made from declared settings, so that a new option needs no window code.
#pragma once

#include <QComboBox>
#include <QWidget>
#include <functional>
#include <string>

#include "analysis/core/settings.h"

namespace varve {

using OptionChanged = std::function<void(const std::string& name, const std::string& value)>;

std::string option_label(const SettingInfo& info);        // "Color map" for color_map
std::string option_object_name(const SettingInfo& info);  // by which the control is found again
QComboBox* make_choice_box(QWidget* parent);              // with its arrow drawn
QWidget* make_option_widget(const SettingInfo& info, QWidget* parent, OptionChanged changed);
// For forms: numbers are written, so that what is wrong can be said beside them; reported with every letter.
QWidget* make_form_widget(const SettingInfo& info, QWidget* parent, OptionChanged changed);
void show_option_value(QWidget* widget, const SettingInfo& info, const std::string& value);

}  // namespace varve
