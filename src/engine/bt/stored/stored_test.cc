// Translations that outlive a VM: what comes out of a file is what the translator makes, and nothing else does.
#include "engine/bt/stored/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/bt/runtime.h"
#include "engine/bt/signals.h"
#include "engine/bt/stored/file_writer.h"
#include "engine/bt/stored/journal.h"
#include "engine/bt/test_machine.h"
#include "os/file.h"

namespace pileus::engine::bt::stored {
namespace {

namespace fs = std::filesystem;
using Code = std::vector<u8>;

// One block each, with everything in it that depends on where its code lies.
const std::vector<Code> kBlocks{
    {0xC3},                                            // ret
    {0x48, 0x8B, 0x03, 0x48, 0x89, 0x43, 0x08, 0xC3},  // mov rax, [rbx]; mov [rbx + 8], rax; ret
    {0x50, 0xFF, 0x34, 0x24, 0x5A, 0xEB, 0xF0},        // push rax; push [rsp]; pop rdx; jmp -16
    {0x74, 0x10},                                      // jz +16
    {0xE8, 0x10, 0x00, 0x00, 0x00},                    // call +16
    {0xE8, 0x00, 0x20, 0x00, 0x00},                    // call +8192
    {0xFF, 0x15, 0x00, 0x01, 0x00, 0x00},              // call [rip + 256]
    {0xE2, 0xF0},                                      // loop -16
    {0xFA, 0x8C, 0xD8, 0x48, 0x01, 0xD8, 0xC3},        // cli; mov eax, ds; add rax, rbx; ret
    {0x0F, 0x01, 0xCB, 0xC3},                          // stac
    {0xF3, 0xAA, 0x0F, 0xA2, 0xC3},                    // rep stosb; cpuid; ret: both interpreted
    {0xFB, 0x90, 0x48, 0x01, 0xD8, 0xC3},              // sti; nop; add rax, rbx; ret: may be interpreted
    {0x0F, 0x58, 0x03, 0xC4, 0xC1, 0x7C, 0x58, 0x06, 0xC3},  // addps xmm0, [rbx]; vaddps ymm0, ymm0, [r14]; ret
};

class StoredTest : public TestMachine {
 protected:
  static constexpr u64 kCode = 0x100000, kApart = 0x140;

  void SetUp() override {
    ASSERT_TRUE(install_signal_handlers().ok());
    auto made = os::TemporaryDirectory::create("/tmp/stored-test-");
    ASSERT_TRUE(made.ok());
    folder_ = std::make_unique<os::TemporaryDirectory>(std::move(*made));
    file_ = folder_->path() / "translations";
  }

  // A machine with kBlocks in its memory from `base` on, one in each kApart bytes.
  void begin(const fs::path& file, u64 base = kCode) {
    translations = file.string();
    start(1);
    enter_long_mode();
    identity_map();
    for (u64 i = 0; i < kBlocks.size(); ++i) EXPECT_TRUE(memory->write(base + i * kApart, kBlocks[i]));
  }
  // Writes the file.
  void end() {
    vcpus.clear();
    vm.reset();
  }
  const Block* block(u64 gpa, bool arrival = false) {
    vm->enter_running();
    const Block* found = get_block(cpu(), {gpa, kModeKernel, kUsableSse | kUsableAvx}, arrival);
    vm->leave_running();
    return found;
  }
  void fill_file() {
    begin(file_);
    for (u64 i = 0; i < kBlocks.size(); ++i) EXPECT_NE(block(kCode + i * kApart), nullptr);
    EXPECT_EQ(cpu().stats.blocks_translated, kBlocks.size());
    end();
    FileHeader header;
    std::memcpy(&header, read_file().data(), sizeof header);
    fingerprint_ = header.fingerprint;
  }
  // Both parts of the code that was made so far, but for addresses of decoded instructions and their handlers.
  Code emitted() const {
    const CodeCache& code = vm->code();
    const u8* hot = const_cast<CodeCache&>(code).room() - code.code_bytes();
    const u8* cold = const_cast<CodeCache&>(code).cold_room() - code.cold_bytes();
    Code out(hot, hot + code.code_bytes());
    out.insert(out.end(), cold, cold + code.cold_bytes());
    return out;
  }
  Wanted wanted(u64 i) const {
    const u64 offset = i * kApart & 4095;
    return {memory->host(kCode + i * kApart, 1), 720, static_cast<u16>(offset), kModeKernel, kUsableSse | kUsableAvx};
  }
  Code read_file() const {
    const std::string text = os::read_file(file_).value();
    return Code(text.begin(), text.end());
  }
  void write_file(const fs::path& path, std::span<const u8> bytes) const {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    ASSERT_TRUE(os::replace_file(path, text, 0600).ok());
  }
  std::unique_ptr<os::TemporaryDirectory> folder_;
  fs::path file_;
  Fingerprint fingerprint_{};
};

TEST_F(StoredTest, WhatComesOutIsWhatTheTranslatorMakes) {
  fill_file();
  // The interpreted ones have addresses of this process in their code.
  constexpr u64 kInterpreted = 10;
  for (const bool arrival : {false, true}) {
    begin("");
    for (u64 i = 0; i < kInterpreted; ++i) ASSERT_NE(block(kCode + i * kApart, arrival), nullptr);
    const Code made = emitted();
    begin(file_);
    for (u64 i = 0; i < kInterpreted; ++i) ASSERT_NE(block(kCode + i * kApart, arrival), nullptr);
    EXPECT_EQ(cpu().stats.blocks_loaded, kInterpreted);
    EXPECT_EQ(cpu().stats.blocks_translated, 0);
    const Code placed = emitted();
    const auto [at, other] = std::ranges::mismatch(placed, made);
    EXPECT_TRUE(at == placed.end() && other == made.end()) << "byte " << at - placed.begin();
  }
}

TEST_F(StoredTest, BytesDecideNotAddresses) {
  fill_file();
  begin(file_, kCode + 0x5000);
  for (u64 i = 0; i < kBlocks.size(); ++i) ASSERT_NE(block(kCode + 0x5000 + i * kApart), nullptr);
  EXPECT_EQ(cpu().stats.blocks_loaded, kBlocks.size());
  // Behind the first 16 bytes, which the search begins with.
  begin(file_);
  Code longer(20, 0x90);
  longer.push_back(0xC3);
  ASSERT_TRUE(memory->write(kCode + 0x8000, longer));
  block(kCode + 0x8000);
  longer[18] = 0xF8;  // clc
  ASSERT_TRUE(memory->write(kCode + 0x9000, longer));
  block(kCode + 0x9000);
  EXPECT_EQ(cpu().stats.blocks_loaded, 0);
  EXPECT_EQ(cpu().stats.blocks_translated, 2);
  block(kCode + kApart);
  EXPECT_EQ(cpu().stats.blocks_loaded, 1);
  ASSERT_TRUE(memory->write(kCode + kApart + 1, Code{0x8D}));  // mov becomes lea
  block(kCode + kApart);
  EXPECT_EQ(cpu().stats.blocks_translated, 3);
}

TEST_F(StoredTest, NotForAnotherModeOrPlace) {
  fill_file();
  begin(file_);
  ASSERT_TRUE(memory->write(kCode + 0x7008, kBlocks[1]));  // at another place of its page
  block(kCode + 0x7008);
  vm->enter_running();
  get_block(cpu(), {kCode + kApart, kModeUser, kUsableSse | kUsableAvx}, false);
  get_block(cpu(), {kCode + kApart, kModeKernel, kUsableSse}, false);
  vm->leave_running();
  EXPECT_EQ(cpu().stats.blocks_loaded, 0);
}

TEST_F(StoredTest, WhatOneVmTranslatedTwiceComesOutOfMemory) {
  begin(file_);
  for (u64 i = 0; i < kBlocks.size(); ++i) {
    ASSERT_TRUE(memory->write(kCode + 0x6000 + i * kApart, kBlocks[i]));
    block(kCode + i * kApart);
    block(kCode + 0x6000 + i * kApart);
  }
  EXPECT_EQ(cpu().stats.blocks_translated, kBlocks.size());
  EXPECT_EQ(cpu().stats.blocks_loaded, kBlocks.size());
}

TEST_F(StoredTest, TwoVmsWithOneFileLoseNothing) {
  begin(file_);
  block(kCode);
  auto first_vm = std::exchange(vm, nullptr);
  auto first_vcpus = std::move(vcpus);
  auto first_memory = std::exchange(memory, nullptr);
  begin(file_);
  block(kCode + kApart);
  end();
  first_vcpus.clear();
  first_vm.reset();
  begin(file_);
  block(kCode);
  block(kCode + kApart);
  EXPECT_EQ(cpu().stats.blocks_loaded, 2);
}

// More than its table has room for at first, so that it grows, alone and when it takes over another's.
TEST_F(StoredTest, TheJournalFindsWhatItTookOn) {
  constexpr u32 kMany = 300'000;
  begin(file_);
  const Block* any = block(kCode);
  ASSERT_NE(any, nullptr);
  const Emitted emitted{*any, {any->host, any->host_size}, {}, Places{}};
  std::array<u8, 16> bytes{};
  const auto numbered = [&](u32 number) {
    std::memcpy(bytes.data(), &number, sizeof number);
    return Wanted{bytes.data(), 16, 0, kModeKernel, kUsableSse};
  };
  const auto expect_all = [&](const Journal& journal, u32 from, u32 to) {
    u32 found = 0;
    for (u32 i = from; i < to; ++i) {
      const std::optional<Entry> entry = journal.find(numbered(i));
      if (entry && entry->guest[0] == bytes[0]) ++found;
    }
    EXPECT_EQ(found, to - from);
    EXPECT_FALSE(journal.find(numbered(to)).has_value());
  };
  Journal first, second;
  EXPECT_FALSE(first.find(numbered(0)).has_value());
  for (u32 i = 0; i < kMany; ++i) first.add(numbered(i), emitted, vm->code());
  for (u32 i = kMany; i < kMany * 3 / 2; ++i) second.add(numbered(i), emitted, vm->code());
  expect_all(first, 0, kMany);
  first.take(second);
  EXPECT_TRUE(second.empty());
  EXPECT_FALSE(second.find(numbered(0)).has_value());
  expect_all(first, 0, kMany * 3 / 2);
  for (u32 i = kMany * 3 / 2; i < kMany * 2; ++i) first.add(numbered(i), emitted, vm->code());
  expect_all(first, 0, kMany * 2);
}

TEST_F(StoredTest, EveryFlippedBitIsNoticed) {
  fill_file();
  const Code good = read_file();
  begin("");
  auto bytes_of = [&](TranslationFile& file, u64 i) {
    const auto entry = file.find(wanted(i));
    if (!entry) return Code{};
    Code out(entry->hot.begin(), entry->hot.end());
    out.insert(out.end(), entry->cold.begin(), entry->cold.end());
    out.insert(out.end(), entry->relocations.begin(), entry->relocations.end());
    out.insert(out.end(), reinterpret_cast<const u8*>(entry->marks), entry->relocations.data());
    return out;
  };
  const auto open = [&](const Code& bytes) {
    os::Mapping mapping = os::Mapping::anonymous(align_up(bytes.size(), 4096)).value();
    std::copy(bytes.begin(), bytes.end(), mapping.data());
    return TranslationFile::from(std::move(mapping), bytes.size(), fingerprint_);
  };
  std::vector<Code> right;
  {
    auto file = open(good);
    ASSERT_TRUE(file.ok()) << file.error().message();
    for (u64 i = 0; i < kBlocks.size(); ++i) right.push_back(bytes_of(**file, i));
    for (const Code& one : right) EXPECT_FALSE(one.empty());
  }
  u64 refused = 0;
  for (u64 bit = 0; bit < good.size() * 8; ++bit) {
    Code bad = good;
    bad[bit / 8] = static_cast<u8>(bad[bit / 8] ^ 1U << bit % 8);
    auto file = open(bad);
    if (!file) {
      ++refused;
      continue;
    }
    for (u64 i = 0; i < kBlocks.size(); ++i) {
      const Code found = bytes_of(**file, i);
      ASSERT_TRUE(found.empty() || found == right[i]) << "bit " << bit << ", block " << i;
    }
  }
  EXPECT_EQ(refused, sizeof(FileHeader) * 8);
}

// Runs in the order of the file are looked at first; what else is asked for is found as well.
TEST_F(StoredTest, BlocksAreFoundInAnyOrder) {
  fill_file();
  begin("");
  auto file = TranslationFile::open(file_, fingerprint_);
  ASSERT_TRUE(file.ok());
  for (u64 step = 1; step < kBlocks.size(); ++step) {
    for (u64 i = 0, at = 0; i < 3 * kBlocks.size(); ++i, at = (at + step) % kBlocks.size()) {
      const auto entry = (*file)->find(wanted(at));
      ASSERT_TRUE(entry) << at;
      EXPECT_EQ(entry->header.page_offset, at * kApart);
      if (i % 5 == 0) {
        EXPECT_FALSE((*file)->find(wanted(kBlocks.size())));
      }
    }
  }
  EXPECT_EQ((*file)->damaged(), 0U);
}

TEST_F(StoredTest, AFileThatIsCutOffIsRefusedOrRead) {
  fill_file();
  const Code good = read_file();
  for (u64 size = 0; size < good.size(); size += 97) {
    write_file(file_, std::span(good).first(size));
    EXPECT_FALSE(TranslationFile::open(file_, fingerprint_).ok()) << size;
  }
  // While it is in use.
  write_file(file_, good);
  begin("");
  auto file = TranslationFile::open(file_, fingerprint_);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->find(wanted(1)));
  ASSERT_EQ(::truncate(file_.c_str(), 0), 0);
  EXPECT_FALSE((*file)->find(wanted(1)));
}

TEST_F(StoredTest, AVmRunsWithADamagedFileAndRepairsIt) {
  fill_file();
  Code bytes = read_file();
  for (u64 at = sizeof(FileHeader) + 2000; at < bytes.size(); at += 16) bytes[at] ^= 0x55;
  write_file(file_, bytes);
  for (const bool repaired : {false, true}) {
    begin(file_);
    for (u64 i = 0; i < kBlocks.size(); ++i) EXPECT_NE(block(kCode + i * kApart), nullptr);
    EXPECT_EQ(cpu().stats.blocks_loaded == kBlocks.size(), repaired);
    end();
  }
}

TEST_F(StoredTest, OnlyFilesThatTheOwnerAloneMayWrite) {
  fill_file();
  ASSERT_EQ(::chmod(file_.c_str(), 0644), 0);
  EXPECT_FALSE(TranslationFile::open(file_, fingerprint_).ok());
  ASSERT_EQ(::chmod(file_.c_str(), 0600), 0);
  EXPECT_TRUE(TranslationFile::open(file_, fingerprint_).ok());
  const fs::path link = folder_->path() / "link";
  fs::create_symlink(file_, link);
  EXPECT_FALSE(TranslationFile::open(link, fingerprint_).ok());
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(file_.c_str(), 65534, 65534), 0);
    EXPECT_FALSE(TranslationFile::open(file_, fingerprint_).ok());
  }
}

TEST_F(StoredTest, AnotherVersionsFileIsRefusedAndANewerOneLeftAlone) {
  fill_file();
  Fingerprint other = fingerprint_;
  other.build_id[3] ^= 1;
  EXPECT_EQ(TranslationFile::open(file_, other).error().code(), ErrorCode::kUnsupported);
  {
    FileWriter writer = FileWriter::create(file_, 1).value();
    ASSERT_TRUE(writer.finish(other).ok());
  }
  // Older than the VM that would replace it.
  const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, file_.c_str(), old, 0), 0);
  fill_file();
  EXPECT_TRUE(TranslationFile::open(file_, fingerprint_).ok());
  // Written while that VM runs.
  begin(file_);
  Code more{0x48, 0xFF, 0xC0, 0xC3};
  ASSERT_TRUE(memory->write(kCode + 0x8000, more));
  block(kCode + 0x8000);
  FileWriter writer = FileWriter::create(file_, 1).value();
  ASSERT_TRUE(writer.finish(other).ok());
  end();
  EXPECT_TRUE(TranslationFile::open(file_, other).ok());
}

TEST_F(StoredTest, AWriterThatDoesNotFinishLeavesTheOldFile) {
  fill_file();
  const Code before = read_file();
  {
    EXPECT_TRUE(FileWriter::create(file_, 100).ok());
  }
  EXPECT_EQ(read_file(), before);
  EXPECT_FALSE(fs::exists(file_.string() + ".new"));
}

TEST_F(StoredTest, AFullFileKeepsWhatWasAskedForLately) {
  fill_file();
  auto file = std::move(TranslationFile::open(file_, fingerprint_)).value();
  std::vector<Code> all;
  file->for_each([&](std::span<const u8> entry, bool found) {
    EXPECT_FALSE(found);
    all.emplace_back(entry.begin(), entry.end());
  });
  ASSERT_EQ(all.size(), kBlocks.size());
  FileWriter writer = FileWriter::create(file_, all.size()).value();
  const u64 limit = sizeof(FileHeader) + 32 * sizeof(u64) + all[0].size() + all[1].size();
  for (const Code& one : all) ASSERT_TRUE(writer.add(one, limit).ok());
  ASSERT_TRUE(writer.add(all[0], kMaxFileBytes).ok());  // is there
  ASSERT_TRUE(writer.finish(fingerprint_).ok());
  EXPECT_EQ(std::move(TranslationFile::open(file_, fingerprint_)).value()->entry_count(), 2);
}

}  // namespace
}  // namespace pileus::engine::bt::stored
