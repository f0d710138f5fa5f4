// Instances, for other groups of actions.
#pragma once

#include "ec2/call.h"
#include "ec2/pages.h"
#include "ec2/xml.h"
#include "model/network.h"

namespace pileus::ec2 {

// What describe actions show of an instance.
struct InstanceEntry {
  model::InstanceDesired desired;
  model::InstancePlaced placed;  // its host is none while it has none
  model::InstanceObserved observed;
  model::InterfaceDesired interface;  // its id is none when the instance is gone
};
// The account's, by id; with `ids` only those, and InvalidInstanceID.NotFound when one is not there.
// Without ids those of the page, and one more if there are more.
Reply<std::vector<InstanceEntry>> find_instances(const Call& call, const std::vector<std::string>& ids,
                                                 const Page& page = {});
Reply<InstanceEntry> find_instance(const Call& call, const std::string& id);
struct InterfaceNames;
void write_instance(pugi::xml_node set, const Call& call, const InstanceEntry& entry, const InterfaceNames& names);
void write_state(pugi::xml_node parent, const char* element, model::InstanceState state);
Reply<std::map<model::SecurityGroupId, std::string>> group_names(const Call& call);
// <groupSet> of groups with their names.
void write_groups(pugi::xml_node parent, const std::vector<model::SecurityGroupId>& groups,
                  const std::map<model::SecurityGroupId, std::string>& names);

}  // namespace pileus::ec2
