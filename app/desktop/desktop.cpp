// Starting the desktop: arguments, the GL format, the window.
#include "app/desktop/desktop.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QSurfaceFormat>

#include "app/desktop/main_window.h"
#include "app/session/session_file.h"

namespace varve {

int run_desktop(int argc, char** argv) {
  QSurfaceFormat format;
  format.setVersion(3, 3);
  format.setProfile(QSurfaceFormat::CoreProfile);
  QSurfaceFormat::setDefaultFormat(format);
  QApplication application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("varve"));
  QApplication::setApplicationVersion(QStringLiteral(VARVE_VERSION));

  QCommandLineParser parser;
  parser.setApplicationDescription(
      QStringLiteral("Varve: look at a model's training, checkpoint by checkpoint."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addPositionalArgument("series", "A store, a model folder, a folder of steps or a series.toml.",
                               "[SERIES]");
  const QCommandLineOption theme("theme", "light or dark.", "theme");
  const QCommandLineOption text("text", "A prompt to run once the series is open.", "prompt");
  const QCommandLineOption session("session", "The session file to use.", "file");
  QCommandLineOption state("state", "Write what is shown to this file after every change.", "file");
  state.setFlags(QCommandLineOption::HiddenFromHelp);
  parser.addOptions({theme, text, session, state});
  parser.process(application);
  if (parser.isSet(theme) && parser.value(theme) != "light" && parser.value(theme) != "dark") {
    qCritical("--theme is light or dark, not '%s'", qPrintable(parser.value(theme)));
    return 2;
  }

  DesktopOptions options;
  const QStringList series = parser.positionalArguments();
  if (!series.isEmpty()) options.open = series.front().toStdString();
  options.theme = parser.value(theme).toStdString();
  options.text = parser.value(text).toStdString();
  options.session = parser.isSet(session) ? std::filesystem::path(parser.value(session).toStdString())
                                          : default_session_file();
  options.state = parser.value(state).toStdString();
  options.program_folder = QCoreApplication::applicationDirPath().toStdString();
  MainWindow window(options);
  window.show();
  return QApplication::exec();
}

}  // namespace varve
