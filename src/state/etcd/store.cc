#include "state/etcd/store.h"

#include "state/etcd/cluster.h"
#include "state/etcd/watch.h"
#include "state/internal/check.h"

namespace pileus::state::etcd {
namespace {

constexpr std::size_t kMaxAnswer = 256 * kMiB;  // of a range without a limit

bool changes(const std::vector<Operation>& branch) {
  for (const Operation& operation : branch) {
    if (!std::holds_alternative<Get>(operation)) return true;
  }
  return false;
}

class EtcdStore final : public Store {
 public:
  explicit EtcdStore(std::unique_ptr<Cluster> cluster) : cluster_(std::move(cluster)) {}

  using Store::get;

  Result<TransactionResult> commit(const Transaction& transaction) override {
    TRY(check_transaction(transaction));
    const std::string body = encode_transaction(transaction);
    const bool change = changes(transaction.then) || changes(transaction.otherwise);
    const std::string answer = TRY(change ? cluster_->change(kTransaction, body) : cluster_->read(kTransaction, body));
    auto result = parse_transaction(transaction, answer);
    if (result.ok() || !change) return result;
    // It was done, only we do not understand what was said of it.
    return Error(ErrorCode::kTimeout, result.error().message());
  }

  Result<Snapshot> get(const Get& what, Revision revision) override {
    TRY(check_range(what.range));
    const std::string answer = TRY(cluster_->read(kRange, encode_get(what, revision)));
    return parse_snapshot(answer);
  }

  Result<std::unique_ptr<Watch>> watch(const KeyRange& range, Revision first) override {
    TRY(check_range(range));
    if (first == 0) {
      const Snapshot now = TRY(get(Get{KeyRange::key("a"), 1, true}, 0));
      first = now.revision + 1;
    }
    return make_watch(*cluster_, range, first);
  }

  Result<Lease> grant_lease(std::chrono::seconds ttl) override {
    TRY(check_ttl(ttl));
    const std::string answer = TRY(cluster_->change(kGrantLease, encode_grant(ttl)));
    return parse_lease(answer);
  }

  Result<std::chrono::seconds> keep_alive(LeaseId lease) override {
    const std::string answer = TRY(cluster_->read(kKeepAlive, encode_lease(lease)));
    const std::chrono::seconds ttl = TRY(parse_keep_alive(answer));
    if (ttl.count() > 0) return ttl;
    return Error(ErrorCode::kNotFound, "lease " + std::to_string(static_cast<u64>(lease)) +
                                           " does not exist or has expired; ask for a new one");
  }

  Result<> revoke_lease(LeaseId lease) override {
    static_cast<void>(TRY(cluster_->change(kRevokeLease, encode_lease(lease))));
    return {};
  }

  Result<> compact(Revision revision) override {
    static_cast<void>(TRY(cluster_->change(kCompact, encode_compact(revision))));
    return {};
  }

 private:
  const std::unique_ptr<Cluster> cluster_;
};

}  // namespace

Result<std::unique_ptr<Store>> open(Options options) {
  options.client.max_body = kMaxAnswer;
  std::unique_ptr<Cluster> cluster =
      TRY(Cluster::create(std::move(options.endpoints), std::move(options.client), options.patience));
  return std::unique_ptr<Store>(std::make_unique<EtcdStore>(std::move(cluster)));
}

}  // namespace pileus::state::etcd
