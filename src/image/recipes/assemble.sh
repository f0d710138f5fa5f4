# Makes disk.raw (a GPT disk of $2 bytes with one ext4 partition) out of rootfs.tar, in the folder
# $1. Leaves beside it root-uuid and packages. Needs no loop device, and no privilege when run
# under fakeroot.
set -eu
PATH=$PATH:/usr/sbin:/sbin
cd "$1"
bytes=$2
mkdir root
# File capabilities are not kept: fakeroot 1.31 loses the type of a file that gets one. The
# recipes do without.
tar --extract --file=rootfs.tar --directory=root --numeric-owner --preserve-permissions
rm rootfs.tar
uuid=$(sed -n 's,^UUID=\([^ ]*\) / .*,\1,p' root/etc/fstab)
printf '%s' "$uuid" > root-uuid
dpkg-query --admindir=root/var/lib/dpkg -W -f '${Package} ${Version}\n' | LC_ALL=C sort > packages

# The first MiB is for the table, the last for its copy. The type is that of an x86-64 root, by
# which systemd-repart knows it.
truncate --size="$bytes" disk.raw
start=1048576
blocks=$(( (bytes - 2 * start) / 4096 ))
sfdisk --quiet --no-reread --no-tell-kernel disk.raw <<EOF
label: gpt
label-id: $uuid
start=2048, size=$(( blocks * 8 )), type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=$uuid, name=root
EOF
mke2fs -q -F -t ext4 -b 4096 -L root -U "$uuid" -E "offset=$start,hash_seed=$uuid,root_owner=0:0" \
  -d root disk.raw "$blocks"
rm -r root
sync disk.raw
