#include "client/events.h"

#include <gtest/gtest.h>

namespace pileus::client {
namespace {

TEST(EventReader, CutsEventsOutOfBytes) {
  EventReader reader;
  ASSERT_TRUE(reader.append(":\n\nevent: hel"));
  EXPECT_FALSE(reader.next());
  ASSERT_TRUE(reader.append("lo\ndata: {}\n\nid: 7\r\nevent: output\r\ndata: bHM=\r\n\r\nevent: half\n"));
  const std::optional<Event> first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->name, "hello");
  EXPECT_EQ(first->data, "{}");
  const std::optional<Event> second = reader.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->name, "output");
  EXPECT_EQ(second->data, "bHM=");
  EXPECT_FALSE(reader.next());
}

TEST(EventReader, RefusesALineWithoutEnd) {
  EventReader reader;
  const std::string part(512 * kKiB, 'x');
  EXPECT_TRUE(reader.append(part));
  EXPECT_FALSE(reader.append(part) && reader.append(part));
}

}  // namespace
}  // namespace pileus::client
