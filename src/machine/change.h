#pragma once
// Changes are records, and records are known to the store as well: they are defined in
// model/change.h.
#include "model/change.h"
