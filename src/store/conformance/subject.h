#pragma once
// What the suite runs on: a store that can be opened again, in a folder of its own. To add one, add
// a line to subjects(). Test code; one thread.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"

namespace tidemill::store {

// A new folder; in memory where the system has such a place, because a sync there costs nothing and
// what these tests look for does not depend on the disk.
inline std::string new_test_folder() {
  std::string pattern = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
  pattern += "/tidemill-store-XXXXXX";
  return ::mkdtemp(pattern.data());
}

class Subject {
 public:
  virtual ~Subject() = default;
  // Closes the store, if it is open, and opens it on what it left.
  virtual Store& reopen() = 0;
};

class MemorySubject : public Subject {
 public:
  Store& reopen() override {
    store_ = open_memory(contents_);
    return *store_;
  }

 private:
  std::shared_ptr<MemoryContents> contents_ = make_memory_contents();
  std::unique_ptr<Store> store_;
};

class SqliteSubject : public Subject {
 public:
  ~SqliteSubject() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Store& reopen() override {
    store_.reset();
    auto opened = open_sqlite(path(), {.log_pages = 256});
    if (!opened.ok()) ADD_FAILURE() << opened.error().what;
    store_ = std::move(opened).value();
    return *store_;
  }
  std::string path() const { return folder_ + "/run.db"; }

 private:
  std::string folder_ = new_test_folder();
  std::unique_ptr<Store> store_;
};

struct SubjectKind {
  const char* name;
  std::unique_ptr<Subject> (*make)();
};

inline const std::vector<SubjectKind>& subjects() {
  static const std::vector<SubjectKind> all = {
      {"memory", []() -> std::unique_ptr<Subject> { return std::make_unique<MemorySubject>(); }},
      {"sqlite", []() -> std::unique_ptr<Subject> { return std::make_unique<SqliteSubject>(); }},
  };
  return all;
}

}  // namespace tidemill::store
