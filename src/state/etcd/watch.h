// Watches over etcd's stream of messages.
//
// The thread in next() reads the stream itself: no threads, no queue; what nobody reads waits in etcd. Where the stream
// breaks, or its member stops answering, a new one begins after the last event that was told.
#pragma once

#include <memory>

#include "state/etcd/cluster.h"

namespace pileus::state::etcd {

// Events from revision `next` on, which is not 0. `cluster` must outlive it.
std::unique_ptr<Watch> make_watch(Cluster& cluster, const KeyRange& range, Revision next);

}  // namespace pileus::state::etcd
