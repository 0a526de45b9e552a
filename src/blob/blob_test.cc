// The promises of blob.h on every implementation, then what only a disk can do to it.
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "blob/disk/disk_blob_store.h"
#include "blob/memory/memory_blob_store.h"

namespace tidemill::blob {
namespace {

class BlobTest : public testing::Test {
 protected:
  BlobTest() {
    char pattern[] = "/tmp/tidemill-blob-XXXXXX";
    top_ = ::mkdtemp(pattern);
    folder_ = top_ + "/run.db.blobs";
  }
  ~BlobTest() override { std::filesystem::remove_all(top_); }

  std::string path_of(const Sha256& name) const {
    return folder_ + "/" + hex(name).substr(0, 2) + "/" + hex(name);
  }
  std::vector<std::string> leftovers() const { return os::list_folder(folder_ + "/new").value(); }

  std::string top_, folder_;
};

void expect_promises(BlobStore& blobs) {
  const std::string large(3'000'000, 'x');
  for (const std::string& bytes : {std::string(), std::string("a\0b", 3), large}) {
    EXPECT_FALSE(blobs.has(sha256(bytes)));
    EXPECT_EQ(blobs.get(sha256(bytes)).error().code, ErrorCode::not_found);
    EXPECT_EQ(blobs.put(bytes).value(), sha256(bytes));
    EXPECT_EQ(blobs.put(bytes).value(), sha256(bytes));
    EXPECT_TRUE(blobs.has(sha256(bytes)));
    EXPECT_EQ(*blobs.get(sha256(bytes)).value(), bytes);
  }
}

TEST_F(BlobTest, MemoryKeepsItsPromises) { expect_promises(*open_memory()); }

TEST_F(BlobTest, DiskKeepsItsPromisesAndHasThemAfterOpeningAgain) {
  expect_promises(*open_disk(folder_).value());
  EXPECT_EQ(*open_disk(folder_).value()->get(sha256("")).value(), "");
  EXPECT_TRUE(leftovers().empty());
}

TEST_F(BlobTest, NothingIsMadeBeforeTheFirstBlob) {
  ASSERT_TRUE(open_disk(folder_).ok());
  EXPECT_FALSE(os::exists(folder_));
}

TEST_F(BlobTest, DamagedBytesAreRefusedAndPutRepairsACutOffFile) {
  const auto blobs = open_disk(folder_).value();
  const Sha256 name = blobs->put("some bytes").value();
  std::filesystem::remove(path_of(name));
  ASSERT_TRUE(os::write_file_atomic(path_of(name), "sOme bytes").ok());
  const auto damaged = blobs->get(name);
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, ErrorCode::corrupt);
  EXPECT_NE(damaged.error().what.find(path_of(name)), std::string::npos);
  std::filesystem::resize_file(path_of(name), 3);
  EXPECT_EQ(blobs->get(name).error().code, ErrorCode::corrupt);
  ASSERT_TRUE(blobs->put("some bytes").ok());
  EXPECT_EQ(*blobs->get(name).value(), "some bytes");
}

TEST_F(BlobTest, AFullDiskLeavesNothingAndIsToldApart) {
  bool full = true;
  DiskOptions options;
  options.write = [&](os::File& file, std::string_view bytes) -> Status {
    if (!full) return file.write(bytes);
    TIDEMILL_CHECK(file.write(bytes.substr(0, bytes.size() / 2)));
    return os::system_error(ENOSPC, "write", file.path());
  };
  const auto blobs = open_disk(folder_, options).value();
  const auto refused = blobs->put("some bytes");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::disk_full);
  EXPECT_FALSE(blobs->has(sha256("some bytes")));
  EXPECT_TRUE(leftovers().empty());
  full = false;
  EXPECT_TRUE(blobs->put("some bytes").ok());
  EXPECT_TRUE(blobs->has(sha256("some bytes")));
}

TEST_F(BlobTest, WhatADeadProcessWasWritingIsRemoved) {
  ASSERT_TRUE(open_disk(folder_).value()->put("whole").ok());
  ASSERT_TRUE(os::write_file_atomic(folder_ + "/new/1", "half").ok());
  const auto blobs = open_disk(folder_).value();
  EXPECT_TRUE(leftovers().empty());
  EXPECT_TRUE(blobs->has(sha256("whole")));
}

TEST_F(BlobTest, AReaderWritesNothing) {
  const auto none = open_disk_reader(folder_).value();
  EXPECT_EQ(none->get(sha256("x")).error().code, ErrorCode::not_found);
  EXPECT_EQ(none->put("x").error().code, ErrorCode::denied);
  ASSERT_TRUE(open_disk(folder_).value()->put("x").ok());
  ASSERT_TRUE(os::write_file_atomic(folder_ + "/new/1", "being written").ok());
  EXPECT_EQ(*open_disk_reader(folder_).value()->get(sha256("x")).value(), "x");
  EXPECT_EQ(leftovers().size(), 1U);
}

}  // namespace
}  // namespace tidemill::blob
