// The rows and words of the results browser, from the session and what the store holds.
#pragma once

#include <string>
#include <vector>

#include "app/desktop/row_list.h"
#include "app/session/notes.h"
#include "app/session/results.h"
#include "app/session/why.h"

namespace varve {

std::string result_id(const StoredRun& run);
std::string first_key(const StoredRun& run);  // of its newest step

void add_series_rows(std::vector<ListRow>& rows, const Session& session);
void add_result_rows(std::vector<ListRow>& rows, const Session& session,
                     const std::vector<StoredRun>& results);
void add_probe_rows(std::vector<ListRow>& rows, const std::vector<StoredRun>& results);
void add_note_rows(std::vector<ListRow>& rows, const std::vector<Note>& notes);

std::string facts_html(const StoredRun& run, const Theme& theme);
std::string why_html(const WhyReport& report, const std::string& analysis, const Theme& theme);

}  // namespace varve
