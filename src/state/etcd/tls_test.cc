// The etcd store over TLS, with certificates of the cloud's own authority.
#include "http/certificates.h"
#include "state/open.h"
#include "state/testing/stores.h"

namespace pileus::state::etcd {
namespace {

using std::chrono::hours;
using testing::EtcdCluster;

TEST(EtcdTls, OnlyWhoHasACertificateIsServed) {
  if (!EtcdCluster::is_installed()) GTEST_SKIP() << "etcd is not installed; tools/deps installs it";
  const auto folder = testing::make_folder();
  const auto file = [&](const std::string& name, const std::string& text) {
    EXPECT_TRUE(os::replace_file(folder.path() / name, text, 0600).ok());
    return folder.path() / name;
  };
  const http::Identity ca = http::make_authority("etcd test").value();
  // A client's too: etcd's gateway is a client of etcd itself.
  const http::Identity server = http::make_identity(ca, {"etcd", "", {"127.0.0.1"}, true, hours(1)}).value();
  const http::Identity cloudd = http::make_identity(ca, {"pileus-cloudd", "", {}, true, hours(1)}).value();
  const StoreTls tls{file("ca.pem", ca.certificate), file("cloudd.pem", cloudd.certificate),
                     file("cloudd.key", cloudd.key)};
  EtcdCluster::Tls etcd;
  etcd.flags = {"--cert-file",       file("etcd.pem", server.certificate),
                "--key-file",        file("etcd.key", server.key),
                "--trusted-ca-file", tls.ca,
                "--client-cert-auth"};
  etcd.client.ca = tls.ca;
  etcd.client.certificate = tls.certificate;
  etcd.client.key = tls.key;
  const auto cluster = EtcdCluster::start(1, etcd);
  const std::string where = "etcds://127.0.0.1:" + std::to_string(cluster->client_port(0));

  const auto store = open_store(where, tls).value();
  const auto watch = store->watch(KeyRange::all(), 0).value();
  const auto put = store->put("a", "1");
  ASSERT_TRUE(put.ok()) << put.error().message();
  EXPECT_EQ(store->get("a").value()->value, "1");
  const auto update = watch->next(std::chrono::seconds(10));
  ASSERT_TRUE(update.ok());
  ASSERT_EQ(update.value().events.size(), 1U);
  EXPECT_EQ(update.value().events[0].entry.value, "1");

  // Without a certificate, and with the wrong authority.
  Options nobody;
  nobody.endpoints = cluster->endpoints();
  nobody.client.ca = tls.ca;
  nobody.patience = std::chrono::milliseconds(500);
  EXPECT_FALSE(open(nobody).value()->get("a").ok());
  EXPECT_FALSE(open(nobody).value()->put("a", "2").ok());
  Options stranger = nobody;
  stranger.client = etcd.client;
  stranger.client.ca = file("other.pem", http::make_authority("other").value().certificate);
  EXPECT_EQ(open(stranger).value()->put("a", "2").error().code(), ErrorCode::kBusy);
  EXPECT_EQ(store->get("a").value()->value, "1");
}

}  // namespace
}  // namespace pileus::state::etcd
