#pragma once
// The data of the pft workload, computed and never stored: which patients a facility has, how many
// pages each has of each type, what is on a page, and the exact totals a run must reach. Pure; any
// thread.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemill::bench::pft {

inline constexpr int kFacilities = 10;
inline constexpr int kPatientsPerFacility = 1'000;
inline constexpr int kPatients = kFacilities * kPatientsPerFacility;
inline constexpr int kRecordsPerPage = 10;
inline constexpr int kMdsBatch = 50;

enum class Type : uint8_t { assessments, conditions, medications, vital_signs, demographics };
inline constexpr int kTypes = 5;
std::string_view type_name(Type type);
std::optional<Type> type_named(std::string_view name);

// Patients first … last, both included.
struct Patients {
  int first;
  int last;
};
constexpr Patients patients_of(int facility) {
  return {(facility - 1) * kPatientsPerFacility + 1, facility * kPatientsPerFacility};
}

int page_count(int patient, Type type);  // 1 for demographics

// Bodies of answers, as JSON.
void write_page(int patient, Type type, int page, std::string& out);  // page within page_count
void write_demographics(int patient, std::string& out);
void write_mds(std::string_view id, std::string& out);

// What a whole run asks for and saves.
struct Totals {
  std::array<int64_t, kTypes> pages{};  // by type; demographics count one page a patient
  int64_t mds = 0;
  int64_t all() const;
  bool operator==(const Totals&) const = default;
};
Totals expected_totals(int facilities = kFacilities);

}  // namespace tidemill::bench::pft
