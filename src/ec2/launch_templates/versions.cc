// Versions of launch templates: records that never change.
#include <charconv>
#include <optional>

#include "ec2/filters.h"
#include "ec2/internal/once.h"
#include "ec2/internal/records.h"
#include "ec2/launch_templates/data.h"
#include "ec2/launch_templates/handlers.h"
#include "ec2/launch_templates/templates.h"
#include "ec2/pages.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxDescription = 255;
constexpr std::size_t kMaxDeleted = 200;

// A version with the template that it is of.
struct Entry {
  model::LaunchTemplate of;
  model::LaunchTemplateVersion version;
  Parameters parameters;
};
Texts parameter_of(const Entry& entry, std::string_view name) { return Texts{entry.parameters.get(name)}; }
constexpr Filter<Entry> kFilters[] = {
    {"create-time", [](const Entry& each) { return Texts{format_time(each.version.created_at)}; }},
    {"is-default-version", [](const Entry& each) { return flag(each.version.number == each.of.default_version); }},
    {"image-id", [](const Entry& each) { return parameter_of(each, "ImageId"); }},
    {"instance-type", [](const Entry& each) { return parameter_of(each, "InstanceType"); }},
    {"ebs-optimized", [](const Entry& each) { return parameter_of(each, "EbsOptimized"); }},
};

std::optional<u64> parse_number(const std::string& text) {
  u64 number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::string page_id(u64 number) {
  // In the order of numbers.
  constexpr std::size_t kDigits = 20;
  const std::string text = std::to_string(number);
  return std::string(kDigits - text.size(), '0') + text;
}

Reply<std::vector<model::LaunchTemplateVersion>> all_versions(const Call& call, model::LaunchTemplateId id) {
  const std::string prefix = model::record_key(model::IdKind::kLaunchTemplate, id.text(), "version-");
  std::vector<model::LaunchTemplateVersion> versions;
  for (const state::KeyValue& entry : TRY(call.store.get(state::Get{state::KeyRange::prefix(prefix)})).entries) {
    versions.push_back(TRY(model::decode<model::LaunchTemplateVersion>(entry.value).with(entry.key)));
  }
  std::ranges::sort(versions, {}, &model::LaunchTemplateVersion::number);
  return versions;
}

void write_version(pugi::xml_node node, const Entry& entry) {
  add(node, "launchTemplateId", entry.of.id.text());
  add(node, "launchTemplateName", entry.of.name);
  add_number(node, "versionNumber", static_cast<i64>(entry.version.number));
  add_if(node, "versionDescription", entry.version.description);
  add_time(node, "createTime", entry.version.created_at);
  add(node, "createdBy", entry.version.created_by);
  add_flag(node, "defaultVersion", entry.version.number == entry.of.default_version);
  write_template_data(add(node, "launchTemplateData"), entry.parameters);
}

Entry entry_of(const model::LaunchTemplate& of, const model::LaunchTemplateVersion& version) {
  return {of, version, parameters_of(version)};
}

// Those of one template that a request names; all of them if it names none.
Reply<std::vector<Entry>> versions_of_named(const Call& call) {
  const Parameters& given = call.parameters;
  const model::LaunchTemplate of = TRY(find_template(call, given)).value;
  const u64 least = parse_number(given.get("MinVersion")).value_or(0);
  const u64 most = parse_number(given.get("MaxVersion")).value_or(~u64{0});
  std::vector<Entry> entries;
  const std::vector<std::string> named = given.list("LaunchTemplateVersion");
  for (const std::string& text : named) entries.push_back(entry_of(of, TRY(find_version(call, of, text))));
  if (!named.empty()) return entries;
  for (const auto& version : TRY(all_versions(call, of.id))) {
    if (version.number >= least && version.number <= most) entries.push_back(entry_of(of, version));
  }
  return entries;
}

// Of all templates: only these can be asked for without naming one.
Reply<std::vector<Entry>> marked_versions(const Call& call) {
  std::vector<Entry> entries;
  for (const std::string& text : call.parameters.list("LaunchTemplateVersion")) {
    if (text != "$Latest" && text != "$Default") {
      return ApiError("InvalidParameterCombination", "Without a template, versions are $Latest or $Default");
    }
    for (const auto& of : TRY(all_records<model::LaunchTemplate>(call))) {
      entries.push_back(entry_of(of, TRY(find_version(call, of, text))));
    }
  }
  if (entries.empty() && call.parameters.list("LaunchTemplateVersion").empty()) {
    return ApiError("MissingParameter", "The request must contain LaunchTemplateId or LaunchTemplateName");
  }
  return entries;
}

}  // namespace

Reply<model::LaunchTemplateVersion> find_version(const Call& call, const model::LaunchTemplate& of,
                                                 const std::string& text) {
  u64 number = 0;
  if (text.empty() || text == "$Default") number = of.default_version;
  else if (text == "$Latest") number = TRY(all_versions(call, of.id)).back().number;
  else number = parse_number(text).value_or(0);
  const std::string key = model::template_version_key(of.id, number);
  auto version = TRY(control::read<model::LaunchTemplateVersion>(call.store, key));
  if (version.exists()) return std::move(version.value);
  return ApiError("InvalidLaunchTemplateId.VersionNotFound",
                  "Could not find the specified version " + text.substr(0, 20) + " for the launch template with ID " +
                      of.id.text() + ".");
}

Reply<model::LaunchTemplateVersion> new_version(const Call& call, u64 number) {
  model::LaunchTemplateVersion version;
  version.number = number;
  version.description = call.parameters.get("VersionDescription");
  if (version.description.size() > kMaxDescription) {
    return ApiError("InvalidParameterValue", "A version's description has up to 255 characters");
  }
  version.created_at = call.clock.now();
  version.created_by = "arn:aws:iam::" + call.account.id.text() + ":root";
  const Parameters data = TRY(read_template_data(call.parameters));
  for (const auto& [name, value] : data.all()) version.parameters[name] = value;
  return version;
}

Parameters parameters_of(const model::LaunchTemplateVersion& version) {
  Parameters parameters;
  for (const auto& [name, value] : version.parameters) parameters.set(name, value);
  return parameters;
}

Reply<> create_launch_template_version(Call& call, pugi::xml_node answer) {
  const model::LaunchTemplateVersion given = TRY(new_version(call, 0));
  const auto make = [&](control::Change& change) -> Reply<std::string> {
    Template found = TRY(find_template(call, call.parameters));
    model::LaunchTemplateVersion version = given;
    version.number = ++found.value.latest_version;
    if (call.parameters.has("SourceVersion")) {
      const auto source = TRY(find_version(call, found.value, call.parameters.get("SourceVersion")));
      const Parameters merged = merge_launch(parameters_of(source), parameters_of(given));
      version.parameters.clear();
      for (const auto& [name, value] : merged.all()) version.parameters[name] = value;
    }
    change.update(model::desired_key(found.value.id), found.value, found.revision);
    change.update(model::template_version_key(found.value.id, version.number), version, 0);
    return std::to_string(version.number);
  };
  const std::string made = TRY(make_once(call, "CreateLaunchTemplateVersion", make));
  const model::LaunchTemplate of = TRY(find_template(call, call.parameters)).value;
  write_version(add(answer, "launchTemplateVersion"), entry_of(of, TRY(find_version(call, of, made))));
  return {};
}

Reply<> delete_launch_template_versions(Call& call, pugi::xml_node answer) {
  const std::vector<std::string> named = call.parameters.list("LaunchTemplateVersion");
  if (named.size() > kMaxDeleted) {
    return ApiError("InvalidParameterValue", "One request deletes at most 200 versions");
  }
  const model::LaunchTemplate of = TRY(find_template(call, call.parameters)).value;
  pugi::xml_node deleted = add(answer, "successfullyDeletedLaunchTemplateVersionSet");
  pugi::xml_node kept = add(answer, "unsuccessfullyDeletedLaunchTemplateVersionSet");
  for (const std::string& text : named) {
    const u64 number = parse_number(text).value_or(0);
    const auto attempt = [&]() -> Reply<bool> {
      const Template now = TRY(find_template(call, call.parameters));
      TRY(find_version(call, now.value, text));
      if (number == now.value.default_version) {
        return ApiError("unexpectedError", "The default version cannot be deleted: set another one first");
      }
      control::Change change;
      // The default stays as it is meanwhile.
      change.expect(model::desired_key(of.id), now.revision);
      change.erase(state::KeyRange::key(model::template_version_key(of.id, number)));
      return TRY(change.commit(call.store)).has_value();
    };
    const Reply<> done = retry(attempt);
    if (!done && done.error().status >= 500) return done;
    pugi::xml_node item = add_item(done.ok() ? deleted : kept);
    add(item, "launchTemplateId", of.id.text());
    add(item, "launchTemplateName", of.name);
    add_number(item, "versionNumber", static_cast<i64>(number));
    if (done.ok()) continue;
    const bool missing = done.error().code.ends_with("VersionNotFound");
    pugi::xml_node error = add(item, "responseError");
    add(error, "code", missing ? std::string("launchTemplateVersionDoesNotExist") : done.error().code);
    add(error, "message", done.error().message);
  }
  return {};
}

Reply<> describe_launch_template_versions(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, nullptr));
  const Page page = TRY(read_page(call.parameters, 1));
  const bool names_one = call.parameters.has("LaunchTemplateId") || call.parameters.has("LaunchTemplateName");
  std::vector<Entry> entries = names_one ? TRY(versions_of_named(call)) : TRY(marked_versions(call));
  const auto place = [](const Entry& entry) { return entry.of.id.text() + " " + page_id(entry.version.number); };
  std::erase_if(entries, [&](const Entry& each) { return !filters.pass(each); });
  std::ranges::sort(entries, {}, place);
  pugi::xml_node set = add(answer, "launchTemplateVersionSet");
  write_page(page, entries, answer, place, [&](const Entry& each) { write_version(add_item(set), each); });
  return {};
}

}  // namespace pileus::ec2
