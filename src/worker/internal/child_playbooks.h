#pragma once
// ChildPlaybooks: the texts of playbooks that `playbook` tools name, from the places that
// playbook/child_places.h says; each text is made known to the server once. Owned by the Worker;
// its event thread only.
#include <functional>
#include <string>
#include <unordered_map>

#include "base/hash.h"
#include "base/result.h"
#include "wire/exchange.h"

namespace tidemill::worker {

class ChildPlaybooks {
 public:
  ChildPlaybooks(wire::Exchange& exchange, std::string base_folder)
      : exchange_(exchange), base_folder_(std::move(base_folder)) {}

  struct Found {
    std::string file;  // where it is: the playbooks it names are looked up beside it
    Sha256 hash{};     // under which the server knows the text
  };
  // Errors: not_found (says where it was looked for), and what put_plan() says. The callback may
  // come from within.
  using OnFound = std::function<void(Result<Found>)>;
  void find(const std::string& path, const std::string& parent_file, OnFound on_found);

 private:
  wire::Exchange& exchange_;
  std::string base_folder_;
  std::unordered_map<std::string, Found> known_;  // by folder of the parent and path
};

}  // namespace tidemill::worker
