// The file dialogs of the window: Qt's own, with icons and kinds told from names instead of contents.
#include "app/desktop/file_dialog.h"

#include <QApplication>
#include <QFileDialog>
#include <QFileIconProvider>
#include <QFileInfo>
#include <QStyle>

namespace varve {

namespace {

// Qt's provider reads the head of every listed file to tell its kind, on the window's thread too, and some
// never answer: /proc/kmsg, or a file on a server that is gone. The dialog lists in a thread of its own, so
// the icons are made beforehand and only handed out.
class NameOnlyIcons : public QFileIconProvider {
 public:
  NameOnlyIcons()
      : folder_(QApplication::style()->standardIcon(QStyle::SP_DirIcon)),
        file_(QApplication::style()->standardIcon(QStyle::SP_FileIcon)),
        drive_(QApplication::style()->standardIcon(QStyle::SP_DriveHDIcon)),
        computer_(QApplication::style()->standardIcon(QStyle::SP_ComputerIcon)) {}

  QIcon icon(IconType type) const override {
    switch (type) {
      case Computer:
      case Desktop:
        return computer_;
      case Drive:
      case Network:
        return drive_;
      case Folder:
      case Trashcan:
        return folder_;
      case File:
        break;
    }
    return file_;
  }
  QIcon icon(const QFileInfo& info) const override {
    if (info.isRoot()) return drive_;
    return info.isDir() ? folder_ : file_;
  }
  QString type(const QFileInfo& info) const override {
    if (info.isDir()) return QFileDialog::tr("Folder");
    return info.suffix().isEmpty() ? QFileDialog::tr("File") : QFileDialog::tr("%1 File").arg(info.suffix());
  }

 private:
  QIcon folder_, file_, drive_, computer_;
};

QString asked(QWidget* parent, const QString& title, QFileDialog::FileMode mode,
              QFileDialog::AcceptMode accept, const QString& proposed = {}, const QString& kinds = {}) {
  static QString last_folder;
  // Its icons have to outlive the dialog: the thread that lists may still ask for one while it closes.
  NameOnlyIcons icons;
  QFileDialog dialog(parent, title);
  dialog.setOption(QFileDialog::DontUseNativeDialog);
  dialog.setIconProvider(&icons);
  dialog.setFileMode(mode);
  dialog.setAcceptMode(accept);
  dialog.setOption(QFileDialog::ShowDirsOnly, mode == QFileDialog::Directory);
  if (!kinds.isEmpty()) dialog.setNameFilter(kinds);
  const QString began = dialog.directory().absolutePath();
  const QFileInfo file(proposed);
  if (!proposed.isEmpty() && file.isAbsolute())
    dialog.setDirectory(file.absolutePath());
  else if (!last_folder.isEmpty())
    dialog.setDirectory(last_folder);
  if (!proposed.isEmpty()) dialog.selectFile(file.fileName());
  QString chosen;
  if (dialog.exec() == QDialog::Accepted) {
    chosen = dialog.selectedFiles().value(0);
    last_folder = dialog.directory().absolutePath();
  }
  // Qt's memory of the last folder is left as it was: the next dialog begins there with Qt's own icons,
  // which read, before it can be given these.
  dialog.setDirectory(began);
  return chosen;
}

}  // namespace

QString ask_folder(QWidget* parent, const QString& title) {
  return asked(parent, title, QFileDialog::Directory, QFileDialog::AcceptOpen);
}

QString ask_file_to_read(QWidget* parent, const QString& title) {
  return asked(parent, title, QFileDialog::ExistingFile, QFileDialog::AcceptOpen);
}

QString ask_file_to_write(QWidget* parent, const QString& title, const QString& proposed,
                          const QString& kinds) {
  return asked(parent, title, QFileDialog::AnyFile, QFileDialog::AcceptSave, proposed, kinds);
}

}  // namespace varve
