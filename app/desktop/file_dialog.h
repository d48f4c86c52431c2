// The file dialogs of the window, which list what is there and never open it.
#pragma once

#include <QString>
#include <QWidget>

namespace varve {

// Each gives the path that was chosen, empty where none was.
QString ask_folder(QWidget* parent, const QString& title);
QString ask_file_to_read(QWidget* parent, const QString& title);
// `proposed` is a name in the folder asked last, or a whole path; `kinds` as in "Pictures (*.svg *.pdf)".
QString ask_file_to_write(QWidget* parent, const QString& title, const QString& proposed,
                          const QString& kinds);

}  // namespace varve
