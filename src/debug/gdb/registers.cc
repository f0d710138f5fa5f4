#include "debug/gdb/registers.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace pileus::debug::gdb {

namespace {

using engine::CpuState;

constexpr const char *kCore = "org.gnu.gdb.i386.core", *kSse = "org.gnu.gdb.i386.sse", *kAvx = "org.gnu.gdb.i386.avx",
                     *kSegments = "org.gnu.gdb.i386.segments", *kSystem = "org.pileus.x86.system";
constexpr u32 kKernelGsBase = 0xC0000102;

// The legacy area of XSAVE (Intel SDM vol. 1, table 10-2).
constexpr std::size_t kFcw = 0, kFsw = 2, kFtw = 4, kFop = 6, kFip = 8, kFcs = 12, kFdp = 16, kFds = 20, kMxcsr = 24,
                      kSt = 32, kXmm = 160, kYmmHigh = 576;

// Types that are named by registers below; bits by their names in the manuals.
constexpr const char* kFlagTypes = R"(
    <flags id="rflags_type" size="4">
      <field name="CF" start="0" end="0"/><field name="" start="1" end="1"/><field name="PF" start="2" end="2"/>
      <field name="AF" start="4" end="4"/><field name="ZF" start="6" end="6"/><field name="SF" start="7" end="7"/>
      <field name="TF" start="8" end="8"/><field name="IF" start="9" end="9"/><field name="DF" start="10" end="10"/>
      <field name="OF" start="11" end="11"/><field name="NT" start="14" end="14"/><field name="RF" start="16" end="16"/>
      <field name="VM" start="17" end="17"/><field name="AC" start="18" end="18"/><field name="VIF" start="19" end="19"/>
      <field name="VIP" start="20" end="20"/><field name="ID" start="21" end="21"/>
    </flags>)";
constexpr const char* kVectorTypes = R"(
    <vector id="v4f" type="ieee_single" count="4"/><vector id="v2d" type="ieee_double" count="2"/>
    <vector id="v16i8" type="int8" count="16"/><vector id="v8i16" type="int16" count="8"/>
    <vector id="v4i32" type="int32" count="4"/><vector id="v2i64" type="int64" count="2"/>
    <union id="vec128">
      <field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/><field name="v16_int8" type="v16i8"/>
      <field name="v8_int16" type="v8i16"/><field name="v4_int32" type="v4i32"/><field name="v2_int64" type="v2i64"/>
      <field name="uint128" type="uint128"/>
    </union>
    <flags id="mxcsr_type" size="4">
      <field name="IE" start="0" end="0"/><field name="DE" start="1" end="1"/><field name="ZE" start="2" end="2"/>
      <field name="OE" start="3" end="3"/><field name="UE" start="4" end="4"/><field name="PE" start="5" end="5"/>
      <field name="DAZ" start="6" end="6"/><field name="IM" start="7" end="7"/><field name="DM" start="8" end="8"/>
      <field name="ZM" start="9" end="9"/><field name="OM" start="10" end="10"/><field name="UM" start="11" end="11"/>
      <field name="PM" start="12" end="12"/><field name="FZ" start="15" end="15"/>
    </flags>)";
constexpr const char* kSystemTypes = R"(
    <flags id="cr0_type" size="8">
      <field name="PE" start="0" end="0"/><field name="MP" start="1" end="1"/><field name="EM" start="2" end="2"/>
      <field name="TS" start="3" end="3"/><field name="ET" start="4" end="4"/><field name="NE" start="5" end="5"/>
      <field name="WP" start="16" end="16"/><field name="AM" start="18" end="18"/><field name="NW" start="29" end="29"/>
      <field name="CD" start="30" end="30"/><field name="PG" start="31" end="31"/>
    </flags>
    <flags id="cr4_type" size="8">
      <field name="VME" start="0" end="0"/><field name="PVI" start="1" end="1"/><field name="TSD" start="2" end="2"/>
      <field name="DE" start="3" end="3"/><field name="PSE" start="4" end="4"/><field name="PAE" start="5" end="5"/>
      <field name="MCE" start="6" end="6"/><field name="PGE" start="7" end="7"/><field name="PCE" start="8" end="8"/>
      <field name="OSFXSR" start="9" end="9"/><field name="OSXMMEXCPT" start="10" end="10"/>
      <field name="UMIP" start="11" end="11"/><field name="LA57" start="12" end="12"/>
      <field name="FSGSBASE" start="16" end="16"/><field name="PCIDE" start="17" end="17"/>
      <field name="OSXSAVE" start="18" end="18"/><field name="SMEP" start="20" end="20"/>
      <field name="SMAP" start="21" end="21"/><field name="PKE" start="22" end="22"/>
    </flags>
    <flags id="efer_type" size="8">
      <field name="SCE" start="0" end="0"/><field name="LME" start="8" end="8"/><field name="LMA" start="10" end="10"/>
      <field name="NXE" start="11" end="11"/><field name="SVME" start="12" end="12"/>
    </flags>)";

class Table {
 public:
  Table() {
    add_core();
    add_x87();
    add_vectors();
    add_system();
  }
  std::vector<Register> all;

 private:
  // A register that is (part of) a number of the state. `at` gives the place of the number.
  template <typename Place>
  void number(const char* feature, const std::string& name, unsigned bytes, const std::string& type,
              const std::string& group, Place at, bool writable = true) {
    Register reg{name, bytes, type, group, feature, {}, {}};
    reg.get = [at](const CpuState& state, std::span<u8> out) {
      const u64 value = at(state);
      std::memcpy(out.data(), &value, out.size());
    };
    if (writable) {
      reg.set = [at](CpuState& state, std::span<const u8> in) {
        u64 value = 0;
        std::memcpy(&value, in.data(), in.size());
        at(state) = static_cast<std::remove_reference_t<decltype(at(state))>>(value);
      };
    }
    all.push_back(std::move(reg));
  }

  // One that is bytes of the XSAVE area; `stored` of them, the rest reads as zero.
  void saved(const char* feature, const std::string& name, unsigned bytes, const std::string& type,
             const std::string& group, std::size_t offset, unsigned stored) {
    Register reg{name, bytes, type, group, feature, {}, {}};
    reg.get = [offset, stored](const CpuState& state, std::span<u8> out) {
      std::ranges::fill(out, u8{0});
      std::memcpy(out.data(), state.xsave.data() + offset, stored);
    };
    reg.set = [offset, stored](CpuState& state, std::span<const u8> in) {
      std::memcpy(state.xsave.data() + offset, in.data(), stored);
    };
    all.push_back(std::move(reg));
  }

  void add_core() {
    using engine::GprIndex;
    const std::array<std::pair<const char*, GprIndex>, 16> order{{{"rax", engine::kRax},
                                                                  {"rbx", engine::kRbx},
                                                                  {"rcx", engine::kRcx},
                                                                  {"rdx", engine::kRdx},
                                                                  {"rsi", engine::kRsi},
                                                                  {"rdi", engine::kRdi},
                                                                  {"rbp", engine::kRbp},
                                                                  {"rsp", engine::kRsp},
                                                                  {"r8", engine::kR8},
                                                                  {"r9", engine::kR9},
                                                                  {"r10", engine::kR10},
                                                                  {"r11", engine::kR11},
                                                                  {"r12", engine::kR12},
                                                                  {"r13", engine::kR13},
                                                                  {"r14", engine::kR14},
                                                                  {"r15", engine::kR15}}};
    for (const auto& [name, index] : order) {
      const char* type = index == engine::kRsp || index == engine::kRbp ? "data_ptr" : "int64";
      number(kCore, name, 8, type, "", [i = index](auto& state) -> auto& { return state.gpr[i]; });
    }
    number(kCore, "rip", 8, "code_ptr", "", [](auto& state) -> auto& { return state.rip; });
    number(kCore, "eflags", 4, "rflags_type", "", [](auto& state) -> auto& { return state.rflags; });
    const std::array<std::pair<const char*, engine::SegmentIndex>, 6> segments{{{"cs", engine::kCs},
                                                                                {"ss", engine::kSs},
                                                                                {"ds", engine::kDs},
                                                                                {"es", engine::kEs},
                                                                                {"fs", engine::kFs},
                                                                                {"gs", engine::kGs}}};
    // A selector alone, without what its descriptor says, is not a state that a processor could be in.
    for (const auto& [name, index] : segments) {
      number(
          kCore, name, 4, "int32", "", [i = index](auto& state) -> auto& { return state.segment[i].selector; }, false);
    }
  }

  void add_x87() {
    for (unsigned i = 0; i < 8; ++i)
      saved(kCore, "st" + std::to_string(i), 10, "i387_ext", "", kSt + std::size_t{16} * i, 10);
    saved(kCore, "fctrl", 4, "int", "float", kFcw, 2);
    saved(kCore, "fstat", 4, "int", "float", kFsw, 2);
    add_tags();
    saved(kCore, "fiseg", 4, "int", "float", kFcs, 2);
    saved(kCore, "fioff", 4, "int", "float", kFip, 4);
    saved(kCore, "foseg", 4, "int", "float", kFds, 2);
    saved(kCore, "fooff", 4, "int", "float", kFdp, 4);
    saved(kCore, "fop", 4, "int", "float", kFop, 2);
  }

  // GDB wants the tags of FSAVE: two bits for each physical register. XSAVE has one: not empty.
  void add_tags() {
    constexpr u64 kValid = 0, kZero = 1, kSpecial = 2, kEmpty = 3;
    Register reg{"ftag", 4, "int", "float", kCore, {}, {}};
    reg.get = [](const CpuState& state, std::span<u8> out) {
      const unsigned top = state.xsave[kFsw + 1] >> 3 & 7;
      u32 tags = 0;
      for (unsigned physical = 0; physical < 8; ++physical) {
        u64 tag = kEmpty;
        if ((state.xsave[kFtw] >> physical & 1) != 0) {
          const u8* value = state.xsave.data() + kSt + std::size_t{16} * ((physical - top) & 7);
          u64 mantissa = 0;
          u16 exponent = 0;
          std::memcpy(&mantissa, value, 8);
          std::memcpy(&exponent, value + 8, 2);
          exponent &= 0x7FFF;
          if (exponent == 0 && mantissa == 0) tag = kZero;
          else if (exponent == 0x7FFF || mantissa >> 63 == 0) tag = kSpecial;
          else tag = kValid;
        }
        tags |= static_cast<u32>(tag << (2 * physical));
      }
      std::memcpy(out.data(), &tags, 4);
    };
    reg.set = [](CpuState& state, std::span<const u8> in) {
      u8 used = 0;
      for (unsigned physical = 0; physical < 8; ++physical) {
        if ((in[physical / 4] >> (physical % 4 * 2) & 3) != kEmpty) used = static_cast<u8>(used | 1U << physical);
      }
      state.xsave[kFtw] = used;
    };
    all.push_back(std::move(reg));
  }

  void add_vectors() {
    for (unsigned i = 0; i < 16; ++i)
      saved(kSse, "xmm" + std::to_string(i), 16, "vec128", "", kXmm + std::size_t{16} * i, 16);
    saved(kSse, "mxcsr", 4, "mxcsr_type", "vector", kMxcsr, 4);
    for (unsigned i = 0; i < 16; ++i)
      saved(kAvx, "ymm" + std::to_string(i) + "h", 16, "uint128", "", kYmmHigh + std::size_t{16} * i, 16);
  }

  void add_system() {
    number(kSegments, "fs_base", 8, "int", "", [](auto& s) -> auto& { return s.segment[engine::kFs].base; });
    number(kSegments, "gs_base", 8, "int", "", [](auto& s) -> auto& { return s.segment[engine::kGs].base; });
    add_kernel_gs_base();
    number(kSystem, "cr0", 8, "cr0_type", "system", [](auto& state) -> auto& { return state.cr0; });
    number(kSystem, "cr2", 8, "int64", "system", [](auto& state) -> auto& { return state.cr2; });
    number(kSystem, "cr3", 8, "int64", "system", [](auto& state) -> auto& { return state.cr3; });
    number(kSystem, "cr4", 8, "cr4_type", "system", [](auto& state) -> auto& { return state.cr4; });
    number(kSystem, "cr8", 8, "int64", "system", [](auto& state) -> auto& { return state.cr8; });
    number(kSystem, "efer", 8, "efer_type", "system", [](auto& state) -> auto& { return state.efer; });
  }

  void add_kernel_gs_base() {
    Register reg{"k_gs_base", 8, "int64", "system", kSystem, {}, {}};
    reg.get = [](const CpuState& state, std::span<u8> out) {
      u64 value = 0;
      for (const CpuState::Msr& msr : state.msrs) {
        if (msr.index == kKernelGsBase) value = msr.value;
      }
      std::memcpy(out.data(), &value, 8);
    };
    reg.set = [](CpuState& state, std::span<const u8> in) {
      for (CpuState::Msr& msr : state.msrs) {
        if (msr.index == kKernelGsBase) std::memcpy(&msr.value, in.data(), 8);
      }
    };
    all.push_back(std::move(reg));
  }
};

std::string describe() {
  std::string xml =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
      "  <architecture>i386:x86-64</architecture>\n";
  std::string feature;
  const std::vector<Register>& all = registers();
  for (std::size_t number = 0; number < all.size(); ++number) {
    const Register& reg = all[number];
    if (reg.feature != feature) {
      if (!feature.empty()) xml += "  </feature>\n";
      feature = reg.feature;
      xml += "  <feature name=\"" + feature + "\">";
      xml += feature == kCore ? kFlagTypes : feature == kSse ? kVectorTypes : feature == kSystem ? kSystemTypes : "";
      xml += "\n";
    }
    xml += "    <reg name=\"" + reg.name + "\" bitsize=\"" + std::to_string(reg.bytes * 8) + "\" type=\"" + reg.type +
           "\" regnum=\"" + std::to_string(number) + "\"";
    if (!reg.group.empty()) xml += " group=\"" + reg.group + "\"";
    xml += "/>\n";
  }
  return xml + "  </feature>\n</target>\n";
}

}  // namespace

const std::vector<Register>& registers() {
  static const Table table;
  return table.all;
}

const std::string& target_description() {
  static const std::string text = describe();
  return text;
}

}  // namespace pileus::debug::gdb
