// Blocks of addresses as VPCs and subnets have them.
#pragma once

#include "ec2/reply.h"
#include "model/network.h"
#include "packet/bytes.h"

namespace pileus::ec2 {

// A block of /16 to /28. InvalidParameterValue for what is none, `refusal` ("InvalidVpc.Range") for another size.
Reply<packet::Cidr> read_block(const std::string& text, const char* refusal);
bool overlap(const packet::Cidr& one, const packet::Cidr& other);
bool contains(const packet::Cidr& outer, const packet::Cidr& inner);
u32 size_of(const packet::Cidr& block);
// As a record has it, where it was checked.
packet::Cidr block_of(const std::string& text);

// All blocks of a VPC, its first one first.
std::vector<model::VpcBlock> blocks_of(const model::VpcDesired& vpc);

// Of each subnet that nobody gets: the network, its router, its name server, one to come, and broadcast.
inline constexpr u32 kReservedFirst = 4;
inline constexpr u32 kReservedAddresses = kReservedFirst + 1;

}  // namespace pileus::ec2
