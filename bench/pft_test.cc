// The pft workload's own parts: its data, its server, and the bare loop at a tenth of the size.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "bench/workloads/pft/bare_loop.h"
#include "bench/workloads/pft/spec.h"
#include "bench/workloads/pft/stub_api.h"
#include "playbook/compile.h"

namespace tidemill::bench::pft {
namespace {

TEST(PftSpecTest, TheTotalsAreThoseOfTheWorkload) {
  const Totals totals = expected_totals();
  EXPECT_EQ(totals.pages, (std::array<int64_t, kTypes>{29'898, 19'907, 25'024, 10'000, 10'000}));
  EXPECT_EQ(totals.mds, 10'000);
  EXPECT_EQ(totals.all(), 104'829);
}

TEST(PftSpecTest, Answers) {
  std::string body;
  EXPECT_EQ(respond("/api/v1/patient/vital_signs?patientId=7&page=1&pageSize=10", body), 200);
  EXPECT_TRUE(body.starts_with(R"({"data": [{"id": "VITA-7-p1-i0", "patientId": 7, )")) << body;
  EXPECT_NE(body.find(R"("paging": {"hasMore": false, "page": 1, "pageSize": 10)"),
            std::string::npos);
  for (const char* wrong : {"/api/v1/patient/vital_signs?patientId=7&page=2",
                            "/api/v1/patient/vital_signs?patientId=0&page=1",
                            "/api/v1/patient/vital_signs?patientId=10001&page=1",
                            "/api/v1/patient/other?patientId=7&page=1", "/"}) {
    EXPECT_EQ(respond(wrong, body), 404) << wrong;
  }
  EXPECT_EQ(respond("/api/v1/patient/demographics?patientId=10000", body), 200);
  EXPECT_EQ(respond("/api/v1/mds/assessment/MDS-3", body), 200);
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(PftPlaybooksTest, TheyCompileForBothSinks) {
  for (const std::string folder : {"examples/pft/", "examples/pft/postgres/"}) {
    for (const char* name : {"pft", "facility", "facility_by_type", "mds_batch"}) {
      const std::string path = folder + name + ".yaml";
      const playbook::Compiled compiled = playbook::compile(text_of(path), path);
      EXPECT_NE(compiled.plan, nullptr) << path;
      for (const auto& d : compiled.diagnostics) {
        ADD_FAILURE() << playbook::format(d, path, text_of(path));
      }
    }
  }
}

TEST(PftPlaybooksTest, TheSinksDifferOnlyInTheKindOfTool) {
  for (const char* name : {"facility", "facility_by_type", "mds_batch"}) {
    std::string sqlite = text_of(std::string("examples/pft/") + name + ".yaml");
    for (size_t at = 0; (at = sqlite.find("kind: sqlite")) != std::string::npos;) {
      sqlite.replace(at, 12, "kind: postgres");
    }
    EXPECT_EQ(sqlite, text_of(std::string("examples/pft/postgres/") + name + ".yaml")) << name;
  }
}

class BareLoopTest : public ::testing::Test {
 protected:
  BareLoopTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tidemill_bare_XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~BareLoopTest() override { std::filesystem::remove_all(folder_); }

  BareLoopResult run(StubApi& api, Variant variant) {
    auto sink =
        open_sqlite_sink(folder_ + "/" + std::string(variant_name(variant)) + ".db", Tables::empty);
    EXPECT_TRUE(sink.ok());
    auto result = run_bare_loop(
        {.api = api.url(), .variant = variant, .in_flight = 64, .facilities = 1}, **sink);
    EXPECT_TRUE(result.ok()) << result.error().what;
    return result.ok() ? *result : BareLoopResult{};
  }

  std::string folder_;
};

TEST_F(BareLoopTest, OneFacilityIsExactInEveryVariant) {
  StubApi api({});
  ASSERT_TRUE(api.ok());
  for (const Variant variant : {Variant::sequential, Variant::types, Variant::facilities}) {
    const BareLoopResult r = run(api, variant);
    EXPECT_EQ(r.totals, expected_totals(1)) << variant_name(variant);
    EXPECT_EQ(r.unfinished, 0);
    EXPECT_EQ(r.requests, static_cast<uint64_t>(expected_totals(1).all()));
    EXPECT_EQ(api.counts().not_found, 0U);
  }
}

TEST_F(BareLoopTest, ErrorsAndLatencyChangeNothing) {
  StubApi api({.latency = microseconds(500), .error_rate = 0.05});
  ASSERT_TRUE(api.ok());
  const BareLoopResult r = run(api, Variant::facilities);
  EXPECT_EQ(r.totals, expected_totals(1));
  EXPECT_GT(r.repeated, 100U);
}

}  // namespace
}  // namespace tidemill::bench::pft
