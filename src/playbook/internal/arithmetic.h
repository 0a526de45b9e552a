#pragma once
// Arithmetic of the expression language: int64 that never wraps, doubles, and + and * of text and
// lists. Booleans count as 0 and 1. Each returns false after failing the evaluation. Pure; any
// thread.
#include "playbook/internal/evaluation.h"

namespace tidemill::playbook::expr {

using BinaryFunction = bool (*)(Evaluation& e, Position at, const Value& a, const Value& b,
                                Value& out);

bool add(Evaluation& e, Position at, const Value& a, const Value& b, Value& out);
bool subtract(Evaluation& e, Position at, const Value& a, const Value& b, Value& out);
bool multiply(Evaluation& e, Position at, const Value& a, const Value& b, Value& out);
bool divide(Evaluation& e, Position at, const Value& a, const Value& b, Value& out);  // double
bool floor_divide(Evaluation& e, Position at, const Value& a, const Value& b, Value& out);  // //
bool modulo(Evaluation& e, Position at, const Value& a, const Value& b, Value& out);
bool power(Evaluation& e, Position at, const Value& a, const Value& b, Value& out);
bool negate(Evaluation& e, Position at, const Value& a, Value& out);

}  // namespace tidemill::playbook::expr
