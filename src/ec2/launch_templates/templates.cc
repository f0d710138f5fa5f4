#include "ec2/launch_templates/templates.h"

#include "ec2/filters.h"
#include "ec2/internal/once.h"
#include "ec2/internal/records.h"
#include "ec2/launch_templates/data.h"
#include "ec2/launch_templates/handlers.h"
#include "ec2/launch_templates/objects.h"
#include "ec2/pages.h"
#include "ec2/tags/objects.h"
#include "http/uri.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kLeastName = 3;
constexpr std::size_t kMaxName = 128;
const model::Tags& tags_of(const model::LaunchTemplate& each) { return each.tags; }

constexpr Filter<model::LaunchTemplate> kFilters[] = {
    {"launch-template-name", [](const model::LaunchTemplate& each) { return Texts{each.name}; }},
    {"create-time", [](const model::LaunchTemplate& each) { return Texts{format_time(each.created_at)}; }},
};

Reply<> check_name(const std::string& name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789()./_-";
  const bool good =
      name.size() >= kLeastName && name.size() <= kMaxName && name.find_first_not_of(kLetters) == std::string::npos;
  if (good) return {};
  return ApiError("InvalidLaunchTemplateName.MalformedException",
                  "A launch template name has 3 to 128 letters, digits and characters of ()./_-");
}

ApiError no_template(const std::string& name) {
  return {"InvalidLaunchTemplateName.NotFoundException",
          "At least one of the launch templates specified in the request does not exist: '" + name.substr(0, 80) + "'"};
}

Reply<Template> find_by_name(const Call& call, const std::string& name) {
  const auto id = TRY(call.store.get(template_name_key(call, name)));
  if (!id) return no_template(name);
  return find_record<model::LaunchTemplate>(call, id->value);
}

}  // namespace

std::string template_name_key(const Call& call, const std::string& name) {
  return "v1/launch-template-names/" + call.account.id.text() + "/" + http::encode_uri(name);
}

Reply<Template> find_template(const Call& call, const Parameters& named) {
  if (named.has("LaunchTemplateId") && named.has("LaunchTemplateName")) {
    return ApiError("InvalidParameterCombination", "Either LaunchTemplateId or LaunchTemplateName has to be given");
  }
  if (named.has("LaunchTemplateId")) {
    return find_record<model::LaunchTemplate>(call, named.get("LaunchTemplateId"));
  }
  if (named.has("LaunchTemplateName")) return find_by_name(call, named.get("LaunchTemplateName"));
  return ApiError("MissingParameter", "The request must contain LaunchTemplateId or LaunchTemplateName");
}

void write_template(pugi::xml_node node, const model::LaunchTemplate& of) {
  add(node, "launchTemplateId", of.id.text());
  add(node, "launchTemplateName", of.name);
  add_time(node, "createTime", of.created_at);
  add(node, "createdBy", of.created_by);
  add_number(node, "defaultVersionNumber", static_cast<i64>(of.default_version));
  add_number(node, "latestVersionNumber", static_cast<i64>(of.latest_version));
  add_tags(node, of.tags);
}

Reply<LaunchParameters> launch_parameters(const Call& call) {
  LaunchParameters result;
  const Parameters named = call.parameters.below("LaunchTemplate");
  if (named.empty()) {
    result.parameters = call.parameters;
    return result;
  }
  const model::LaunchTemplate of = TRY(find_template(call, named)).value;
  const auto version = TRY(find_version(call, of, named.get("Version")));
  result.parameters = merge_launch(parameters_of(version), call.parameters);
  result.template_id = of.id;
  result.template_version = version.number;
  return result;
}

Reply<> create_launch_template(Call& call, pugi::xml_node answer) {
  const std::string& name = call.parameters.get("LaunchTemplateName");
  TRY(check_name(name));
  const model::Tags tags = TRY(tags_for(call.parameters, "launch-template"));
  const model::LaunchTemplateVersion first = TRY(new_version(call, 1));
  const auto make = [&](control::Change& change) -> Reply<std::string> {
    if (TRY(call.store.get(template_name_key(call, name)))) {
      return ApiError("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.");
    }
    model::LaunchTemplate made;
    made.id = model::LaunchTemplateId::random();
    made.account = call.account.id;
    made.name = name;
    made.created_at = first.created_at;
    made.created_by = first.created_by;
    made.tags = tags;
    change.expect(state::Compare::absent(template_name_key(call, name)));
    change.put(template_name_key(call, name), made.id.text());
    change.update(model::desired_key(made.id), made, 0);
    change.update(model::template_version_key(made.id, 1), first, 0);
    return made.id.text();
  };
  const std::string id = TRY(make_once(call, "CreateLaunchTemplate", make));
  write_template(add(answer, "launchTemplate"), TRY(find_record<model::LaunchTemplate>(call, id)).value);
  return {};
}

Reply<> delete_launch_template(Call& call, pugi::xml_node answer) {
  model::LaunchTemplate gone;
  const auto attempt = [&]() -> Reply<bool> {
    const Template found = TRY(find_template(call, call.parameters));
    gone = found.value;
    control::Change change;
    change.expect(model::desired_key(gone.id), found.revision);
    change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kLaunchTemplate, gone.id.text(), "")));
    change.erase(state::KeyRange::key(template_name_key(call, gone.name)));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  write_template(add(answer, "launchTemplate"), gone);
  return {};
}

Reply<> modify_launch_template(Call& call, pugi::xml_node answer) {
  model::LaunchTemplate changed;
  const auto attempt = [&]() -> Reply<bool> {
    Template found = TRY(find_template(call, call.parameters));
    const auto version = TRY(find_version(call, found.value, call.parameters.get("SetDefaultVersion")));
    found.value.default_version = version.number;
    changed = found.value;
    control::Change change;
    change.expect(state::Compare::exists(model::template_version_key(changed.id, version.number)));
    change.update(model::desired_key(changed.id), changed, found.revision);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  write_template(add(answer, "launchTemplate"), changed);
  return {};
}

Reply<> describe_launch_templates(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<model::LaunchTemplate>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters, 1));
  const std::vector<std::string> names = call.parameters.list("LaunchTemplateName");
  std::vector<model::LaunchTemplate> templates;
  for (const std::string& name : names) templates.push_back(TRY(find_by_name(call, name)).value);
  if (names.empty()) templates = TRY(chosen_records<model::LaunchTemplate>(call, "LaunchTemplateId"));
  std::ranges::sort(templates, {}, &model::LaunchTemplate::id);
  std::erase_if(templates, [&](const auto& each) { return !filters.pass(each); });
  pugi::xml_node set = add(answer, "launchTemplates");
  write_page(
      page, templates, answer, [](const auto& each) { return each.id.text(); },
      [&](const auto& each) { write_template(add_item(set), each); });
  return {};
}

}  // namespace pileus::ec2
