#include "playbook/internal/graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace tidemill::playbook {
namespace {

using Arcs = std::vector<std::pair<uint32_t, uint32_t>>;

Graph make(uint32_t nodes, const Arcs& arcs) {
  Graph graph(nodes);
  for (auto [from, to] : arcs) graph[from].push_back({.to = to});
  find_back_arcs(graph, 0);
  return graph;
}

std::string back_arcs(const Graph& graph) {
  std::string out;
  for (size_t from = 0; from < graph.size(); ++from) {
    for (const GraphArc& arc : graph[from]) {
      if (arc.back) out += std::to_string(from) + ">" + std::to_string(arc.to) + " ";
    }
  }
  return out;
}

std::string blockers_of(const Graph& graph, uint32_t node) {
  std::string out;
  std::vector<bool> blockers = find_blockers(graph, 0)[node];
  for (size_t i = 0; i < blockers.size(); ++i) {
    if (blockers[i]) out += std::to_string(i) + " ";
  }
  return out;
}

TEST(Graph, a_loop_with_one_entry_goes_back_by_dominance) {
  // The arc 3>1 leads back although 1 comes before 3 anyway; 2>3 leads on although 3 is listed
  // last.
  Graph graph = make(5, {{0, 1}, {1, 2}, {2, 3}, {3, 1}, {2, 4}});
  EXPECT_EQ(back_arcs(graph), "3>1 ");
}

TEST(Graph, the_order_of_the_document_does_not_matter_in_a_loop_with_one_entry) {
  // 0 > 3 > 1 > 2 > 3: steps listed out of order.
  Graph graph = make(4, {{0, 3}, {3, 1}, {1, 2}, {2, 3}});
  EXPECT_EQ(back_arcs(graph), "2>3 ");
}

TEST(Graph, in_a_cycle_with_two_entries_the_document_decides) {
  Graph graph = make(3, {{0, 1}, {0, 2}, {1, 2}, {2, 1}});
  EXPECT_EQ(back_arcs(graph), "2>1 ");
}

TEST(Graph, a_step_that_follows_itself_goes_back) {
  Graph graph = make(2, {{0, 0}, {0, 1}});
  EXPECT_EQ(back_arcs(graph), "0>0 ");
}

TEST(Graph, a_join_waits_for_what_may_still_reach_it) {
  Graph graph = make(4, {{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  EXPECT_EQ(blockers_of(graph, 3), "0 1 2 ");
  EXPECT_EQ(blockers_of(graph, 1), "0 ");
}

TEST(Graph, a_back_arc_holds_nothing_back_by_itself) {
  // 1 > 2 > 1 is a loop, 3 follows it: 2 blocks 3 through the back arc, but not 1.
  Graph graph = make(4, {{0, 1}, {1, 2}, {2, 1}, {1, 3}});
  EXPECT_EQ(blockers_of(graph, 1), "0 ");
  EXPECT_EQ(blockers_of(graph, 3), "0 1 2 ");
}

TEST(Graph, paths_through_the_step_itself_do_not_count) {
  // 3 follows 2 only; 2 does not wait for 3 although 3 leads back to 1.
  Graph graph = make(4, {{0, 1}, {1, 2}, {2, 3}, {3, 1}});
  EXPECT_EQ(blockers_of(graph, 2), "0 1 3 ");
}

TEST(Graph, steps_entered_anew_are_those_that_the_target_dominates) {
  Graph graph = make(5, {{0, 1}, {1, 2}, {2, 3}, {3, 1}, {2, 4}});
  std::vector<std::vector<uint32_t>> dominated = find_dominated(graph, 0);
  EXPECT_EQ(dominated[1], (std::vector<uint32_t>{1, 2, 3, 4}));
  EXPECT_EQ(dominated[2], (std::vector<uint32_t>{2}));
}

// ---- against the definitions, on random graphs ----

struct Random {
  uint64_t state;
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(mix64(state++) % n); }
};

std::vector<bool> reach(const Graph& graph, uint32_t from, uint32_t without) {
  std::vector<bool> seen(graph.size(), false);
  if (from == without) return seen;
  std::vector<uint32_t> stack = {from};
  seen[from] = true;
  while (!stack.empty()) {
    uint32_t node = stack.back();
    stack.pop_back();
    for (const GraphArc& arc : graph[node]) {
      if (arc.to == without || seen[arc.to]) continue;
      seen[arc.to] = true;
      stack.push_back(arc.to);
    }
  }
  return seen;
}

bool dominates(const Graph& graph, uint32_t a, uint32_t b) {
  return a == b || !reach(graph, 0, a)[b];
}

bool has_cycle_without_back_arcs(const Graph& graph) {
  std::vector<size_t> incoming(graph.size(), 0);
  for (const auto& arcs : graph) {
    for (const GraphArc& arc : arcs) incoming[arc.to] += arc.back ? 0 : 1;
  }
  std::vector<uint32_t> ready;
  for (uint32_t i = 0; i < graph.size(); ++i) {
    if (incoming[i] == 0) ready.push_back(i);
  }
  size_t done = 0;
  while (!ready.empty()) {
    uint32_t node = ready.back();
    ready.pop_back();
    ++done;
    for (const GraphArc& arc : graph[node]) {
      if (!arc.back && --incoming[arc.to] == 0) ready.push_back(arc.to);
    }
  }
  return done != graph.size();
}

bool blocks(const Graph& graph, uint32_t blocker, uint32_t node) {
  if (blocker == node) return false;
  std::vector<bool> reached = reach(graph, blocker, node);
  for (uint32_t source = 0; source < graph.size(); ++source) {
    for (const GraphArc& arc : graph[source]) {
      if (arc.to == node && !arc.back && reached[source]) return true;
    }
  }
  return false;
}

TEST(Graph, agrees_with_the_definitions_on_random_graphs) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Random random{seed * 1000};
    const uint32_t nodes = 2 + random.below(9);
    Arcs arcs;
    for (uint32_t i = random.below(3 * nodes); i > 0; --i)
      arcs.emplace_back(random.below(nodes), random.below(nodes));
    Graph graph = make(nodes, arcs);
    std::vector<bool> reachable = reach(graph, 0, kNone);
    EXPECT_EQ(find_reachable(graph, 0), reachable) << seed;
    EXPECT_FALSE(has_cycle_without_back_arcs(graph)) << seed;
    std::vector<std::vector<bool>> blockers = find_blockers(graph, 0);
    for (uint32_t a = 0; a < nodes; ++a) {
      for (const GraphArc& arc : graph[a]) {
        if (reachable[a] && dominates(graph, arc.to, a)) {
          EXPECT_TRUE(arc.back) << seed;
        } else if (arc.back) {
          EXPECT_LE(arc.to, a) << seed;
        }
      }
      for (uint32_t b = 0; b < nodes; ++b)
        EXPECT_EQ(blockers[a][b], reachable[b] && blocks(graph, b, a))
            << seed << " " << a << " " << b;
    }
  }
}

TEST(Graph, dominators_are_the_nearest_of_those_on_every_path) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random{seed * 77777};
    const uint32_t nodes = 2 + random.below(8);
    Arcs arcs;
    for (uint32_t i = random.below(3 * nodes); i > 0; --i)
      arcs.emplace_back(random.below(nodes), random.below(nodes));
    Graph graph = make(nodes, arcs);
    std::vector<uint32_t> idom = find_dominators(graph, 0);
    std::vector<bool> reachable = reach(graph, 0, kNone);
    for (uint32_t node = 1; node < nodes; ++node) {
      if (!reachable[node]) {
        EXPECT_EQ(idom[node], kNone) << seed;
        continue;
      }
      ASSERT_NE(idom[node], kNone) << seed;
      EXPECT_TRUE(dominates(graph, idom[node], node)) << seed;
      for (uint32_t other = 0; other < nodes; ++other) {
        if (other == node || !dominates(graph, other, node)) continue;
        EXPECT_TRUE(dominates(graph, other, idom[node])) << seed;
      }
    }
  }
}

TEST(Graph, a_chain_of_ten_thousand_is_no_trouble) {
  constexpr uint32_t kNodes = 10'000;
  Graph graph(kNodes);
  for (uint32_t i = 0; i + 1 < kNodes; ++i) graph[i].push_back({.to = i + 1});
  graph[kNodes - 1].push_back({.to = 0});
  find_back_arcs(graph, 0);
  EXPECT_EQ(back_arcs(graph), "9999>0 ");
  EXPECT_EQ(find_dominated(graph, 0)[0].size(), kNodes);
}

}  // namespace
}  // namespace tidemill::playbook
