#pragma once
// Links the names of a document: arcs to steps, the start, the final step, tools to the workbook;
// then the analysis of the graph. Used by compile(); one thread.
#include "playbook/internal/document.h"

namespace tidemill::playbook {

// Moves the steps into document.plan. With errors the plan is complete enough to be checked
// further.
void link_steps(const Check& check, Document& document);

// The tool of the workbook that `tool` names, null when it names none or by a template.
const Tool* find_workbook_tool(const Plan& plan, const Tool& tool);

// The text of a constant string, "" for anything else.
std::string constant_text(const InputTree* tree);
std::string constant_text(const Template& text);

}  // namespace tidemill::playbook
