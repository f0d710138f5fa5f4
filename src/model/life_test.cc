#include "model/life.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pileus::model {
namespace {

// The whole table, written a second time as text: every pair of states, legal or not, is compared with it.
template <typename S>
void expect_moves(const std::string& moves) {
  std::set<std::string> legal;
  for (std::size_t begin = 0; begin < moves.size();) {
    const std::size_t end = std::min(moves.find(' ', begin), moves.size());
    legal.insert(moves.substr(begin, end - begin));
    begin = end + 1;
  }
  std::size_t seen = 0;
  for (const std::string_view from : Names<S>::kAll) {
    for (const std::string_view to : Names<S>::kAll) {
      const std::string pair = std::string(from) + ">" + std::string(to);
      const S before = *parse_name<S>(from);
      S state = before;
      const auto moved = apply_move(state, *parse_name<S>(to));
      if (legal.contains(pair)) {
        seen++;
        EXPECT_TRUE(moved.ok()) << pair;
        EXPECT_EQ(name(state), to);
      } else {
        ASSERT_FALSE(moved.ok()) << pair;
        EXPECT_EQ(state, before) << "a refused move changed the state";
        EXPECT_NE(moved.error().message().find(std::string(from)), std::string::npos);
        EXPECT_NE(moved.error().message().find(std::string(to)), std::string::npos);
      }
    }
  }
  EXPECT_EQ(seen, legal.size()) << "the text names a state that does not exist";
  EXPECT_EQ(legal_moves<S>().size(), legal.size()) << "a move stands in the table twice";
}

TEST(Life, OfInstances) {
  expect_moves<InstanceState>(
      "pending>running pending>stopped pending>shutting-down pending>terminated running>stopping "
      "running>shutting-down stopping>stopped stopping>shutting-down stopped>pending stopped>shutting-down "
      "shutting-down>terminated");
}
TEST(Life, OfImages) {
  expect_moves<ImageState>(
      "pending>available pending>failed pending>deregistered available>deregistered failed>deregistered");
}
TEST(Life, OfVolumes) {
  expect_moves<VolumeState>(
      "creating>available creating>error creating>deleting available>in-use in-use>available available>deleting "
      "in-use>deleting error>deleting deleting>deleted");
}
TEST(Life, OfAttachments) {
  expect_moves<AttachmentState>(
      "detached>attaching attaching>attached attaching>detaching attached>detaching detaching>detached");
}
TEST(Life, OfSnapshots) { expect_moves<SnapshotState>("pending>completed pending>error"); }
TEST(Life, OfTransfers) { expect_moves<TransferState>("active>completed active>failed"); }
TEST(Life, OfInterfaces) { expect_moves<InterfaceState>("pending>available available>in-use in-use>available"); }
TEST(Life, OfNetworks) { expect_moves<NetworkState>("pending>available"); }
TEST(Life, OfAddresses) { expect_moves<AddressState>("free>associated associated>free"); }
TEST(Life, OfHosts) {
  expect_moves<HostState>("ready>unreachable unreachable>ready ready>removed unreachable>removed");
}

TEST(Life, SaysWhyNot) {
  InstanceState state = InstanceState::kTerminated;
  EXPECT_EQ(apply_move(state, InstanceState::kPending).error().message(),
            "the instance is terminated and cannot become pending: this is its end");
  state = InstanceState::kStopped;
  EXPECT_EQ(apply_move(state, InstanceState::kRunning).error().message(),
            "the instance is stopped and cannot become running: it can only become pending or shutting-down");
}

TEST(Life, HasEc2Codes) {
  EXPECT_EQ(state_code(InstanceState::kPending), 0U);
  EXPECT_EQ(state_code(InstanceState::kRunning), 16U);
  EXPECT_EQ(state_code(InstanceState::kShuttingDown), 32U);
  EXPECT_EQ(state_code(InstanceState::kTerminated), 48U);
  EXPECT_EQ(state_code(InstanceState::kStopping), 64U);
  EXPECT_EQ(state_code(InstanceState::kStopped), 80U);
}

}  // namespace
}  // namespace pileus::model
