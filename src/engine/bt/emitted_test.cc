// How many host instructions representative guest code becomes, on the way that is usually taken. A change of these
// numbers is a change of speed: it has to be meant. What lies in the cold part (misses, unlinked exits) does not count.
#include "engine/bt/runtime.h"
#include "engine/bt/test_machine.h"

namespace pileus::engine::bt {
namespace {

struct Representative {
  const char* name;
  std::vector<u8> code;
  unsigned instructions;
};

class EmittedTest : public TestMachine {
 protected:
  static constexpr u64 kCode = 0x100000;

  // Of the whole block, `code` with what ends it.
  unsigned emitted(const std::vector<u8>& code) {
    start(1);
    enter_long_mode();
    identity_map();
    EXPECT_TRUE(memory->write(kCode, code));
    vm->enter_running();
    const Block* block = get_block(cpu(), {kCode, kModeKernel, kUsableSse | kUsableAvx}, false);
    vm->leave_running();
    if (block == nullptr) return 0;
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    unsigned count = 0;
    for (u32 at = 0; at < block->host_size;) {
      ZydisDecodedInstruction insn;
      if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, nullptr, block->host + at, block->host_size - at, &insn)))
        return 0;
      at += insn.length;
      if (insn.mnemonic != ZYDIS_MNEMONIC_NOP) ++count;  // those only put branches where they can be patched
    }
    return count;
  }
};

TEST_F(EmittedTest, AsManyInstructionsAsWritten) {
  // Each ends with RET, which alone is the first.
  const std::vector<Representative> all{
      {"ret", {0xC3}, 9},
      {"add rax, rbx", {0x48, 0x01, 0xD8, 0xC3}, 10},
      {"add rax, r11: spilled", {0x4C, 0x01, 0xD8, 0xC3}, 11},
      {"mov rax, [rbx]", {0x48, 0x8B, 0x03, 0xC3}, 17},
      {"mov [rbx], rax", {0x48, 0x89, 0x03, 0xC3}, 17},
      {"mov rax, [rsp + 8]", {0x48, 0x8B, 0x44, 0x24, 0x08, 0xC3}, 13},
      {"mov rax, [rbx + rcx * 8]", {0x48, 0x8B, 0x04, 0xCB, 0xC3}, 20},
      {"mov rax, [rip + 256]", {0x48, 0x8B, 0x05, 0x00, 0x01, 0x00, 0x00, 0xC3}, 22},
      {"mov rax, [rbx]; add rax, rcx: flags dead at the load", {0x48, 0x8B, 0x03, 0x48, 0x01, 0xC8, 0xC3}, 17},
      {"push rax; pop rdx", {0x50, 0x5A, 0xC3}, 22},
      {"push rax; push rbx; push rbp", {0x50, 0x53, 0x55, 0xC3}, 24},
      {"push rax; call +16, instead of RET", {0x50, 0xE8, 0x10, 0x00, 0x00, 0x00}, 28},
      {"pop rax; pop rdx", {0x58, 0x5A, 0xC3}, 16},
      {"mov rax, [rbx]; mov rcx, [rbx + 8]", {0x48, 0x8B, 0x03, 0x48, 0x8B, 0x4B, 0x08, 0xC3}, 19},
      {"mov rax, [rbx + 8]; mov rdx, [rbx]; add rax, rdx: flags dead at the loads",
       {0x48, 0x8B, 0x43, 0x08, 0x48, 0x8B, 0x13, 0x48, 0x01, 0xD0, 0xC3},
       19},
      {"mov rax, [rbx]; mov rdx, [rsi + rdi]; mov rcx, [rbx + 8]",
       {0x48, 0x8B, 0x03, 0x48, 0x8B, 0x14, 0x3E, 0x48, 0x8B, 0x4B, 0x08, 0xC3},
       31},
      {"lea rax, [rbx + rdx * 4 + 1]", {0x48, 0x8D, 0x44, 0x93, 0x01, 0xC3}, 10},
      {"jz +16, instead of RET", {0x74, 0x10}, 2},
      {"call +4096, instead of RET", {0xE8, 0x00, 0x10, 0x00, 0x00}, 25},
      {"jmp +4096, instead of RET", {0xE9, 0x00, 0x10, 0x00, 0x00}, 4},
      {"jz +4096, instead of RET", {0x0F, 0x84, 0x00, 0x10, 0x00, 0x00}, 6},
      {"jmp rax, instead of RET", {0xFF, 0xE0}, 5},
      {"rdtsc", {0x0F, 0x31, 0xC3}, 17},
      {"swapgs", {0x0F, 0x01, 0xF8, 0xC3}, 13},
      {"pushfq", {0x9C, 0xC3}, 33},
      {"rep stosq", {0xF3, 0x48, 0xAB, 0xC3}, 33},
      {"rep movsb", {0xF3, 0xA4, 0xC3}, 51},
      {"bt [rbx], rdx", {0x48, 0x0F, 0xA3, 0x13, 0xC3}, 29},
      {"addps xmm0, [rbx]", {0x0F, 0x58, 0x03, 0xC3}, 17},
      {"vaddps ymm0, ymm1, [rbx]", {0xC5, 0xF4, 0x58, 0x03, 0xC3}, 17},
  };
  for (const Representative& one : all) EXPECT_EQ(emitted(one.code), one.instructions) << one.name;
}

}  // namespace
}  // namespace pileus::engine::bt
