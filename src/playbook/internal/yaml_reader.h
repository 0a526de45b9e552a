#pragma once
// YAML text to a tree with positions. Refuses what a playbook may not use: anchors, aliases, tags,
// duplicate keys, several documents, keys that are not plain words, depth and size beyond
// model/limits.h, bytes that are not UTF-8. Pure; any thread.
#include <optional>
#include <string_view>

#include "playbook/internal/diagnostics.h"
#include "playbook/internal/yaml_node.h"

namespace tidemill::playbook {

// None when the text could not be read to its end; else the tree, even when errors were reported.
std::optional<YamlNode> read_yaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace tidemill::playbook
