// Seeds for what the parts of a cloud send each other.
#include <string_view>

#include "base/result.h"
#include "http/certificates.h"
#include "seeds.h"

namespace pileus::fuzz {
namespace {

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

}  // namespace

std::vector<Bytes> base64_seeds() { return {bytes_of("Zm9vYmFy"), bytes_of("Zm8="), bytes_of("Zg==")}; }

std::vector<Bytes> join_token_seeds() {
  return {
      bytes_of("pileus1.000102030405060708090a0b0c0d0e0f."
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")};
}

std::vector<Bytes> csr_seeds() {
  const auto key = http::make_key();
  CHECK(key.ok());
  const auto request = http::make_request(*key, "host");
  CHECK(request.ok());
  return {bytes_of(*request)};
}

// Recorded from etcd 3.4.23; the first byte is state::fuzz_etcd_answer()'s choice.
std::vector<Bytes> etcd_seeds() {
  return {
      bytes_of(
          R"(0{"header":{"revision":"3","raft_term":"2"},"succeeded":true,"responses":[{"response_put":{"header":{"revision":"3"}}},{"response_range":{"header":{"revision":"3"},"kvs":[{"key":"YQ==","create_revision":"2","mod_revision":"3","version":"2","value":"Mg=="}],"count":"1"}},{"response_delete_range":{"header":{"revision":"3"}}}]})"),
      bytes_of(R"(0{"header":{"revision":"3"},"responses":[{"response_range":{"more":true,"count":"9"}}]})"),
      bytes_of(
          R"(1{"header":{"revision":"2"},"kvs":[{"key":"YQ==","create_revision":"2","mod_revision":"2","version":"1","value":"MQ==","lease":"7"}],"count":"1"})"),
      bytes_of(R"(2{"header":{"revision":"3"},"ID":"2324035572153446409","TTL":"2"})"),
      bytes_of(R"(3{"result":{"header":{"revision":"3"},"ID":"12345","TTL":"60"}})"),
      bytes_of(
          R"(4{"result":{"header":{"revision":"3"},"events":[{"kv":{"key":"YQ==","mod_revision":"3","value":"Mg=="}},{"type":"DELETE","kv":{"key":"YQ==","mod_revision":"4"}}],"fragment":true}})"),
      bytes_of(R"(4{"result":{"header":{"raft_term":"2"},"canceled":true,"compact_revision":"2"}})"),
      bytes_of(
          R"(5{"error":"etcdserver: mvcc: required revision has been compacted","message":"etcdserver: mvcc: required revision has been compacted","code":11})"),
      bytes_of(R"(5{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}})"),
  };
}

}  // namespace pileus::fuzz
