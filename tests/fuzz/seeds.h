// Small valid inputs, from which mutations reach further than from random bytes.
#pragma once

#include "target.h"

namespace pileus::fuzz {

std::vector<Bytes> queue_seeds();
std::vector<Bytes> scsi_seeds();
std::vector<Bytes> sata_seeds();
std::vector<Bytes> elf_seeds();
std::vector<Bytes> multiboot_seeds();
std::vector<Bytes> bzimage_seeds();  // one for each packing method
std::vector<Bytes> disk_seeds();     // GPT, MBR, MBR with logical partitions
std::vector<Bytes> grub_seeds();
std::vector<Bytes> gdb_seeds();
std::vector<Bytes> kallsyms_seeds();
std::vector<Bytes> page_table_seeds();
std::vector<Bytes> translation_file_seeds();
std::vector<Bytes> translation_entry_seeds();
std::vector<Bytes> base64_seeds();
std::vector<Bytes> join_token_seeds();
std::vector<Bytes> csr_seeds();
std::vector<Bytes> etcd_seeds();  // one or more for each kind of answer
std::vector<Bytes> event_seeds();
std::vector<Bytes> query_seeds();  // recorded from awscli, boto3 and libcloud
std::vector<Bytes> signature_seeds();
std::vector<Bytes> filter_seeds();
std::vector<Bytes> public_key_seeds();
std::vector<Bytes> host_message_seeds();
std::vector<Bytes> manifest_seeds();
std::vector<Bytes> chain_seeds();
std::vector<Bytes> disk_report_seeds();
std::vector<Bytes> dhcp_seeds();
std::vector<Bytes> dns_seeds();
std::vector<Bytes> segment_seeds();
std::vector<Bytes> switch_frame_seeds();
std::vector<Bytes> switch_config_seeds();
std::vector<Bytes> canary_seeds();

}  // namespace pileus::fuzz
