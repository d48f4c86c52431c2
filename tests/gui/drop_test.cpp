// A folder dropped on the window, sent as Qt sends it; in this process, since no test program can drag from
// another.
#include <QApplication>
#include <QDropEvent>
#include <QLineEdit>
#include <QMimeData>
#include <QSurfaceFormat>
#include <QUrl>

#include "app/desktop/main_window.h"
#include "tests/gui/desk.h"

namespace varve {
namespace {

class Drop : public OnTheDemoDesk {
 protected:
  void SetUp() override {
    OnTheDemoDesk::SetUp();
    if (IsSkipped()) return;
    for (const auto& [name, value] : desk_.environment()) setenv(name.c_str(), value.c_str(), 1);
    QSurfaceFormat format;
    format.setVersion(3, 3);
    format.setProfile(QSurfaceFormat::CoreProfile);
    QSurfaceFormat::setDefaultFormat(format);
    application_ = std::make_unique<QApplication>(argc_, argv_);
    DesktopOptions options;
    options.theme = "light";
    options.session = desk_.file("session.json");
    window_ = std::make_unique<MainWindow>(options);
    window_->show();
    QApplication::processEvents();
  }
  void TearDown() override {
    window_.reset();
    application_.reset();
  }
  // Offers and, where that is accepted, drops; true where both were taken.
  bool drop(const QMimeData& data) {
    const QPoint at(400, 300);
    QDragEnterEvent enter(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    enter.ignore();
    QApplication::sendEvent(window_.get(), &enter);
    if (!enter.isAccepted()) return false;
    QDropEvent drop(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    drop.ignore();
    QApplication::sendEvent(window_.get(), &drop);
    return drop.isAccepted();
  }
  template <class Holds>
  bool until(Holds holds) {
    return desk_.until([&] {
      QApplication::processEvents();
      return holds();
    });
  }

  int argc_ = 1;
  char name_[6] = "varve";
  char* argv_[2] = {name_, nullptr};
  DesktopUnderTest desk_;
  std::unique_ptr<QApplication> application_;
  std::unique_ptr<MainWindow> window_;
};

TEST_F(Drop, AFolderOnTheWindowIsOpened) {
  QMimeData data;
  data.setUrls({QUrl::fromLocalFile(QString::fromStdString(demo_))});
  EXPECT_TRUE(drop(data));
  EXPECT_TRUE(until([this] { return window_->windowTitle().startsWith("tiny-neox"); }))
      << window_->windowTitle().toStdString();
}

TEST_F(Drop, WordsAreNotTaken) {
  QMimeData data;
  data.setText("The king said");
  EXPECT_FALSE(drop(data));
}

TEST_F(Drop, AnAddressElsewhereIsNotTaken) {
  QMimeData data;
  data.setUrls({QUrl("https://example.org/model")});
  EXPECT_FALSE(drop(data));
}

TEST_F(Drop, NoFieldKeepsAFolderFromTheWindow) {
  for (const QLineEdit* field : window_->findChildren<QLineEdit*>())
    EXPECT_FALSE(field->acceptDrops()) << field->objectName().toStdString();
}

}  // namespace
}  // namespace varve
