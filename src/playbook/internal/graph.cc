#include "playbook/internal/graph.h"

#include <algorithm>
#include <utility>

namespace tidemill::playbook {
namespace {

constexpr auto kEveryArc = [](const GraphArc&) { return true; };
constexpr auto kForwardArcs = [](const GraphArc& arc) { return !arc.back; };

// Nodes reached from `roots` in order of their last visit; without recursion, for chains are long.
template <class Follow>
std::vector<uint32_t> post_order(const Graph& graph, const std::vector<uint32_t>& roots,
                                 Follow follow) {
  std::vector<uint32_t> order;
  std::vector<bool> seen(graph.size(), false);
  std::vector<std::pair<uint32_t, size_t>> stack;  // node, next arc
  for (uint32_t root : roots) {
    if (seen[root]) continue;
    seen[root] = true;
    stack.emplace_back(root, 0);
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      if (next == graph[node].size()) {
        order.push_back(node);
        stack.pop_back();
        continue;
      }
      const GraphArc& arc = graph[node][next++];
      if (seen[arc.to] || !follow(arc)) continue;
      seen[arc.to] = true;
      stack.emplace_back(arc.to, 0);
    }
  }
  return order;
}

template <class Follow>
std::vector<std::vector<uint32_t>> reversed(const Graph& graph, Follow follow) {
  std::vector<std::vector<uint32_t>> sources(graph.size());
  for (uint32_t node = 0; node < graph.size(); ++node) {
    for (const GraphArc& arc : graph[node]) {
      if (follow(arc)) sources[arc.to].push_back(node);
    }
  }
  return sources;
}

std::vector<uint32_t> all_nodes(const Graph& graph) {
  std::vector<uint32_t> nodes(graph.size());
  for (uint32_t i = 0; i < nodes.size(); ++i) nodes[i] = i;
  return nodes;
}

// First and last visit of each node in the tree of dominators: a dominates b exactly when a's
// interval holds b's.
struct Interval {
  uint32_t first = 0;
  uint32_t last = 0;
  bool holds(const Interval& other) const { return first <= other.first && other.last <= last; }
};

std::vector<Interval> dominator_intervals(const std::vector<uint32_t>& idom, uint32_t start) {
  Graph tree(idom.size());
  for (uint32_t node = 0; node < idom.size(); ++node) {
    if (idom[node] != kNone && node != start) tree[idom[node]].push_back({.to = node});
  }
  std::vector<Interval> intervals(idom.size(), {kNone, 0});
  // In post-order a subtree is contiguous and ends with its root.
  std::vector<uint32_t> order = post_order(tree, {start}, kEveryArc);
  std::vector<uint32_t> size(idom.size(), 1);
  for (uint32_t i = 0; i < order.size(); ++i) {
    uint32_t node = order[i];
    for (const GraphArc& child : tree[node]) size[node] += size[child.to];
    intervals[node] = {i + 1 - size[node], i};
  }
  return intervals;
}

// Strongly connected components along forward arcs (Kosaraju): the component of each node.
std::vector<uint32_t> components(const Graph& graph) {
  std::vector<uint32_t> order = post_order(graph, all_nodes(graph), kForwardArcs);
  std::vector<std::vector<uint32_t>> sources = reversed(graph, kForwardArcs);
  std::vector<uint32_t> component(graph.size(), kNone);
  std::vector<uint32_t> stack;
  for (auto root = order.rbegin(); root != order.rend(); ++root) {
    if (component[*root] != kNone) continue;
    component[*root] = *root;
    stack.push_back(*root);
    while (!stack.empty()) {
      uint32_t node = stack.back();
      stack.pop_back();
      for (uint32_t source : sources[node]) {
        if (component[source] != kNone) continue;
        component[source] = *root;
        stack.push_back(source);
      }
    }
  }
  return component;
}

std::vector<bool> has_back_arc(const Graph& graph) {
  std::vector<bool> targets(graph.size(), false);
  for (const auto& arcs : graph) {
    for (const GraphArc& arc : arcs) {
      if (arc.back) targets[arc.to] = true;
    }
  }
  return targets;
}

}  // namespace

std::vector<bool> find_reachable(const Graph& graph, uint32_t start) {
  std::vector<bool> reachable(graph.size(), false);
  for (uint32_t node : post_order(graph, {start}, kEveryArc)) reachable[node] = true;
  return reachable;
}

// Cooper, Harvey, Kennedy (2001): a simple, fast dominance algorithm.
std::vector<uint32_t> find_dominators(const Graph& graph, uint32_t start) {
  std::vector<uint32_t> order = post_order(graph, {start}, kEveryArc);
  std::vector<uint32_t> rank(graph.size(), kNone);
  for (uint32_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  std::vector<std::vector<uint32_t>> sources = reversed(graph, kEveryArc);
  std::vector<uint32_t> idom(graph.size(), kNone);
  idom[start] = start;
  auto common = [&](uint32_t a, uint32_t b) {
    while (a != b) {
      while (rank[a] < rank[b]) a = idom[a];
      while (rank[b] < rank[a]) b = idom[b];
    }
    return a;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (auto node = order.rbegin(); node != order.rend(); ++node) {
      if (*node == start) continue;
      uint32_t best = kNone;
      for (uint32_t source : sources[*node]) {
        if (idom[source] == kNone) continue;
        best = best == kNone ? source : common(best, source);
      }
      changed = changed || idom[*node] != best;
      idom[*node] = best;
    }
  }
  return idom;
}

void find_back_arcs(Graph& graph, uint32_t start) {
  std::vector<uint32_t> idom = find_dominators(graph, start);
  std::vector<Interval> intervals = dominator_intervals(idom, start);
  for (uint32_t node = 0; node < graph.size(); ++node) {
    for (GraphArc& arc : graph[node]) {
      bool known = idom[node] != kNone && idom[arc.to] != kNone;
      arc.back = arc.to == node || (known && intervals[arc.to].holds(intervals[node]));
    }
  }
  std::vector<uint32_t> component = components(graph);
  for (uint32_t node = 0; node < graph.size(); ++node) {
    for (GraphArc& arc : graph[node]) {
      if (component[node] == component[arc.to] && arc.to <= node) arc.back = true;
    }
  }
}

std::vector<std::vector<uint32_t>> find_dominated(const Graph& graph, uint32_t start) {
  std::vector<Interval> intervals = dominator_intervals(find_dominators(graph, start), start);
  std::vector<bool> looping = has_back_arc(graph);
  std::vector<std::vector<uint32_t>> dominated(graph.size());
  for (uint32_t node = 0; node < graph.size(); ++node) {
    if (!looping[node] || intervals[node].first == kNone) {
      dominated[node].push_back(node);
      continue;
    }
    for (uint32_t other = 0; other < graph.size(); ++other) {
      bool reachable = intervals[other].first != kNone;
      if (reachable && intervals[node].holds(intervals[other])) dominated[node].push_back(other);
    }
  }
  return dominated;
}

std::vector<std::vector<bool>> find_blockers(const Graph& graph, uint32_t start) {
  std::vector<bool> reachable = find_reachable(graph, start);
  std::vector<std::vector<uint32_t>> forward = reversed(graph, kForwardArcs);
  std::vector<std::vector<uint32_t>> sources = reversed(graph, kEveryArc);
  std::vector<std::vector<bool>> blockers(graph.size());
  std::vector<uint32_t> stack;
  for (uint32_t node = 0; node < graph.size(); ++node) {
    std::vector<bool>& seen = blockers[node];
    seen.assign(graph.size(), false);
    auto visit = [&](const std::vector<uint32_t>& from) {
      for (uint32_t source : from) {
        if (source == node || seen[source] || !reachable[source]) continue;
        seen[source] = true;
        stack.push_back(source);
      }
    };
    visit(forward[node]);
    while (!stack.empty()) {
      uint32_t last = stack.back();
      stack.pop_back();
      visit(sources[last]);
    }
  }
  return blockers;
}

}  // namespace tidemill::playbook
