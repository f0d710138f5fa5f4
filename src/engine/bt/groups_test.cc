// Which accesses of a block share one look at the TLB.
#include "engine/bt/groups.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/bt/registers.h"

namespace pileus::engine::bt {
namespace {

constexpr std::array<const char*, 16> kNames{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                             "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

struct Example {
  const char* name;
  std::vector<u8> code;
  const char* groups;
};

// "first" with the range and "then" for the members; the slot where there is one.
std::string text_of(const Sharing& sharing) {
  if (sharing.role == Sharing::Role::kAlone) return "-";
  std::string text = sharing.role == Sharing::Role::kFirst ? "first " : "then ";
  text += std::string(sharing.write ? "write " : "read ") + kNames[sharing.base];
  if (sharing.base != kRsp) text += "#" + std::to_string(sharing.slot);
  if (sharing.role == Sharing::Role::kFirst)
    text += " " + std::to_string(sharing.low) + ".." + std::to_string(sharing.low + sharing.size);
  return text;
}

// Per instruction what is said of its access; in parentheses what is inside of a group.
std::string groups_of(const std::vector<u8>& code) {
  Trace trace;
  decode_trace(code.data(), static_cast<unsigned>(code.size()), 0, kModeKernel, kUsableSse | kUsableAvx, ~CpuFeatures{},
               &trace);
  EXPECT_EQ(trace.end_offset, code.size());
  Groups groups;
  find_groups(trace, &groups);
  std::string text;
  for (unsigned i = 0; i < trace.count; ++i) {
    const bool stack = groups.stack[i].role != Sharing::Role::kAlone;
    EXPECT_FALSE(stack && groups.operand[i].role != Sharing::Role::kAlone);
    const std::string one = text_of(stack ? groups.stack[i] : groups.operand[i]);
    text += (i == 0 ? "" : "; ") + ((groups.inside >> i & 1) != 0 ? "(" + one + ")" : one);
  }
  EXPECT_EQ(groups.inside >> trace.count, 0U);
  return text;
}

TEST(Groups, WhatSharesALook) {
  const std::vector<Example> all{
      {"push rax; push rbx; push rbp",
       {0x50, 0x53, 0x55},
       "first write rsp -24..0; (then write rsp); (then write rsp)"},
      {"pop rbx; pop rbp; ret", {0x5B, 0x5D, 0xC3}, "first read rsp 0..24; (then read rsp); (then read rsp)"},
      {"push rbx; sub rsp, 24; mov [rsp + 8], rax",
       {0x53, 0x48, 0x83, 0xEC, 0x18, 0x48, 0x89, 0x44, 0x24, 0x08},
       "first write rsp -24..0; (-); (then write rsp)"},
      {"push rbx; add rsp, 16; lea rsp, [rsp - 8]; push rax",
       {0x53, 0x48, 0x83, 0xC4, 0x10, 0x48, 0x8D, 0x64, 0x24, 0xF8, 0x50},
       "first write rsp -8..0; (-); (-); (then write rsp)"},
      {"push rbx; mov rsp, rbp; push rax", {0x53, 0x48, 0x89, 0xEC, 0x50}, "-; -; -"},
      {"push rbx; and rsp, -16; push rax", {0x53, 0x48, 0x83, 0xE4, 0xF0, 0x50}, "-; -; -"},
      {"push rbx; sub esp, 8; push rax", {0x53, 0x83, 0xEC, 0x08, 0x50}, "-; -; -"},
      {"push rbx; add rsp, rax; push rax", {0x53, 0x48, 0x01, 0xC4, 0x50}, "-; -; -"},
      {"push rbx; lea rsp, [rsp + rax]; push rax", {0x53, 0x48, 0x8D, 0x24, 0x04, 0x50}, "-; -; -"},
      {"push rbx; lea rsp, [esp + 8]; push rax", {0x53, 0x67, 0x48, 0x8D, 0x64, 0x24, 0x08, 0x50}, "-; -; -"},
      {"pop rax; pop rsp; pop rbx", {0x58, 0x5C, 0x5B}, "first read rsp 0..16; (then read rsp); -"},
      {"push rsp; push rax", {0x54, 0x50}, "first write rsp -16..0; (then write rsp)"},
      {"push rbx; sub rsp, 0x10001; push rax", {0x53, 0x48, 0x81, 0xEC, 0x01, 0x00, 0x01, 0x00, 0x50}, "-; -; -"},
      {"mov rax, [rbx]; add rbx, 8; mov rcx, [rbx]",
       {0x48, 0x8B, 0x03, 0x48, 0x83, 0xC3, 0x08, 0x48, 0x8B, 0x0B},
       "-; -; -"},
      {"mov rax, [rbx]; mov bl, 1; mov rcx, [rbx]", {0x48, 0x8B, 0x03, 0xB3, 0x01, 0x48, 0x8B, 0x0B}, "-; -; -"},
      {"mov rcx, [rax]; mul rcx; mov rcx, [rax + 8]",
       {0x48, 0x8B, 0x08, 0x48, 0xF7, 0xE1, 0x48, 0x8B, 0x48, 0x08},
       "-; -; -"},
      {"mov rcx, [rax]; cmovz rax, rdx; mov rcx, [rax + 8]",
       {0x48, 0x8B, 0x08, 0x48, 0x0F, 0x44, 0xC2, 0x48, 0x8B, 0x48, 0x08},
       "-; -; -"},
      {"mov rdx, [rax]; cmpxchg rbx, rdx; mov rdx, [rax + 8]",
       {0x48, 0x8B, 0x10, 0x48, 0x0F, 0xB1, 0xD3, 0x48, 0x8B, 0x50, 0x08},
       "-; -; -"},
      {"mov rdx, [rbx]; pop rbx; mov rdx, [rbx]", {0x48, 0x8B, 0x13, 0x5B, 0x48, 0x8B, 0x13}, "-; -; -"},
      {"mov rbx, [rbx + 8]; mov rbx, [rbx + 8]", {0x48, 0x8B, 0x5B, 0x08, 0x48, 0x8B, 0x5B, 0x08}, "-; -"},
      {"mov rax, [rbx]; mov rbx, [rbx + 8]; mov rcx, [rbx]",
       {0x48, 0x8B, 0x03, 0x48, 0x8B, 0x5B, 0x08, 0x48, 0x8B, 0x0B},
       "first read rbx#0 0..16; (then read rbx#0); -"},
      {"mov rax, [rbx]; mov [rbx + 8], rax; mov rcx, [rbx + 16]; add [rbx + 24], rcx",
       {0x48, 0x8B, 0x03, 0x48, 0x89, 0x43, 0x08, 0x48, 0x8B, 0x4B, 0x10, 0x48, 0x01, 0x4B, 0x18},
       "first read rbx#1 0..24; (first write rbx#0 8..32); (then read rbx#1); (then write rbx#0)"},
      {"mov rax, [rbx]; mov rcx, [rbx + 120]",
       {0x48, 0x8B, 0x03, 0x48, 0x8B, 0x4B, 0x78},
       "first read rbx#0 0..128; (then read rbx#0)"},
      {"mov rax, [rbx]; mov rcx, [rbx + 121]; mov rdx, [rbx + 8]",
       {0x48, 0x8B, 0x03, 0x48, 0x8B, 0x4B, 0x79, 0x48, 0x8B, 0x53, 0x08},
       "-; first read rbx#0 8..129; (then read rbx#0)"},
      {"mov rax, [rbx]; mov rcx, [rbx + 0x7FFFFFFC]",
       {0x48, 0x8B, 0x03, 0x48, 0x8B, 0x8B, 0xFC, 0xFF, 0xFF, 0x7F},
       "-; -"},
      {"mov rax, [rbx]; mov rcx, [rbx - 0x80000000]",
       {0x48, 0x8B, 0x03, 0x48, 0x8B, 0x8B, 0x00, 0x00, 0x00, 0x80},
       "-; -"},
      {"mov rax, [rbx - 0x40000000]; mov rcx, [rbx + 0x7FFFFFF0]",
       {0x48, 0x8B, 0x83, 0x00, 0x00, 0x00, 0xC0, 0x48, 0x8B, 0x8B, 0xF0, 0xFF, 0xFF, 0x7F},
       "-; -"},
      {"mov rax, [rbx + 0x40000001]; mov rcx, [rbx + 0x40000009]",
       {0x48, 0x8B, 0x83, 0x01, 0x00, 0x00, 0x40, 0x48, 0x8B, 0x8B, 0x09, 0x00, 0x00, 0x40},
       "-; -"},
      {"mov rax, [rsp]; mov rcx, [rsp + 0x7FFFFFF8]; mov rdx, [rsp + 8]",
       {0x48, 0x8B, 0x04, 0x24, 0x48, 0x8B, 0x8C, 0x24, 0xF8, 0xFF, 0xFF, 0x7F, 0x48, 0x8B, 0x54, 0x24, 0x08},
       "-; -; -"},
      {"mov rax, [rax]; mov rax, [rbx]; mov rax, [rdx]; mov rax, [rsi]; mov rax, [rdi]; mov rax, [rbx + 8]; mov rax, "
       "[rdx + 8]; mov rax, [rsi + 8]; mov rax, [rdi + 8]; mov rax, [rbp + 8]; mov rax, [rbp]",
       {0x48, 0x8B, 0x00, 0x48, 0x8B, 0x03, 0x48, 0x8B, 0x02, 0x48, 0x8B, 0x06, 0x48,
        0x8B, 0x07, 0x48, 0x8B, 0x43, 0x08, 0x48, 0x8B, 0x42, 0x08, 0x48, 0x8B, 0x46,
        0x08, 0x48, 0x8B, 0x47, 0x08, 0x48, 0x8B, 0x45, 0x08, 0x48, 0x8B, 0x45, 0x00},
       "-; -; first read rdx#3 0..16; (first read rsi#2 0..16); (first read rdi#1 0..16); (-); (then read rdx#3); "
       "(then read rsi#2); (then read rdi#1); first read rbp#0 0..16; (then read rbp#0)"},
      {"mov rax, [rbx]; cpuid; mov rcx, [rbx + 8]", {0x48, 0x8B, 0x03, 0x0F, 0xA2, 0x48, 0x8B, 0x4B, 0x08}, "-; -; -"},
      {"mov rax, [rbx]; fld1; mov rcx, [rbx + 8]", {0x48, 0x8B, 0x03, 0xD9, 0xE8, 0x48, 0x8B, 0x4B, 0x08}, "-; -; -"},
      {"mov rax, [rdx]; rep stosb; mov rcx, [rdx + 8]",
       {0x48, 0x8B, 0x02, 0xF3, 0xAA, 0x48, 0x8B, 0x4A, 0x08},
       "-; -; -"},
      {"mov rax, [rbx]; mov [rbx + 8], ah; mov rcx, [rbx + 16]",
       {0x48, 0x8B, 0x03, 0x88, 0x63, 0x08, 0x48, 0x8B, 0x4B, 0x10},
       "-; -; -"},
      {"mov rax, [rbx]; shl rdx, cl; mov rcx, [rbx + 16]",
       {0x48, 0x8B, 0x03, 0x48, 0xD3, 0xE2, 0x48, 0x8B, 0x4B, 0x10},
       "-; -; -"},
      {"mov rax, [r10]; mov rax, [r10 + 8]; mov rax, [r11]; mov rax, [r11 + 8]; mov rax, [r15]; mov rax, [r15 + 8]",
       {0x49, 0x8B, 0x02, 0x49, 0x8B, 0x42, 0x08, 0x49, 0x8B, 0x03, 0x49,
        0x8B, 0x43, 0x08, 0x49, 0x8B, 0x07, 0x49, 0x8B, 0x47, 0x08},
       "-; -; -; -; -; -"},
      {"mov r10, [rbx]; mov r15, [rbx + 8]",
       {0x4C, 0x8B, 0x13, 0x4C, 0x8B, 0x7B, 0x08},
       "first read rbx#0 0..16; (then read rbx#0)"},
      {"mov rax, [rbx]; add r10, r11; mov rax, [rbx + 8]",
       {0x48, 0x8B, 0x03, 0x4D, 0x01, 0xDA, 0x48, 0x8B, 0x43, 0x08},
       "-; -; -"},
      {"mov rax, [rbx + rdx]; mov rax, [rbx + rdx + 8]",
       {0x48, 0x8B, 0x04, 0x13, 0x48, 0x8B, 0x44, 0x13, 0x08},
       "-; -"},
      {"mov rax, [rbx]; mov rdx, [rbx + rdx]; mov rax, [rbx + 8]",
       {0x48, 0x8B, 0x03, 0x48, 0x8B, 0x14, 0x13, 0x48, 0x8B, 0x43, 0x08},
       "first read rbx#0 0..16; (-); (then read rbx#0)"},
      {"mov rax, [fs:rbx]; mov rax, [gs:rbx + 8]", {0x64, 0x48, 0x8B, 0x03, 0x65, 0x48, 0x8B, 0x43, 0x08}, "-; -"},
      {"mov rax, [es:rbx]; mov rax, [rbx + 8]",
       {0x26, 0x48, 0x8B, 0x03, 0x48, 0x8B, 0x43, 0x08},
       "first read rbx#0 0..16; (then read rbx#0)"},
      {"mov rax, [ebx]; mov rax, [ebx + 8]", {0x67, 0x48, 0x8B, 0x03, 0x67, 0x48, 0x8B, 0x43, 0x08}, "-; -"},
      {"mov rax, [rel $ + 100]; mov rax, [rel $ + 100]",
       {0x48, 0x8B, 0x05, 0x5D, 0x00, 0x00, 0x00, 0x48, 0x8B, 0x05, 0x5D, 0x00, 0x00, 0x00},
       "-; -"},
      {"mov eax, [rsp + 4]; mov dl, [rsp + 17]",
       {0x8B, 0x44, 0x24, 0x04, 0x8A, 0x54, 0x24, 0x11},
       "first read rsp 0..24; (then read rsp)"},
      {"push rax; push qword [rsp + 8]; push rbx", {0x50, 0xFF, 0x74, 0x24, 0x08, 0x53}, "-; -; -"},
      {"push rax; call $ + 100", {0x50, 0xE8, 0x5F, 0x00, 0x00, 0x00}, "first write rsp -16..0; (then write rsp)"},
      {"push rax; call rdx", {0x50, 0xFF, 0xD2}, "-; -"},
      {"pop rax; leave; ret", {0x58, 0xC9, 0xC3}, "-; -; -"},
      {"mov rax, [rbx]; mov rcx, [rdx]; mov rax, [rbx + 8]; mov rcx, [rdx + 8]",
       {0x48, 0x8B, 0x03, 0x48, 0x8B, 0x0A, 0x48, 0x8B, 0x43, 0x08, 0x48, 0x8B, 0x4A, 0x08},
       "first read rbx#1 0..16; (first read rdx#0 0..16); (then read rbx#1); (then read rdx#0)"},
      {"mov rax, [rbx]; sti; mov rcx, [rbx + 8]; nop",
       {0x48, 0x8B, 0x03, 0xFB, 0x48, 0x8B, 0x4B, 0x08, 0x90},
       "-; -; -; -"},
      {"mov rax, [rbx]; cli; nop; mov rcx, [rbx + 8]",
       {0x48, 0x8B, 0x03, 0xFA, 0x90, 0x48, 0x8B, 0x4B, 0x08},
       "first read rbx#0 0..16; (-); (-); (then read rbx#0)"},
      {"mov al, [rbx + 7]; movups xmm0, [rbx + 8]; vmovups ymm0, [rbx + 24]",
       {0x8A, 0x43, 0x07, 0x0F, 0x10, 0x43, 0x08, 0xC5, 0xFC, 0x10, 0x43, 0x18},
       "first read rbx#0 7..56; (then read rbx#0); (then read rbx#0)"},
      {"mov rax, [rbx]; lea rcx, [rbx + 8]; mov rcx, [rbx + 16]",
       {0x48, 0x8B, 0x03, 0x48, 0x8D, 0x4B, 0x08, 0x48, 0x8B, 0x4B, 0x10},
       "first read rbx#0 0..24; (-); (then read rbx#0)"},
  };
  for (const Example& one : all) EXPECT_EQ(groups_of(one.code), one.groups) << one.name;
}

}  // namespace
}  // namespace pileus::engine::bt
