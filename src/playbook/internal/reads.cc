#include "playbook/internal/reads.h"

#include <algorithm>
#include <utility>

#include "playbook/internal/reference_walk.h"

namespace tidemill::playbook {
namespace {

// Up to the first position counted from the end: a part of a list has no end.
Path names_of(std::vector<std::string>::const_iterator begin,
              std::vector<std::string>::const_iterator end) {
  auto from_end = [](const std::string& part) { return !part.empty() && part.front() == '-'; };
  return Path(begin, std::find_if(begin, end, from_end));
}

// The path below a step's data that `output…` reads; none when it reads no data.
std::optional<Path> below_output(const std::vector<std::string>& path) {
  if (path.size() == 1) return Path{};
  if (path[1] == "status" || path[1] == "error" || path[1] == "http") return std::nullopt;
  return names_of(path.begin() + (path[1] == "data" ? 2 : 1), path.end());
}

// The same of `<step>…`.
std::optional<Path> below_step(const std::vector<std::string>& path) {
  if (path.size() == 1) return Path{};
  if (path[1] == "status" || path[1] == "error") return std::nullopt;
  return names_of(path.begin() + (path[1] == "data" ? 2 : 1), path.end());
}

class Reads {
 public:
  explicit Reads(Plan& plan) : plan_(plan), names_(plan), routing_(plan.steps.size()) {}

  void run() {
    for (uint32_t i = 0; i < plan_.steps.size(); ++i) {
      scope_.clear();
      loop_.clear();
      uses_input_ = false;
      walk_references(plan_, i, [this](const Site& site, const Reference& r) { look(site, r); });
      if (uses_input_) read_inputs(i);
      plan_.steps[i].scope_reads = without_nested(std::move(scope_));
      plan_.steps[i].loop_reads = without_nested(std::move(loop_));
    }
    for (uint32_t i = 0; i < plan_.steps.size(); ++i)
      plan_.steps[i].routing_reads = without_nested(std::move(routing_[i]));
  }

 private:
  void look(const Site& site, const Reference& r) {
    if (r.path.empty()) return;
    bool routes = site.place == Place::routing || site.place == Place::admit ||
                  site.place == Place::loop_source;
    if (routes) read_in_routing(site, r);
    if (site.place == Place::loop_source) read_in_scope(site, r, loop_);
    if (!routes) read_in_scope(site, r, scope_);
  }

  void read_in_routing(const Site& site, const Reference& r) {
    Meaning meaning = names_.meaning(site, r.path.front());
    if (meaning == Meaning::output && site.place == Place::routing) {
      add_routing(site.index, below_output(r.path));
    } else if (meaning == Meaning::step) {
      add_routing(names_.step_index.at(r.path.front()), below_step(r.path));
    } else if (meaning == Meaning::step_input) {
      uses_input_ = true;
    }
  }

  void add_routing(uint32_t step, std::optional<Path> path) {
    if (path) routing_[step].push_back(std::move(*path));
  }

  // Routing that reads an input reads what the input reads.
  void read_inputs(uint32_t index) {
    walk_references(plan_, index, [this](const Site& site, const Reference& r) {
      if (site.place != Place::step_input || r.path.empty()) return;
      if (names_.meaning(site, r.path.front()) == Meaning::step)
        add_routing(names_.step_index.at(r.path.front()), below_step(r.path));
      read_in_scope(site, r, loop_);
    });
  }

  void read_in_scope(const Site& site, const Reference& r, std::vector<Path>& out) {
    Meaning meaning = names_.meaning(site, r.path.front());
    if (meaning == Meaning::ctx) {
      out.push_back(names_of(r.path.begin(), r.path.end()));
    } else if (meaning == Meaning::step) {
      Path path = names_of(r.path.begin(), r.path.end());
      if (path.size() > 1 && path[1] == "data") path.erase(path.begin() + 1);
      out.push_back(std::move(path));
    }
  }

  Plan& plan_;
  Names names_;
  std::vector<std::vector<Path>> routing_;  // by step
  std::vector<Path> scope_;                 // of the step that is walked
  std::vector<Path> loop_;
  bool uses_input_ = false;
};

}  // namespace

void find_reads(Plan& plan) { Reads(plan).run(); }

std::vector<Path> without_nested(std::vector<Path> paths) {
  std::sort(paths.begin(), paths.end());
  std::vector<Path> kept;
  for (Path& path : paths) {  // a path follows every path that it lies below
    bool nested = !kept.empty() && kept.back().size() <= path.size() &&
                  std::equal(kept.back().begin(), kept.back().end(), path.begin());
    if (!nested) kept.push_back(std::move(path));
  }
  return kept;
}

}  // namespace tidemill::playbook
