// varve tokenize: the ids, pieces and byte places a series' own tokenizer gives a text.
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/model/tokenizer.h"
#include "app/console/json_text.h"
#include "app/console/source.h"
#include "app/console/table.h"
#include "app/verbs/verb.h"

namespace varve {
namespace {

constexpr int64_t text_limit_bytes = 1 << 30;

struct Request {
  std::filesystem::path source, file;
  std::string text;
  bool has_text = false, has_file = false;
};

int tokenize(const Request& request, Console& console) {
  if (request.has_text == request.has_file) fail_usage("give one of --text STR and --file F");
  const Tokenizer tokenizer(tokenizer_text(request.source));
  const std::string text = request.has_text ? request.text : read_file(request.file, text_limit_bytes);
  const std::vector<Token> tokens = tokenizer.encode(text);
  if (console.json) {
    Json ids = Json::array(), pieces = Json::array(), offsets = Json::array();
    for (const Token& token : tokens) {
      ids.push_back(token.id);
      pieces.push_back(show_piece(tokenizer.piece(token.id)));
      offsets.push_back({token.begin, token.end});
    }
    console.print(
        json_text(Json{{"ids", ids}, {"pieces", pieces}, {"offsets", offsets}, {"bytes", text.size()}}));
    return 0;
  }
  TextTable table({">pos", ">id", ">begin", ">end", "piece"});
  for (size_t i = 0; i < tokens.size(); ++i)
    table.row({fmt::format("{}", i), fmt::format("{}", tokens[i].id), fmt::format("{}", tokens[i].begin),
               fmt::format("{}", tokens[i].end), show_piece(tokenizer.piece(tokens[i].id))});
  console.print(table.text() + fmt::format("{} tokens from {} bytes", tokens.size(), text.size()));
  return 0;
}

}  // namespace

void add_tokenize(VerbCatalog& catalog) {
  catalog.add(
      {"tokenize", "show how a text becomes tokens",
       "varve tokenize pythia-70m.varve --text 'The capital of France is'", [](CLI::App& command) {
         auto request = std::make_shared<Request>();
         command.add_option("SOURCE", request->source, "a store, a model folder or a tokenizer.json")
             ->required();
         CLI::Option* const text = command.add_option("--text", request->text, "the text")->type_name("STR");
         CLI::Option* const file =
             command.add_option("--file", request->file, "a file that holds the text")->type_name("F");
         return [request, text, file](Console& console) {
           request->has_text = text->count() > 0;
           request->has_file = file->count() > 0;
           return tokenize(*request, console);
         };
       }});
}

}  // namespace varve
