// Store: the state of the cloud as keys with revisions. What etcd v3 offers, in one interface, so that a single machine
// (state/sqlite) and a cluster (state/etcd) behave alike; state/testing holds both to it.
//
// The model, in etcd's terms:
//   - The store has one *revision*, a number that each transaction that changes something raises by one. An empty
//     store is at revision 1. All that one transaction changes has the same revision.
//   - A key has the revision that created it, the revision that changed it last (mod revision) and a version: 1 when
//     created, one more with each put. Deleting a key ends all that; the next put creates it anew.
//   - Transactions are atomic, durable when they return, and happen one after the other. Reads are linearizable: they see
//     every transaction that returned before they began.
//   - The past can be read (get at a revision) and followed (watch from a revision) until it is compacted away.
//   - A lease is a promise to come back. Keys attached to it are deleted in one transaction once nobody has kept it alive
//     for its time to live. Leases outlive a restart of the store, which begins their time anew.
//
// Keys and values are bytes. Keys are ordered as unsigned bytes.
//
// Threads: every function may be called by every thread at the same time. One Watch belongs to one thread at a time,
// but for cancel(). The store must outlive its watches.
//
// Errors of all functions, by code:
//   kTimeout    no answer in time, or the connection broke while waiting for one: what was asked may have happened or
//               not. Read before trying again. Every other code says that nothing happened.
//   kGone       the asked revision is compacted away
//   kNotFound   the lease does not exist (any more)
//   kInvalid    the request breaks a limit or rule below; it will never succeed
//   kExhausted  the disk or etcd's space quota is full: nothing was lost; space has to be made
//   kBusy       cannot be served now, e.g. no leader or no endpoint answers, or too many requests wait: try again later
//   kIo, kCorrupt, kPermission  as elsewhere
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::state {

using Revision = u64;

enum class LeaseId : u64 { kNone = 0 };

// Limits that both stores hold to (etcd's defaults, or stricter).
inline constexpr std::size_t kMaxKeySize = 1 * kKiB;  // a key has 1 to this many bytes
inline constexpr std::size_t kMaxTransactionSize = 1 * kMiB;  // keys and values of one transaction, both branches
inline constexpr std::size_t kMaxOperations = 128;  // conditions, and operations of each branch
inline constexpr std::chrono::seconds kMaxTtl{24 * 3600};  // a lease has 1 second to this

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision = 0;
  Revision mod_revision = 0;
  u64 version = 0;
  LeaseId lease = LeaseId::kNone;
  bool operator==(const KeyValue&) const = default;
};

// The keys k with begin <= k < end; an empty `end` is no bound.
struct KeyRange {
  std::string begin;
  std::string end;
  static KeyRange key(std::string key);
  static KeyRange prefix(std::string prefix);
  static KeyRange all() { return {}; }
  bool contains(std::string_view key) const { return key >= begin && (end.empty() || key < end); }
};

// A condition on one key. A missing key has revisions, version and lease 0, and no value: no condition on its value holds.
struct Compare {
  enum class Field { kCreateRevision, kModRevision, kVersion, kLease, kValue };
  enum class Is { kEqual, kNotEqual, kLess, kGreater };
  std::string key;
  Field field = Field::kVersion;
  Is is = Is::kEqual;
  u64 number = 0;  // what all fields but kValue are compared with
  std::string value;  // what kValue is compared with

  static Compare absent(std::string key) { return {std::move(key), Field::kVersion, Is::kEqual, 0, {}}; }
  static Compare exists(std::string key) { return {std::move(key), Field::kVersion, Is::kGreater, 0, {}}; }
  // Nobody has changed it since: `revision` is the mod_revision of what was read; 0: it is absent.
  static Compare unchanged(std::string key, Revision revision) {
    return {std::move(key), Field::kModRevision, Is::kEqual, revision, {}};
  }
  static Compare value_is(std::string key, std::string value) {
    return {std::move(key), Field::kValue, Is::kEqual, 0, std::move(value)};
  }
};

struct Put {
  std::string key;
  std::string value;
  LeaseId lease = LeaseId::kNone;  // replaces the key's earlier one
};
struct Delete {
  KeyRange range;
};
struct Get {
  KeyRange range;
  u64 limit = 0;  // at most this many keys, in order; 0: all
  bool keys_only = false;  // values are left empty
};
using Operation = std::variant<Put, Delete, Get>;

// `then` if all conditions hold, else `otherwise`; in order, each seeing what those before it did. One branch may put a
// key once only, and not put what it also deletes.
struct Transaction {
  std::vector<Compare> conditions;
  std::vector<Operation> then;
  std::vector<Operation> otherwise;
};

struct PutResult {};
struct DeleteResult {
  u64 count = 0;  // of keys that were there
};
struct GetResult {
  std::vector<KeyValue> entries;  // by key
  u64 count = 0;  // of keys in the range, whatever the limit
  bool more = false;  // the limit left some out
};
using OperationResult = std::variant<PutResult, DeleteResult, GetResult>;

struct TransactionResult {
  bool succeeded = false;  // the conditions held
  Revision revision = 0;  // of the store after it; if it changed something, what it changed has this revision
  std::vector<OperationResult> results;  // of the branch that was taken, one for each operation
};

struct Snapshot {
  std::vector<KeyValue> entries;
  u64 count = 0;
  bool more = false;
  Revision revision = 0;  // of the store when it was read: watch(range, revision + 1) misses nothing
};

struct Event {
  enum class Kind { kPut, kDelete };
  Kind kind = Kind::kPut;
  KeyValue entry;  // kDelete: key and mod_revision, the revision of the deletion; the rest is empty
};

struct WatchUpdate {
  std::vector<Event> events;  // whole revisions, in order; empty: nothing happened in that time
  Revision revision = 0;  // all events up to this one have been told
};

// The events of a range, from a revision on: each once, none left out, in order. It heals itself: after a lost connection
// or a changed leader it goes on where it was.
class Watch {
 public:
  virtual ~Watch() = default;
  // Waits for events, at most so long. kGone: what comes next was compacted away, and the watch has ended: read the
  // range and watch from the revision after what was read. kBusy: cancelled. That a store cannot be reached is not
  // reported but waited out.
  virtual Result<WatchUpdate> next(std::chrono::milliseconds timeout) = 0;
  // For who only wants to know that something happened: passes over all events that there are, and waits for one, at most
  // so long, if there are none. Whether there were any. Errors as of next().
  virtual Result<bool> skip(std::chrono::milliseconds timeout);
  // After kGone: the revision up to which the past is gone. The store can be read at it and watched from the next one.
  virtual Revision compacted() const = 0;
  // Ends a next() that waits, and all later ones. Any thread.
  virtual void cancel() = 0;
};

struct Lease {
  LeaseId id = LeaseId::kNone;
  std::chrono::seconds ttl{0};  // as granted: may be longer than asked for
};

class Store {
 public:
  virtual ~Store() = default;

  virtual Result<TransactionResult> commit(const Transaction& transaction) = 0;
  // The range as it is (revision 0) or was right after `revision`. kInvalid for a revision that is yet to come.
  virtual Result<Snapshot> get(const Get& what, Revision revision = 0) = 0;

  // Events of `range` from revision `first` on; 0: what happens from now on. A revision to come is waited for. That the
  // beginning is compacted is told by next().
  virtual Result<std::unique_ptr<Watch>> watch(const KeyRange& range, Revision first) = 0;

  virtual Result<Lease> grant_lease(std::chrono::seconds ttl) = 0;
  // Begins its time anew, and tells how long that is. kNotFound when it has expired.
  virtual Result<std::chrono::seconds> keep_alive(LeaseId lease) = 0;
  // Ends it, and deletes its keys.
  virtual Result<> revoke_lease(LeaseId lease) = 0;

  // Forgets what is not needed to read the store at `revision` or later, or to watch it from `revision` + 1 or later.
  // kGone when that is done already, kInvalid for a revision to come.
  virtual Result<> compact(Revision revision) = 0;

  // The commonest transactions and reads.
  Result<std::optional<KeyValue>> get(const std::string& key);
  Result<Revision> put(std::string key, std::string value, LeaseId lease = LeaseId::kNone);
  // Whether it was there.
  Result<bool> erase(std::string key);
};

}  // namespace pileus::state
