// Files, folders and the ownership lock on a real file system, in a folder of their own.
#include "os/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "os/clock.h"

namespace tidemill::os {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    char pattern[] = "/tmp/tidemill-file-XXXXXX";
    folder_ = ::mkdtemp(pattern);
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }
  std::string at(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
};

TEST_F(FileTest, AFileThatAPersonNamesIsBounded) {
  ASSERT_TRUE(write_file_atomic(at("a"), "12345").ok());
  EXPECT_EQ(read_regular_file(at("a"), 5).value(), "12345");
  const auto more = read_regular_file(at("a"), 4);
  EXPECT_EQ(more.error().code, ErrorCode::too_large);
  EXPECT_EQ(more.error().what, "read " + at("a") + ": it has more than 4 bytes");
  EXPECT_EQ(read_regular_file(at("none"), 5).error().code, ErrorCode::not_found);
}

TEST_F(FileTest, WhatIsNoFileIsNotRead) {
  ASSERT_EQ(::symlink("/dev/zero", at("zero").c_str()), 0);
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  const auto said = [&](const std::string& path) {
    const auto read = read_regular_file(path, 100);
    EXPECT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::invalid);
    return read.error().what.substr(("read " + path + ": ").size());
  };
  EXPECT_EQ(said(at("zero")), "this is a device; expected a file of text");
  EXPECT_EQ(said(at("pipe")), "this is a pipe; expected a file of text");
  EXPECT_EQ(said(folder_), "this is a folder; expected a file of text");
}

TEST_F(FileTest, WhatIsWrittenIsRead) {
  {
    auto file = File::open(at("a"), File::Mode::create);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write("one").ok());
    ASSERT_TRUE(file->sync().ok());
  }
  auto more = File::open(at("a"), File::Mode::append);
  ASSERT_TRUE(more->write(" two").ok());
  EXPECT_EQ(read_file(at("a")).value(), "one two");
  EXPECT_EQ(file_size(at("a")).value(), 7U);
  EXPECT_EQ(File::open(at("a"), File::Mode::create).error().code, ErrorCode::conflict);
}

TEST_F(FileTest, AnAtomicWriteReplacesTheWholeFileAndLeavesNothingElse) {
  ASSERT_TRUE(write_file_atomic(at("a"), std::string(100'000, 'x')).ok());
  ASSERT_TRUE(write_file_atomic(at("a"), "short").ok());
  EXPECT_EQ(read_file(at("a")).value(), "short");
  EXPECT_EQ(list_folder(folder_).value(), std::vector<std::string>{"a"});
}

TEST_F(FileTest, ErrorsNameThePathAndTheReason) {
  const auto missing = read_file(at("none"));
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().what, "open " + at("none") + ": No such file or directory");
  EXPECT_EQ(remove_file(at("none")).error().code, ErrorCode::not_found);
  EXPECT_EQ(list_folder(at("none")).error().code, ErrorCode::not_found);
  EXPECT_EQ(write_file_atomic(at("none/a"), "x").error().code, ErrorCode::not_found);
}

TEST_F(FileTest, AFullDiskIsToldApart) {
  auto full = File::open("/dev/full", File::Mode::append);
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->write("x").error().code, ErrorCode::disk_full);
  EXPECT_EQ(system_error(EDQUOT, "write", "a").code, ErrorCode::disk_full);
  EXPECT_EQ(system_error(EROFS, "open", "a").code, ErrorCode::denied);
  EXPECT_EQ(system_error(EACCES, "open", "a").code, ErrorCode::denied);
  EXPECT_EQ(system_error(EFBIG, "write", "a").code, ErrorCode::disk_full);
  EXPECT_EQ(system_error(EIO, "sync", "a").code, ErrorCode::io);
}

TEST_F(FileTest, FoldersAreMadeWithThoseAboveThem) {
  ASSERT_TRUE(make_folders(at("a/b/c")).ok());
  ASSERT_TRUE(make_folders(at("a/b/c")).ok());
  EXPECT_TRUE(exists(at("a/b/c")));
  ASSERT_TRUE(write_file_atomic(at("file"), "x").ok());
  EXPECT_FALSE(make_folders(at("file/below")).ok());
}

TEST_F(FileTest, FolderOfAPath) {
  const std::pair<const char*, const char*> cases[] = {
      {"a", "."}, {"a/b", "a"}, {"/a", "/"}, {"/a/b/", "/a"}, {"a//b", "a"}, {"", "."}, {"/", "/"}};
  for (const auto& [path, folder] : cases) EXPECT_EQ(folder_of(path), folder) << path;
}

TEST_F(FileTest, ASecondOwnerIsToldTheFirst) {
  const std::string path = at("run.db.lock");
  EXPECT_FALSE(FileLock::owner(path).has_value());
  {
    const auto first = FileLock::take(path);
    ASSERT_TRUE(first.ok());
    const auto second = FileLock::take(path);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::conflict);
    EXPECT_EQ(second.error().what, path + " is held by process " + std::to_string(process_id()) +
                                       " on host " + host_name());
    ASSERT_TRUE(FileLock::owner(path).has_value());
    EXPECT_EQ(FileLock::owner(path)->pid, process_id());
  }
  EXPECT_FALSE(FileLock::owner(path).has_value());
  EXPECT_TRUE(FileLock::take(path).ok());
}

TEST_F(FileTest, TheLockEndsWithItsProcess) {
  const std::string path = at("run.db.lock");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = FileLock::take(path);
    const char answer = lock.ok() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  const auto refused = FileLock::take(path);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("process " + std::to_string(child)), std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::take(path).ok());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(FileTest, ALockFileWithOtherTextInItIsNotBelieved) {
  for (const char* text : {"", "\n", "abc\n", "12\n", "x y\n", "12x host\n"}) {
    ASSERT_TRUE(write_file_atomic(at("l"), text).ok());
    const auto first = FileLock::take(at("l"));
    EXPECT_TRUE(first.ok()) << text;
  }
  EXPECT_EQ(to_string(LockOwner{}), "another process");
}

}  // namespace
}  // namespace tidemill::os
