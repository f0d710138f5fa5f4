// Objects that several actions look up.
#pragma once

#include "ec2/call.h"
#include "ec2/pages.h"
#include "model/image.h"
#include "model/network.h"

namespace pileus::ec2 {

// types.cc
Reply<std::vector<model::InstanceType>> instance_types(const Call& call);
// InvalidParameterValue for one that is not offered.
Reply<model::InstanceType> offered_type(const Call& call, const std::string& name);

// images.cc
struct Image {
  model::ImageDesired desired;
  model::ImageObserved observed;
};
// Those that the account may see.
Reply<std::vector<Image>> visible_images(const Call& call);
// InvalidAMIID.Malformed, InvalidAMIID.NotFound, InvalidAMIID.Unavailable.
Reply<Image> launchable_image(const Call& call, const std::string& text);

// key_pairs.cc: InvalidKeyPair.NotFound.
Reply<model::KeyPair> find_key_pair(const Call& call, const std::string& name);

// networks.cc: the account's default network with its subnets and its group "default"; made when there is none.
struct DefaultNetwork {
  model::VpcId vpc;
  model::SecurityGroupId group;
};
Reply<DefaultNetwork> default_network(const Call& call);

// security_groups.cc: InvalidGroup.NotFound, InvalidGroupId.Malformed. By id, or by name in the default network.
Reply<control::Stored<model::SecurityGroup>> find_group(const Call& call, const std::string& id,
                                                        const std::string& name);

// tags.cc: the tags that TagSpecification.N says for one type of resource ("instance"). InvalidParameterValue,
// TagLimitExceeded.
Reply<model::Tags> tags_for(const Parameters& parameters, std::string_view resource_type);
Reply<> check_tags(const model::Tags& tags);

// describe_instances.cc: what describe actions show of an instance.
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
void write_instance(pugi::xml_node set, const Call& call, const InstanceEntry& entry,
                    const std::map<model::SecurityGroupId, std::string>& group_names);
void write_state(pugi::xml_node parent, const char* element, model::InstanceState state);
Reply<std::map<model::SecurityGroupId, std::string>> group_names(const Call& call);
// <groupSet> of groups with their names.
void write_groups(pugi::xml_node parent, const std::vector<model::SecurityGroupId>& groups,
                  const std::map<model::SecurityGroupId, std::string>& names);

}  // namespace pileus::ec2
