#include "state/fuzz.h"

#include "state/etcd/messages.h"

namespace pileus::state {
namespace {

constexpr std::size_t kMaxMessage = 1 * kKiB;

}  // namespace

void fuzz_etcd_answer(std::span<const u8> input) {
  if (input.empty()) return;
  const std::string_view bytes(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  const Transaction asked{{Compare::exists("a")},
                          {Put{"a", "1"}, Get{KeyRange::all()}, Delete{KeyRange::key("b")}},
                          {Get{KeyRange::all()}}};
  switch (input[0] % 6) {
    case 0: {
      const auto result = etcd::parse_transaction(asked, bytes);
      // As many results as the branch that it claims has operations, each of its operation's kind.
      if (!result.ok()) return;
      CHECK(result->results.size() == (result->succeeded ? asked.then : asked.otherwise).size());
      CHECK(std::holds_alternative<GetResult>(result->results[result->succeeded ? 1 : 0]));
      return;
    }
    case 1: {
      const auto snapshot = etcd::parse_snapshot(bytes);
      CHECK(!snapshot.ok() || snapshot->revision > 0);
      return;
    }
    case 2: {
      const auto lease = etcd::parse_lease(bytes);
      CHECK(!lease.ok() || (lease->id != LeaseId::kNone && lease->ttl.count() > 0));
      return;
    }
    case 3: {
      const auto ttl = etcd::parse_keep_alive(bytes);
      CHECK(!ttl.ok() || ttl->count() >= 0);
      return;
    }
    case 4: {
      const auto message = etcd::parse_watch(bytes);
      if (!message.ok()) return;
      for (const Event& event : message->events) CHECK(event.entry.mod_revision > 0 && !event.entry.key.empty());
      return;
    }
    default: {
      // The whole answer of a call, in two pieces for who takes it so.
      etcd::Frames frames(kMaxMessage);
      frames.add(bytes.substr(0, bytes.size() / 2));
      frames.add(bytes.substr(bytes.size() / 2));
      const auto message = frames.next();
      CHECK(!message || message->size() <= kMaxMessage);
      http::Response answer;
      answer.headers.add("grpc-status", std::string(bytes.substr(0, 2)));
      answer.headers.add("grpc-message", std::string(bytes));
      answer.body = bytes;
      const etcd::Outcome outcome = etcd::outcome_of(answer);
      if (const auto* failure = std::get_if<etcd::Failure>(&outcome)) static_cast<void>(etcd::judge(*failure));
    }
  }
}

}  // namespace pileus::state
