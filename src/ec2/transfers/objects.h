// Imports and exports as tasks of EC2.
#pragma once

#include "ec2/call.h"
#include "model/transfer.h"

namespace pileus::ec2 {

// "import-ami-0123456789abcdef0": the transfer's number behind the prefix of its kind.
std::string task_id(model::TransferKind kind, model::TransferId id);

// The account's tasks of these kinds, by id; with `ids` only those. InvalidConversionTaskId, InvalidExportTaskID.NotFound.
Reply<std::vector<control::TransferView>> find_tasks(const Call& call, const std::vector<model::TransferKind>& kinds,
                                                     const std::vector<std::string>& ids);

// Where the file is that a DiskContainer names, and on which host that has to be: none, for any.
struct NamedFile {
  model::FilePlace place;
  model::HostId host;
};
Reply<NamedFile> read_source(const Call& call, const Parameters& container);
// "NAME", or "HOST:NAME" for the bucket on one host; the name alone stays in `bucket`. Without a host it is the only one.
Reply<model::HostId> host_of_bucket(const Call& call, std::string& bucket);
Reply<> check_bucket(const std::string& name);
// The path of a file in a bucket.
Reply<> check_key(const std::string& key);

// Puts the new task into the transaction.
void add_task(const Call& call, control::Change& change, const model::TransferDesired& desired);

}  // namespace pileus::ec2
