#pragma once
// The graph of the steps: what is reachable from the start, who dominates whom, which arcs are back
// edges, and what holds back a join. Pure functions over indexes; any thread.
#include <cstdint>
#include <vector>

namespace tidemill::playbook {

struct GraphArc {
  uint32_t to = 0;
  bool back = false;  // found by find_back_arcs
};
using Graph = std::vector<std::vector<GraphArc>>;  // arcs by source; nodes are in document order

std::vector<bool> find_reachable(const Graph& graph, uint32_t start);

// Immediate dominator of each node; the start's is itself, an unreachable node's kNone.
inline constexpr uint32_t kNone = UINT32_MAX;
std::vector<uint32_t> find_dominators(const Graph& graph, uint32_t start);

// Marks the back arcs: those whose target dominates their source, and in a cycle that is left then
// (one with several entries), those that point to the same or an earlier node of the document.
// Without its back arcs a graph has no cycle.
void find_back_arcs(Graph& graph, uint32_t start);

// For each node that a back arc leads to, the nodes it dominates, itself included, in index order;
// for others the node alone.
std::vector<std::vector<uint32_t>> find_dominated(const Graph& graph, uint32_t start);

// blocked[x][l]: a path leads from l ≠ x to x, its last arc is no back arc, and it does not pass
// through x. Only reachable nodes block.
std::vector<std::vector<bool>> find_blockers(const Graph& graph, uint32_t start);

}  // namespace tidemill::playbook
