// What the files that describe the command line share.
#pragma once

#include <CLI/CLI.hpp>

#include "command_line.h"

namespace pileus::cli {

// A subcommand with examples.
CLI::App* leaf(CLI::App* parent, const std::string& name, const std::string& what, const std::string& examples);
void add_name(CLI::App* app, CommandLine& line, const std::string& what);
void add_json(CLI::App* app, CommandLine& line);

// A text that is handed on to the API under this name.
void add_parameter(CLI::App* app, CommandLine& line, const std::string& option, const std::string& parameter,
                   const std::string& what);

// clone_command_line.cc
void add_clone_commands(CLI::App& root, CommandLine& line);

// administration_command_line.cc
void add_cloud_administration(CLI::App& root, CommandLine& line);

// volume_command_line.cc
void add_volume_commands(CLI::App& root, CommandLine& line);
// Those of the cloud, beside those of the library.
void add_cloud_image_commands(CLI::App* image, CommandLine& line);

}  // namespace pileus::cli
