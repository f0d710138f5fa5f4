// Gateways and route tables, for other groups of actions.
#pragma once

#include "ec2/call.h"
#include "model/network.h"

namespace pileus::ec2 {

// The main table has the number of its VPC.
inline bool is_main(const model::RouteTable& table) { return table.id.value() == table.vpc.value(); }
// As it is for a new VPC: with the local route, for all subnets that have no other.
model::RouteTable new_main_table(const model::VpcDesired& vpc);

// Gives a main table that has no record yet its record, so that it can be tagged. Other ids are let be.
Reply<> keep_main_table(const Call& call, const std::string& id);

// To be part of the transaction that deletes a subnet: its association goes with it.
Reply<> leave_route_tables(const Call& call, model::SubnetId subnet, control::Change& change);

}  // namespace pileus::ec2
