#include "machine/diskboot/grub_config.h"

#include <gtest/gtest.h>

#include "machine/diskboot/bls_entry.h"
#include "machine/fuzz.h"

namespace pileus::machine {
namespace {

// The shape of what Debian's grub-mkconfig writes.
constexpr std::string_view kDebian = R"(
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
else
   set default="0"
fi
if [ x"${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi
function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
  fi
}
set timeout=0
menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option 'gnulinux-simple-1' {
	load_video
	insmod gzio
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	search --no-floppy --fs-uuid --set=root 6c1e-uuid
	echo	'Loading Linux 6.1.0 ...'
	linux	/boot/vmlinuz-6.1.0 root=PARTUUID=abc ro  console=tty0 \
	        console=ttyS0,115200 "quoted=a b"
	initrd	/boot/early.img /boot/initrd.img-6.1.0
}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {
	menuentry 'Debian, with Linux 5.10' $menuentry_id_option 'gnulinux-5.10' {
		linux	($root)/boot/vmlinuz-5.10 root=/dev/vda1
	}
	menuentry 'Debian, with Linux 5.10 (recovery)' {
		linux	/boot/vmlinuz-5.10 root=/dev/vda1 single
	}
}
)";

BootRecipe parse(std::string_view text, Variables variables = {}) {
  auto recipe = parse_grub_config(text, std::move(variables));
  EXPECT_TRUE(recipe.ok()) << recipe.error().message();
  return recipe.ok() ? std::move(*recipe) : BootRecipe();
}

std::string with_default(const std::string& value) {
  std::string text(kDebian);
  const std::string from = "set default=\"0\"";
  return text.replace(text.find(from), from.size(), "set default=\"" + value + "\"");
}

TEST(GrubConfig, TakesTheDefaultEntry) {
  const BootRecipe recipe = parse(kDebian);
  EXPECT_EQ(recipe.title, "Debian GNU/Linux");
  EXPECT_EQ(recipe.kernel_path, "/boot/vmlinuz-6.1.0");
  EXPECT_EQ(recipe.initrd_paths, (std::vector<std::string>{"/boot/early.img", "/boot/initrd.img-6.1.0"}));
  EXPECT_EQ(recipe.command_line, "root=PARTUUID=abc ro console=tty0 console=ttyS0,115200 quoted=a b");
  EXPECT_EQ(recipe.filesystem_uuid, "6c1e-uuid");
}

TEST(GrubConfig, FindsEntriesByNumberTitleAndId) {
  EXPECT_EQ(parse(with_default("1>1")).title, "Debian, with Linux 5.10 (recovery)");
  EXPECT_EQ(parse(with_default("Advanced options>Debian, with Linux 5.10")).kernel_path, "/boot/vmlinuz-5.10");
  EXPECT_EQ(parse(with_default("gnulinux-advanced-1>gnulinux-5.10")).kernel_path, "/boot/vmlinuz-5.10");
  EXPECT_EQ(parse(with_default("1")).title, "Debian, with Linux 5.10");
  EXPECT_EQ(parse(with_default("7")).title, "Debian GNU/Linux");
  EXPECT_EQ(parse(with_default("gone")).title, "Debian GNU/Linux");
}

TEST(GrubConfig, UsesSavedVariables) {
  const Variables saved = parse_grub_environment("# GRUB Environment Block\nsaved_entry=1>gnulinux-5.10\nbroken\n####");
  EXPECT_EQ(parse(with_default("${saved_entry}"), saved).kernel_path, "/boot/vmlinuz-5.10");
}

TEST(GrubConfig, FirstLinuxLineWinsOverOtherBranches) {
  const BootRecipe recipe = parse(R"(menuentry "x" {
    if [ "${initrdfail}" = 1 ]; then
      linux /vmlinuz a
      initrd /initrd
    else
      linux /vmlinuz a panic=-1
    fi
  })");
  EXPECT_EQ(recipe.command_line, "a");
  EXPECT_EQ(recipe.initrd_paths.size(), 1u);
}

TEST(GrubConfig, WhatAnEntrySetsStaysInside) {
  const BootRecipe recipe =
      parse("set k=1\nmenuentry a { set k=2; set default=9; echo }\nmenuentry b { linux /v k=$k }");
  EXPECT_EQ(recipe.command_line, "k=1");
}

TEST(GrubConfig, RefusesWhatBootsNothing) {
  EXPECT_EQ(parse_grub_config("set a=b\nmenuentry x { chainloader +1 }", {}).error().code(), ErrorCode::kNotFound);
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "submenu x {\n";
  EXPECT_EQ(parse_grub_config(deep, {}).error().code(), ErrorCode::kCorrupt);
}

TEST(GrubConfig, SurvivesTruncationEverywhere) {
  for (u64 size = 0; size <= kDebian.size(); ++size) {
    fuzz_grub_cfg({reinterpret_cast<const u8*>(kDebian.data()), size});
  }
  const std::string doubling = "set a=xxxxxxxxxxxxxxxxxxxx\n" + [] {
    std::string lines;
    for (int i = 0; i < 200; ++i) lines += "set a=$a$a$a$a\n";
    return lines;
  }();
  fuzz_grub_cfg({reinterpret_cast<const u8*>(doubling.data()), doubling.size()});
}

TEST(BlsEntry, ReadsFedoraStyle) {
  const auto recipe = parse_bls_entry(
      "title Fedora Linux (6.5)\nversion 6.5\nlinux /vmlinuz-6.5\ninitrd /initramfs-6.5.img "
      "$tuned_initrd\n"
      "options root=UUID=1 ro\noptions $kernelopts x=\"a b\"\n# comment\ngrub_arg --unrestricted\n",
      {{"kernelopts", "quiet"}});
  ASSERT_TRUE(recipe.ok());
  EXPECT_EQ(recipe->title, "Fedora Linux (6.5)");
  EXPECT_EQ(recipe->kernel_path, "/vmlinuz-6.5");
  EXPECT_EQ(recipe->initrd_paths, std::vector<std::string>{"/initramfs-6.5.img"});
  EXPECT_EQ(recipe->command_line, "root=UUID=1 ro quiet x=\"a b\"");
  EXPECT_FALSE(parse_bls_entry("title only\n", {}).ok());
}

}  // namespace
}  // namespace pileus::machine
