#include "state/fuzz.h"

#include "state/etcd/messages.h"

namespace pileus::state {

void fuzz_etcd_answer(std::span<const u8> input) {
  if (input.empty()) return;
  const std::string_view json(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  const Transaction asked{{Compare::exists("a")},
                          {Put{"a", "1"}, Get{KeyRange::all()}, Delete{KeyRange::key("b")}},
                          {Get{KeyRange::all()}}};
  switch (input[0] % 6) {
    case 0: {
      const auto result = etcd::parse_transaction(asked, json);
      // As many results as the branch that it claims has operations, each of its operation's kind.
      if (!result.ok()) return;
      CHECK(result->results.size() == (result->succeeded ? asked.then : asked.otherwise).size());
      CHECK(std::holds_alternative<GetResult>(result->results[result->succeeded ? 1 : 0]));
      return;
    }
    case 1: {
      const auto snapshot = etcd::parse_snapshot(json);
      CHECK(!snapshot.ok() || snapshot->revision > 0);
      return;
    }
    case 2: {
      const auto lease = etcd::parse_lease(json);
      CHECK(!lease.ok() || (lease->id != LeaseId::kNone && lease->ttl.count() > 0));
      return;
    }
    case 3: {
      const auto ttl = etcd::parse_keep_alive(json);
      CHECK(!ttl.ok() || ttl->count() >= 0);
      return;
    }
    case 4: {
      const auto message = etcd::parse_watch(json);
      if (!message.ok()) return;
      for (const Event& event : message->events) CHECK(event.entry.mod_revision > 0 && !event.entry.key.empty());
      return;
    }
    default: static_cast<void>(etcd::judge(etcd::parse_failure(json)));
  }
}

}  // namespace pileus::state
