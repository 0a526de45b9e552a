#pragma once
// LiveView: what a person sees of a run while it runs, on stderr. On a terminal a block that is
// redrawn in place: a line per step with a bar, the rate and the time left, failures above it as
// they happen. Otherwise one line every few seconds. Main thread.
#include <map>
#include <memory>
#include <string>

#include "client/local_run.h"
#include "playbook/plan.h"

namespace tidemill::cli {

class LiveView {
 public:
  enum class Style : uint8_t { terminal, lines, silent };
  // `all_failures`: the command that lists what is too much to show here.
  LiveView(Style style, playbook::PlanPtr plan, std::string all_failures);

  // The terminal or lines, whichever stderr is.
  static Style style_of_stderr();
  Duration interval() const;  // between updates

  void update(const client::Progress& progress);
  // Clears what was drawn and says the end.
  void finish(const client::Progress& progress);
  void say(const std::string& line);  // a line that stays

 private:
  struct Seen {  // of one step's epoch, for its rate
    uint32_t epoch = 0;
    SteadyTime since;
    uint64_t at_since = 0;
  };

  void draw(const client::Progress& progress);
  void print_line(const client::Progress& progress);
  void print_failures(const client::Progress& progress);
  std::string step_line(const client::StepProgress& step);
  void clear();

  Style style_;
  playbook::PlanPtr plan_;
  std::string all_failures_;
  SteadyTime started_;
  SteadyTime last_line_;
  uint64_t last_finished_ = 0;
  uint64_t failures_shown_ = 0;
  int lines_drawn_ = 0;
  std::map<uint32_t, Seen> seen_;
};

}  // namespace tidemill::cli
