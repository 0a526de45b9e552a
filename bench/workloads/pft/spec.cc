#include <charconv>
#include <numeric>

#include "base/hash.h"
#include "bench/workloads/pft/spec.h"

namespace tidemill::bench::pft {

namespace {

struct TypeSpec {
  std::string_view name;
  std::string_view prefix;  // of record ids
  int fewest_pages;
  int most_pages;
};
constexpr std::array<TypeSpec, kTypes> kSpecs = {{{"assessments", "ASSE", 2, 4},
                                                  {"conditions", "COND", 1, 3},
                                                  {"medications", "MEDI", 2, 3},
                                                  {"vital_signs", "VITA", 1, 1},
                                                  {"demographics", "DEMO", 1, 1}}};
constexpr std::array<std::string_view, 4> kSections = {"A", "B", "C", "D"};
constexpr int kQuestions = 3;

const TypeSpec& spec_of(Type type) { return kSpecs[static_cast<size_t>(type)]; }

void add(std::string& out, int64_t number) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  out.append(buffer.data(), end);
}

// An MD5 as a big-endian number of 128 bits, modulo a small one.
int md5_mod(std::string_view text, int modulus) {
  int rest = 0;
  for (const uint8_t byte : md5(text)) rest = (rest * 256 + byte) % modulus;
  return rest;
}

}  // namespace

std::string_view type_name(Type type) { return spec_of(type).name; }

std::optional<Type> type_named(std::string_view name) {
  for (size_t i = 0; i < kSpecs.size(); ++i) {
    if (kSpecs[i].name == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

int page_count(int patient, Type type) {
  const TypeSpec& spec = spec_of(type);
  const int choices = spec.most_pages - spec.fewest_pages + 1;
  if (choices == 1) return spec.fewest_pages;
  return spec.fewest_pages +
         md5_mod(std::to_string(patient) + ":" + std::string(spec.name), choices);
}

void write_page(int patient, Type type, int page, std::string& out) {
  const TypeSpec& spec = spec_of(type);
  const int pages = page_count(patient, type);
  std::string seed = std::to_string(patient) + ":";
  seed += spec.name;
  seed += ":" + std::to_string(page);
  const int base = md5_mod(seed, 100);
  out += R"({"data": [)";
  for (int i = 0; i < kRecordsPerPage; ++i) {
    if (i > 0) out += ", ";
    out += R"({"id": ")";
    out += spec.prefix;
    out += '-';
    add(out, patient);
    out += "-p";
    add(out, page);
    out += "-i";
    add(out, i);
    out += R"(", "patientId": )";
    add(out, patient);
    out += R"(, "dataType": ")";
    out += spec.name;
    out += R"(", "value": )";
    add(out, (base + i) % 100);
    out += '}';
  }
  out += R"(], "paging": {"hasMore": )";
  out += page < pages ? "true" : "false";
  out += R"(, "page": )";
  add(out, page);
  out += R"(, "pageSize": )";
  add(out, kRecordsPerPage);
  out += R"(, "total": )";
  add(out, pages * kRecordsPerPage);
  out += "}}";
}

void write_demographics(int patient, std::string& out) {
  const int number = md5_mod(std::to_string(patient) + ":demographics", 80);
  out += R"({"data": {"patientId": )";
  add(out, patient);
  out += R"(, "name": "Patient )";
  add(out, patient);
  out += R"(", "birthYear": )";
  add(out, 1920 + number);
  out += R"(, "sex": ")";
  out += number % 2 == 0 ? "F" : "M";
  out += R"("}})";
}

void write_mds(std::string_view id, std::string& out) {
  const int base = md5_mod(id, 5);
  out += R"({"id": ")";
  out += id;
  out += R"(", "sections": {)";
  for (size_t s = 0; s < kSections.size(); ++s) {
    if (s > 0) out += ", ";
    out += '"';
    out += kSections[s];
    out += R"(": {"questions": [)";
    for (int q = 0; q < kQuestions; ++q) {
      if (q > 0) out += ", ";
      out += R"({"code": ")";
      out += kSections[s];
      add(out, 100 * (q + 1));
      out += R"(", "answer": )";
      add(out, (base + q + static_cast<int>(s)) % 5);
      out += '}';
    }
    out += "]}";
  }
  out += "}}";
}

int64_t Totals::all() const { return std::accumulate(pages.begin(), pages.end(), mds); }

Totals expected_totals(int facilities) {
  Totals totals;
  for (int patient = 1; patient <= facilities * kPatientsPerFacility; ++patient) {
    for (int t = 0; t < kTypes; ++t) {
      totals.pages[static_cast<size_t>(t)] += page_count(patient, static_cast<Type>(t));
    }
    ++totals.mds;
  }
  return totals;
}

}  // namespace tidemill::bench::pft
