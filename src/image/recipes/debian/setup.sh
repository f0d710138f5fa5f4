# Runs with the new root in $1, after all packages: turns an installed system into an image.
set -eu
root=$1

# Equal packages make an equal image: the file system's UUID comes from their list.
sum=$(sha256sum < "$root/var/lib/dpkg/status")
uuid=$(echo "$sum" | sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\).*/\1-\2-4\3-a\4-\5/')

echo localhost > "$root/etc/hostname"
echo 'LANG=C.UTF-8' > "$root/etc/default/locale"
printf '127.0.0.1 localhost\n127.0.1.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' > "$root/etc/hosts"

# The root grows to the size of the disk at first boot: the partition by systemd-repart, the file
# system by growfs.
echo "UUID=$uuid / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1" > "$root/etc/fstab"
mkdir -p "$root/etc/repart.d"
printf '[Partition]\nType=root\n' > "$root/etc/repart.d/50-root.conf"

# Every wired interface asks for an address. IPv6 looks for no duplicates of its link-local one, which would hold up
# every boot for one to two seconds: the address comes from the MAC address, and no two of a network have the same.
cat > "$root/etc/systemd/network/80-wired.network" <<'EOF'
[Match]
Type=ether

[Network]
DHCP=yes
IPv6DuplicateAddressDetection=0

[DHCPv4]
UseDomains=yes
EOF
rm -f "$root/etc/resolv.conf"
ln -s ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"

# Everybody may ping, without the file capability that an image does not keep (assemble.sh).
echo 'net.ipv4.ping_group_range = 0 2147483647' > "$root/etc/sysctl.d/50-ping.conf"

# cloud-init takes host name, user, keys and user data; what is not listed here is not run, to
# boot sooner.
cat > "$root/etc/cloud/cloud.cfg" <<'EOF'
users: [default]
disable_root: true
preserve_hostname: false
datasource_list: [NoCloud, Ec2, None]
# One address, so that no name is looked up before there is a name server.
datasource: {Ec2: {strict_id: false, metadata_urls: ["http://169.254.169.254"]}}
network: {config: disabled}
apt: {preserve_sources_list: true}
ssh_deletekeys: true
ssh_genkeytypes: [ed25519, ecdsa]
cloud_init_modules: [bootcmd, write-files, disk_setup, mounts, set_hostname, update_hostname,
  update_etc_hosts, ca-certs, users-groups, ssh]
cloud_config_modules: [ssh-import-id, keyboard, locale, set-passwords, apt-configure, ntp, timezone,
  runcmd]
cloud_final_modules: [package-update-upgrade-install, write-files-deferred, scripts-vendor,
  scripts-per-once, scripts-per-boot, scripts-per-instance, scripts-user, phone-home, final-message,
  power-state-change]
system_info:
  distro: debian
  default_user:
    name: debian
    gecos: Debian
    lock_passwd: true
    groups: [adm, sudo]
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
    shell: /bin/bash
  paths: {cloud_dir: /var/lib/cloud/, templates_dir: /etc/cloud/templates/}
  ssh_svcname: ssh
EOF
# Clones have no need of the modules that look for other clouds' plumbing.
rm -f "$root/etc/systemd/system/cloud-init.target.wants/cloud-init-hotplugd.socket"

# Later boots of the same machine have nothing to configure: there cloud-init's starts of Python are spared, and its units
# are left out of the boot, because the login waits for what they wait for, the network.
cat > "$root/usr/local/sbin/cloud-init-needed" <<'EOF'
#!/bin/sh
# Exit status 1 when the seed disk, or without one the firmware, names the instance that was configured already and says
# that there is no user data, which may ask for something at every boot; else 0.
set -u
answer=/run/cloud-init-needed
[ -e "$answer" ] && exit "$(cat "$answer")"
decide() {
  [ -e /var/lib/cloud/instance/boot-finished ] || return 0
  if seed=$(blkid -L CIDATA); then
    mkdir -p /run/seed && mount -o ro "$seed" /run/seed || return 0
    id=$(sed -n 's/.*"instance-id": *"\([^"]*\)".*/\1/p' /run/seed/meta-data)
    data=$(grep -v '^#cloud-config$' /run/seed/user-data)
    umount /run/seed
  else
    id=$(cat /sys/class/dmi/id/board_asset_tag 2> /dev/null)
    grep -aq pileus.user-data=none /sys/firmware/dmi/tables/DMI && data='{}' || data=unknown
  fi
  [ -n "$id" ] && [ "$id" = "$(cat /var/lib/cloud/data/instance-id)" ] || return 0
  [ "$data" = '{}' ] || return 0
  # What the boot that configured it left behind, so that `cloud-init status --wait` does not wait.
  mkdir -p /run/cloud-init
  for file in status.json result.json; do ln -sf "/var/lib/cloud/data/$file" "/run/cloud-init/$file"; done
  return 1
}
decide
needed=$?
echo "$needed" > "$answer"
exit "$needed"
EOF
chmod 755 "$root/usr/local/sbin/cloud-init-needed"
units='cloud-init-main cloud-init-local cloud-init cloud-init-network cloud-config cloud-final'
mkdir -p "$root/etc/systemd/system-generators"
cat > "$root/etc/systemd/system-generators/cloud-init-not-needed" <<EOF
#!/bin/sh
# Masks cloud-init's units for this boot where there is nothing to do: \$2 goes before /etc (systemd.generator(7)).
set -u
/usr/local/sbin/cloud-init-needed
# No answer kept: systemd from 254 on gives a generator nothing else to write to. The conditions have to do then.
[ "\$(cat /run/cloud-init-needed 2> /dev/null)" = 1 ] || exit 0
for unit in $units; do
  ln -s /dev/null "\$2/\$unit.service"
done
EOF
chmod 755 "$root/etc/systemd/system-generators/cloud-init-not-needed"
for unit in $units; do
  mkdir -p "$root/etc/systemd/system/$unit.service.d"
  printf '[Service]\nExecCondition=/usr/local/sbin/cloud-init-needed\n' \
    > "$root/etc/systemd/system/$unit.service.d/needed.conf"
done

systemctl --quiet --root="$root" enable systemd-networkd.service systemd-resolved.service \
  ssh.service
systemctl --quiet --root="$root" disable apt-daily.timer apt-daily-upgrade.timer \
  dpkg-db-backup.timer \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@tty1.service systemd-pstore.service
systemctl --quiet --root="$root" mask getty@tty1.service

# A login on the virtio console too. Its driver is a module, which comes after the generator that would start one.
mkdir -p "$root/etc/udev/rules.d"
echo 'SUBSYSTEM=="tty", KERNEL=="hvc0", TAG+="systemd", ENV{SYSTEMD_WANTS}+="serial-getty@%k.service"' \
  > "$root/etc/udev/rules.d/90-virtio-console.rules"

# The boot entry, made again whenever a kernel comes or goes.
cat > "$root/usr/local/sbin/update-boot-entry" <<'EOF'
#!/bin/sh
# Writes /boot/grub/grub.cfg: one entry per installed kernel, newest first.
set -eu
uuid=$(sed -n 's,^UUID=\([^ ]*\) / .*,\1,p' /etc/fstab)
mkdir -p /boot/grub
{
  echo 'set default=0'
  echo 'set timeout=0'
  ls /boot/vmlinuz-* 2>/dev/null | sort -rV | while read -r kernel; do
    version=${kernel#/boot/vmlinuz-}
    echo "menuentry 'Debian GNU/Linux, with Linux $version' {"
    echo "  search --no-floppy --fs-uuid --set=root $uuid"
    echo "  linux $kernel root=UUID=$uuid ro console=ttyS0"
    [ ! -e "/boot/initrd.img-$version" ] || echo "  initrd /boot/initrd.img-$version"
    echo '}'
  done
} > /boot/grub/grub.cfg.new
mv /boot/grub/grub.cfg.new /boot/grub/grub.cfg
EOF
chmod 755 "$root/usr/local/sbin/update-boot-entry"
mkdir -p "$root/etc/kernel/postinst.d" "$root/etc/kernel/postrm.d"
for when in postinst postrm; do
  ln -s /usr/local/sbin/update-boot-entry "$root/etc/kernel/$when.d/zz-update-boot-entry"
done
chroot "$root" /usr/local/sbin/update-boot-entry

# What must differ between two machines of one image is not in the image.
rm -f "$root"/etc/ssh/ssh_host_*_key* "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed"
: > "$root/etc/machine-id"
find "$root/var/log" -type f -delete
