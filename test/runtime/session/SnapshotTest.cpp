// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/session/Reference.h"

#include "runtime/schema/snapshot.h"
#include "runtime/session/Session.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace toy;

namespace {

/// A folder of its own, gone at the end: nothing may be left in it but what was saved.
class Folder {
public:
  Folder() : root(std::filesystem::path(P_tmpdir) / ("snapshot-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(root);
  }
  ~Folder() { std::filesystem::remove_all(root); }
  std::string path(const char *name) const { return root / name; }
  size_t files() const {
    return size_t(std::distance(std::filesystem::directory_iterator(root), {}));
  }

private:
  std::filesystem::path root;
};

std::vector<char> read(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::string &path, const std::vector<char> &bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

} // namespace

// A saved slot goes on in another session, of other sizes and with its pages elsewhere.
TEST(Snapshot, RoundTrip) {
  Folder folder;
  for (size_t length : {0ul, 1ul, 16ul, 37ul}) {
    Loaded toy({}, {.slots = 2});
    ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
    auto text = tokensFrom(4, length);
    feedAll(toy.session, 1, text);
    std::string path = folder.path("slot");
    glm_status status = glm_session_save(toy.session, 1, path.c_str());
    ASSERT_EQ(status.code, GLM_OK) << status.message;
    EXPECT_EQ(folder.files(), 1u);
    EXPECT_EQ(read(path).size(), 64 + 2 * 8 + length * 2 * width * 4);

    Loaded other({}, {.slots = 3, .context = 50});
    feedAll(other.session, 0, tokensFrom(1, 20));
    status = glm_session_restore(other.session, 2, path.c_str());
    ASSERT_EQ(status.code, GLM_OK) << status.message;
    EXPECT_EQ(glm_session_length(other.session, 2), int64_t(length));
    auto copy = text;
    for (int32_t token : {3, 1, 4, 1, 5}) {
      goOn(other.session, 2, copy, token);
      goOn(toy.session, 1, text, token);
    }
  }
}

// The same rows give the same bytes, whatever their pages held before.
TEST(Snapshot, HoldsRowsOnly) {
  Folder folder;
  Loaded toy({}, {.slots = 2});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  feedAll(toy.session, 0, tokensFrom(0, 20));
  ASSERT_EQ(glm_session_fill(toy.session, 1, 60, 1).code, GLM_OK);
  ASSERT_EQ(glm_session_release(toy.session, 1).code, GLM_OK);
  feedAll(toy.session, 1, tokensFrom(0, 20));
  ASSERT_EQ(glm_session_save(toy.session, 0, folder.path("a").c_str()).code, GLM_OK);
  ASSERT_EQ(glm_session_save(toy.session, 1, folder.path("b").c_str()).code, GLM_OK);
  EXPECT_EQ(read(folder.path("a")), read(folder.path("b")));
}

// A file cut at any byte, with a byte too many or with any bit flipped is refused, and the slot
// stays empty.
TEST(Snapshot, Damage) {
  Folder folder;
  Loaded toy({}, {.slots = 2});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  feedAll(toy.session, 0, tokensFrom(0, 10));
  std::string path = folder.path("slot");
  ASSERT_EQ(glm_session_save(toy.session, 0, path.c_str()).code, GLM_OK);
  const auto bytes = read(path);
  int64_t free = toy.session->caches.freePages();
  auto codeOf = [&](const std::vector<char> &damaged) {
    write(path, damaged);
    glm_status status = glm_session_restore(toy.session, 1, path.c_str());
    EXPECT_EQ(glm_session_length(toy.session, 1), 0);
    EXPECT_EQ(toy.session->caches.freePages(), free);
    return status.code;
  };
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_EQ(codeOf({bytes.begin(), bytes.begin() + long(size)}), GLM_TRUNCATED) << size;
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(codeOf(longer), GLM_TRUNCATED);
  for (size_t at = 0; at < bytes.size(); ++at)
    for (int bit = 0; bit < (at < 64 ? 8 : 1); ++bit) {
      auto damaged = bytes;
      damaged[at] = char(damaged[at] ^ 1 << bit);
      int32_t expected = at < 8                ? GLM_NOT_SNAPSHOT
                         : at < 16             ? GLM_VERSION_UNKNOWN
                         : at >= 32 && at < 40 ? GLM_TRUNCATED
                                               : GLM_CORRUPT;
      ASSERT_EQ(codeOf(damaged), expected) << at << " bit " << bit;
    }
  write(path, bytes);
  EXPECT_EQ(glm_session_restore(toy.session, 1, path.c_str()).code, GLM_OK);
}

// What does not fit where it should go is refused by a code of its own.
TEST(Snapshot, Refusals) {
  Folder folder;
  Loaded toy({}, {.slots = 3});
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  feedAll(toy.session, 0, tokensFrom(0, 40));
  std::string path = folder.path("slot");
  ASSERT_EQ(glm_session_save(toy.session, 0, path.c_str()).code, GLM_OK);
  auto codeOf = [&](const Loaded &other, int32_t slot = 0) {
    return glm_session_restore(other.session, slot, path.c_str()).code;
  };
  EXPECT_EQ(codeOf(toy, 0), GLM_BAD_SLOT); // not empty
  EXPECT_EQ(codeOf(toy, 3), GLM_BAD_SLOT);
  EXPECT_EQ(glm_session_save(toy.session, 3, path.c_str()).code, GLM_BAD_SLOT);
  EXPECT_EQ(codeOf(Loaded({}, {.context = 39})), GLM_BAD_POSITION);
  EXPECT_EQ(codeOf(Loaded({}, {.pages = 2})), GLM_CACHE_FULL);
  Knobs knobs;
  knobs.busyIterations = 201;
  EXPECT_EQ(codeOf(Loaded(knobs)), GLM_OTHER_ARTIFACT);
  EXPECT_EQ(glm_session_restore(toy.session, 1, folder.path("none").c_str()).code, GLM_SYSTEM);
  EXPECT_EQ(glm_session_restore(toy.session, 1, P_tmpdir).code, GLM_NOT_ARTIFACT);
  EXPECT_EQ(glm_session_restore(toy.session, 1, nullptr).code, GLM_INVALID_ARGUMENT);
  EXPECT_EQ(glm_session_save(nullptr, 1, path.c_str()).code, GLM_INVALID_ARGUMENT);
  EXPECT_EQ(codeOf(toy, 2), GLM_OK);
}

// Saving where nothing can be written leaves an older file as it was, and nothing beside it.
TEST(Snapshot, KeepsTheOldFile) {
  Folder folder;
  Loaded toy;
  ASSERT_EQ(toy.status.code, GLM_OK) << toy.status.message;
  feedAll(toy.session, 0, tokensFrom(0, 3));
  std::string missing = folder.path("none/slot");
  EXPECT_EQ(glm_session_save(toy.session, 0, missing.c_str()).code, GLM_SYSTEM);
  std::filesystem::create_directory(folder.path("slot"));
  std::string inside = folder.path("slot/file");
  write(inside, {'x'});
  EXPECT_EQ(glm_session_save(toy.session, 0, folder.path("slot").c_str()).code, GLM_SYSTEM);
  EXPECT_EQ(read(inside), std::vector<char>{'x'});
  EXPECT_EQ(folder.files(), 1u);
  std::string tooLong = folder.path("") + std::string(5000, 'a');
  EXPECT_EQ(glm_session_save(toy.session, 0, tooLong.c_str()).code, GLM_SYSTEM);
  EXPECT_EQ(
      glm_session_save(toy.session, 0, (folder.path("") + std::string(300, 'a')).c_str()).code,
      GLM_SYSTEM);
}
