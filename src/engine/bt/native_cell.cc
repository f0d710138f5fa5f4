#include "engine/bt/native_cell.h"

#include <algorithm>
#include <cstring>

#include "engine/bt/block_emitter.h"
#include "engine/bt/events.h"
#include "engine/bt/interp.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

const u8* NativeCells::find(Context& context, const Insn& insn) {
  Key key = insn.bytes;
  std::fill(key.begin() + insn.info.length, key.end(), u8{0});
  key[15] = insn.info.length;
  std::array<u64, 2> words{};
  std::memcpy(words.data(), key.data(), sizeof words);
  const u64 slot = ((words[0] ^ words[1] * 3) * 0x9E3779B97F4A7C15ULL) >> 58;
  u8* host = room_ + slot * kSlotBytes;
  if (key_[slot] == key) return host;
  key_[slot] = {};
  TraceInsn at;
  at.insn = insn;
  for (unsigned i = 0; i < insn.info.operand_count_visible; ++i) {
    if (insn.operand[i].type == ZYDIS_OPERAND_TYPE_MEMORY) at.memory_operand = static_cast<i8>(i);
  }
  Assembler out(host, host + kSlotBytes);
  Block block;
  BlockEmitter emitter(out, out, context.vm->stubs(), context.vm->code(), block);
  if (!emitter.emit_cell(at)) return nullptr;
  key_[slot] = key;
  return host;
}

bool execute_native(Context& context, const Insn& insn, void* buffer) {
  const u8* cell = context.cells->find(context, insn);
  if (cell == nullptr) return context.raise(kVectorUd);
  const u64 outer_stack = context.host_rsp;  // when an instruction of translated code led here
  context.scratch[1] = reinterpret_cast<u64>(buffer);
  context.native_fault = false;
  context.vm->stubs().enter(&context, cell);
  context.host_rsp = outer_stack;
  return !context.native_fault;
}

}  // namespace pileus::engine::bt
