// The data of launch templates: parameters of RunInstances, merged with those of a request and shown as elements.
#pragma once

#include <pugixml.hpp>

#include "ec2/parameters.h"

namespace pileus::ec2 {

// LaunchTemplateData of a request, checked as parameters of RunInstances; names that it does not know are dropped.
Reply<Parameters> read_template_data(const Parameters& request);

// `request` over `data`: a list that the request has takes the place of the template's, but tags are joined.
Parameters merge_launch(const Parameters& data, const Parameters& request);

// "Placement.AvailabilityZone" as <placement><availabilityZone/></placement>, "TagSpecification.1.Tag.1.Key" as
// <tagSpecificationSet><item><tagSet><item><key/></item></tagSet></item></tagSpecificationSet>.
void write_template_data(pugi::xml_node parent, const Parameters& data);

}  // namespace pileus::ec2
