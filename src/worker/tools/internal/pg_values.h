#pragma once
// PostgreSQL's text format to Values and back, and what an error of the server means. Pure but for
// reading libpq's result objects; any thread.
#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "model/outcome.h"
#include "playbook/value.h"

namespace tidemill::worker {

// A parameter in text format. The type is the one the same number would have as a literal, and left
// to the server for text.
struct PgParameter {
  Oid type = 0;
  std::string text;
};
PgParameter pg_parameter(const playbook::Value& value);  // number, boolean or string

// A column's text as JSON would have it: numbers, booleans, json and arrays as such, all else as
// text.
playbook::Value pg_value(std::string_view text, Oid type);

// {rows, row_count, columns}
playbook::Value pg_rows(const PGresult* result);

std::string pg_sqlstate(const PGresult* result);
// "23505: duplicate key … (detail) at: …" with the kind its class means.
TaskError pg_error(const PGresult* result, std::string_view statement);

}  // namespace tidemill::worker
