// Pages of long answers. A token says after which id to go on, so it stays good while objects come and go.
#pragma once

#include <string>
#include <vector>

#include "ec2/parameters.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

struct Page {
  std::size_t limit = 0;  // 0: all
  std::string after;      // an id; empty: from the beginning
};
// MaxResults (`least` to 1000; more counts as 1000) and NextToken. InvalidParameterValue, InvalidNextToken.
Reply<Page> read_page(const Parameters& parameters, i64 least = 5);
// <nextToken> for a page that ends with this id.
void add_next_token(pugi::xml_node answer, const std::string& last_id);

// Hands the objects of the page, which are ordered by `id_of`, to `write`, and adds the token if there are more.
template <typename Objects, typename IdOf, typename Write>
void write_page(const Page& page, const Objects& objects, pugi::xml_node answer, IdOf id_of, Write write) {
  std::size_t written = 0;
  std::string last;
  for (const auto& object : objects) {
    const std::string id = id_of(object);
    if (!page.after.empty() && id <= page.after) continue;
    if (page.limit != 0 && written == page.limit) {
      add_next_token(answer, last);
      return;
    }
    write(object);
    last = id;
    ++written;
  }
}

}  // namespace pileus::ec2
