#include "target.h"

#include <algorithm>
#include <array>

#include "ahci/fuzz.h"
#include "base/result.h"
#include "client/fuzz.h"
#include "control/fuzz.h"
#include "debug/fuzz.h"
#include "ec2/fuzz.h"
#include "engine/fuzz.h"
#include "foreign/fuzz.h"
#include "http/fuzz.h"
#include "machine/fuzz.h"
#include "packet/fuzz.h"
#include "seeds.h"
#include "state/fuzz.h"
#include "store/fuzz.h"
#include "virtio/queue_fuzz.h"
#include "virtio/scsi_fuzz.h"
#include "vswitch/fuzz.h"

namespace pileus::fuzz {

namespace {

constexpr std::array kTargets = {
    Target{"queue", "a virtqueue's layout and the guest RAM that it lies in", virtio::fuzz_queue, queue_seeds,
           16 * kKiB},
    Target{"scsi", "requests to the CD drive", virtio::fuzz_scsi, scsi_seeds, 256},
    Target{"sata", "a driver of a SATA port: registers and the memory with its commands", ahci::fuzz_port, sata_seeds,
           4 * kKiB},
    Target{"elf", "a kernel as an ELF file", machine::fuzz_elf, elf_seeds, 4 * kKiB},
    Target{"multiboot", "a kernel with a Multiboot header", machine::fuzz_multiboot, multiboot_seeds, 4 * kKiB},
    Target{"bzimage", "a kernel as a bzImage, packed by any method", machine::fuzz_bzimage, bzimage_seeds, 16 * kKiB},
    Target{"partition_table", "a disk with GPT or MBR", machine::fuzz_partition_table, disk_seeds, 64 * kKiB},
    Target{"grub_cfg", "GRUB's configuration or a boot loader entry", machine::fuzz_grub_cfg, grub_seeds, 4 * kKiB},
    Target{"layer_manifest", "a layer's manifest, from another host", store::fuzz_manifest, manifest_seeds, 4 * kKiB},
    Target{"disk_chain", "the record of a disk's layers", store::fuzz_chain, chain_seeds, 2 * kKiB},
    Target{"disk_report", "what qemu-img says of a disk that is imported", foreign::fuzz_report, disk_report_seeds,
           4 * kKiB},
    Target{"gdb_session", "what a GDB sends", debug::fuzz_gdb_session, gdb_seeds, 4 * kKiB},
    Target{"kallsyms", "a kernel's symbol tables in its memory", debug::fuzz_kallsyms, kallsyms_seeds, 32 * kKiB},
    Target{"page_tables", "a guest's page tables", debug::fuzz_page_tables, page_table_seeds, 32 * kKiB},
    Target{"translation_file", "a file of kept translations", engine::fuzz_translation_file, translation_file_seeds,
           4 * kKiB},
    Target{"translation_entry", "a kept block", engine::fuzz_translation_entry, translation_entry_seeds, 2 * kKiB},
    Target{"base64", "bytes in base64", http::fuzz_base64, base64_seeds, 4 * kKiB},
    Target{"join_token", "the token a host joins with", http::fuzz_join_token, join_token_seeds, 256},
    Target{"csr", "a host's certificate signing request", http::fuzz_certificate_request, csr_seeds, 4 * kKiB},
    Target{"etcd_answer", "what an etcd cluster answers", state::fuzz_etcd_answer, etcd_seeds, 4 * kKiB},
    Target{"ec2_query", "a request of the EC2 query protocol", ec2::fuzz_query, query_seeds, 4 * kKiB},
    Target{"ec2_signature", "a signed request, by Signature V4 or V2", ec2::fuzz_signature, signature_seeds, 4 * kKiB},
    Target{"ec2_filter", "a filter's pattern and a text", ec2::fuzz_filter, filter_seeds, 512},
    Target{"ec2_public_key", "a public key that a client imports", ec2::fuzz_public_key, public_key_seeds, 2 * kKiB},
    Target{"host_message", "what a host and the cloud manager send each other", control::fuzz_host_message,
           host_message_seeds, 8 * kKiB},
    Target{"events", "a stream of server-sent events", client::fuzz_events, event_seeds, 4 * kKiB},
    Target{"dhcp", "DHCP requests of guests", packet::fuzz_dhcp, dhcp_seeds, 1 * kKiB},
    Target{"dns", "DNS questions of guests", packet::fuzz_dns, dns_seeds, 1 * kKiB},
    Target{"segments", "TCP segments that are to be cut", packet::fuzz_segments, segment_seeds, 4 * kKiB},
    Target{"switch_frames", "frames of guests in the virtual switch", vswitch::fuzz_switch_frames, switch_frame_seeds,
           8 * kKiB},
    Target{"switch_config", "the virtual switch's configuration", vswitch::fuzz_switch_config, switch_config_seeds,
           8 * kKiB},
};

// Sums up the bytes that follow a length byte. The mistake: it believes the length.
void run_canary(std::span<const u8> input) {
  if (input.empty()) return;
  const std::size_t length = input[0];
  CHECK(length < input.size());
}

// Its mistake: it keeps what it allocates. Only a leak sanitizer can tell.
void run_leak_canary(std::span<const u8> input) {
  // volatile: else the compiler sees that nothing is done with it, and does nothing.
  [[maybe_unused]] const Bytes* volatile lost = new Bytes(input.begin(), input.end());
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the planted mistake

constexpr std::array kCanaries = {
    Target{"canary", "a length and that many bytes; must fail", run_canary, canary_seeds, 64},
    Target{"leak_canary", "any bytes; must fail where a sanitizer looks for leaks", run_leak_canary, nullptr, 64},
};

const Target* find_among(std::span<const Target> targets, std::string_view name) {
  const auto found = std::find_if(targets.begin(), targets.end(), [&](const Target& t) { return t.name == name; });
  return found == targets.end() ? nullptr : &*found;
}

}  // namespace

std::span<const Target> targets() { return kTargets; }

std::span<const Target> canaries() { return kCanaries; }

const Target* find_target(std::string_view name) {
  const Target* target = find_among(kTargets, name);
  return target != nullptr ? target : find_among(kCanaries, name);
}

}  // namespace pileus::fuzz
