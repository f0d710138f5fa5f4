// env: how to use the cloud with the clients that people have.
#include <cstdio>

#include "cloud/commands.h"
#include "cloud/session.h"

namespace pileus::cli {
namespace {

// Each of its {endpoint}, {host}, {port}, {region}, {key}, {secret} is replaced.
constexpr const char* kShell =
    "export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}\n"
    "export AWS_DEFAULT_REGION={region} AWS_REGION={region} AWS_EC2_METADATA_DISABLED=true\n"
    "export AWS_ENDPOINT_URL={endpoint} PILEUS_ENDPOINT={endpoint}\n"
    "# awscli before 2.13 does not look at AWS_ENDPOINT_URL\n"
    "alias aws='aws --endpoint-url {endpoint}'\n";
constexpr const char* kAwscli =
    "# ~/.aws/config; awscli before 2.13 wants --endpoint-url {endpoint} besides\n"
    "[profile pileus]\nregion = {region}\nendpoint_url = {endpoint}\naws_access_key_id = {key}\n"
    "aws_secret_access_key = {secret}\n";
constexpr const char* kBoto3 =
    "import boto3\n"
    "ec2 = boto3.client('ec2', endpoint_url='{endpoint}', region_name='{region}',\n"
    "                   aws_access_key_id='{key}', aws_secret_access_key='{secret}')\n";
constexpr const char* kAnsible =
    "# in a play\nmodule_defaults:\n  group/aws:\n    endpoint_url: {endpoint}\n    region: {region}\n"
    "    access_key: {key}\n    secret_key: {secret}\n";
constexpr const char* kLibcloud =
    "from libcloud.compute.drivers.ec2 import EC2NodeDriver\n"
    "driver = EC2NodeDriver('{key}', '{secret}', region='us-east-1', secure=False, host='{host}', port={port})\n";
// The last two are as `terraform fmt` and `packer fmt` write them.
constexpr const char* kTerraform = R"(terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region                  = "{region}"
  access_key              = "{key}"
  secret_key              = "{secret}"
  skip_region_validation  = true
  skip_metadata_api_check = true

  endpoints {
    ec2 = "{endpoint}"
    sts = "{endpoint}"
  }
}
)";
constexpr const char* kPacker = R"(# Packer 1.7 and later take the builder from a plugin:
#   packer plugins install github.com/hashicorp/amazon
source "amazon-ebs" "example" {
  region                  = "{region}"
  access_key              = "{key}"
  secret_key              = "{secret}"
  custom_endpoint_ec2     = "{endpoint}"
  skip_region_validation  = true
  skip_metadata_api_check = true

  ami_name      = "example"
  instance_type = "t3.micro"
  ssh_username  = "debian"

  source_ami_filter {
    filters = {
      name = "debian-12"
    }
    owners      = ["amazon"] # the cloud's own images
    most_recent = true
  }
}

build {
  sources = ["source.amazon-ebs.example"]

  provisioner "shell" {
    inline = ["cloud-init status --wait"]
  }
}
)";

std::string filled(std::string text, const client::Settings& settings) {
  const std::size_t begin = settings.endpoint.find("//") + 2;
  const std::size_t colon = std::min(settings.endpoint.find(':', begin), settings.endpoint.size());
  const std::pair<std::string, std::string> fields[] = {
      {"{endpoint}", settings.endpoint},
      {"{host}", settings.endpoint.substr(begin, colon - begin)},
      {"{port}", colon == settings.endpoint.size() ? "80" : settings.endpoint.substr(colon + 1)},
      {"{region}", settings.region},
      {"{key}", settings.access_key},
      {"{secret}", settings.secret_key}};
  for (const auto& [name, value] : fields) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size())) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

}  // namespace

Result<int> cloud_env(image::Library& library, const CommandLine& line) {
  const client::Settings settings = TRY(client::find_settings(known_settings_file(library)));
  const std::pair<std::string_view, const char*> texts[] = {
      {"sh", kShell},          {"awscli", kAwscli},       {"boto3", kBoto3},  {"ansible", kAnsible},
      {"libcloud", kLibcloud}, {"terraform", kTerraform}, {"packer", kPacker}};
  for (const auto& [name, text] : texts) {
    if (name == (line.cloud.text.empty() ? "sh" : line.cloud.text)) std::fputs(filled(text, settings).c_str(), stdout);
  }
  return 0;
}

}  // namespace pileus::cli
