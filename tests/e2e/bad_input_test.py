"""Wrong input gets one sentence with the way out and an exit status, and leaves nothing half-made behind."""

import os
import pathlib
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest

from harness import HOME, IMAGE, PROGRAMS, Vm, end_on_sigterm, pileus

KERNELS = pathlib.Path(__file__).resolve().parent / "kernels"
FAILED, USAGE = 1, 2
NOBODY = 65534
MIB = 1 << 20


class BadInput(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pileus-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.home = self.folder / "home"
        (self.home / "vms").mkdir(parents=True)

    def file(self, name, content=b"", size=None):
        path = self.folder / name
        path.write_bytes(content)
        if size is not None:
            os.truncate(path, size)
        return path

    def empty_disk(self):
        return self.file("disk.raw", size=MIB)

    def start_of_image(self, size):
        """The first `size` bytes of a good image."""
        with open(HOME / "images" / IMAGE / "disk.raw", "rb") as disk:
            return self.file("cut.raw", disk.read(size))

    def add_image(self):
        """An image that can be named and removed; not one that boots."""
        image = self.home / "images" / IMAGE
        image.mkdir(parents=True)
        shutil.copy(HOME / "images" / IMAGE / "image.json", image)
        (image / "disk.raw").touch()
        os.truncate(image / "disk.raw", (HOME / "images" / IMAGE / "disk.raw").stat().st_size)
        return image

    def vms(self):
        return sorted(path.name for path in (self.home / "vms").iterdir())

    def vmms(self):
        """The processes that run a VM of this test."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes()
            except OSError:
                continue  # it has ended meanwhile
            if str(self.home).encode() in words and b"pileus-vmm" in words:
                found.append(int(path.parent.name))
        return found

    def refuse(self, words, *parts, status=FAILED, home=None, **options):
        """The command fails with one sentence that has all of `parts` in it, and leaves nothing behind."""
        before = self.vms(), self.vmms()
        done = pileus(*words, home=home or self.home, check=False, **options)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("pileus: "), done.stderr)
        for part in parts:
            self.assertIn(str(part), lines[0])
        self.assertEqual((self.vms(), self.vmms()), before)

    def refuse_run(self, words, *parts, status=FAILED):
        self.refuse(["vm", "run", self.empty_disk(), "--name", "x", *words], *parts, status=status)

    # ---- disks and images

    def test_no_such_image(self):
        self.refuse(["vm", "run", "nonesuch"], "'nonesuch'", "pileus image ls")

    def test_image_not_built_yet(self):
        self.refuse(["vm", "run", IMAGE], "pileus image build debian-12")

    def test_no_recipe(self):
        self.refuse(["image", "build", "nonesuch"], "'nonesuch'", "debian-12")

    def test_text_is_no_disk(self):
        self.refuse(["vm", "run", self.file("notes.txt", b"not a disk")], "notes.txt", "sectors", status=USAGE)

    def test_disk_without_a_system(self):
        self.refuse(["vm", "run", self.empty_disk()], "no ext2, ext3 or ext4 file system", "--kernel")

    def test_folder_is_no_disk(self):
        self.refuse(["vm", "run", self.folder], "folder", status=USAGE)

    def test_image_cut_short_at_a_sector(self):
        self.refuse(["vm", "run", self.start_of_image(MIB)], "cut short")

    def test_image_cut_short_inside_the_file_system(self):
        self.refuse(["vm", "run", self.start_of_image(64 * MIB)], "cut short")

    def test_image_cut_short_inside_a_sector(self):
        self.refuse(["vm", "run", self.start_of_image(MIB + 100)], "cut.raw", "cut short", status=USAGE)

    def test_qcow2(self):
        self.refuse(["vm", "run", self.file("disk.qcow2", b"QFI\xfb\0\0\0\3", MIB)], "qcow2", "qemu-img convert -O raw")

    def test_compressed_disk(self):
        self.refuse(["vm", "run", self.file("disk.raw.gz", b"\x1f\x8b\x08", MIB)], "gzip", "unpack", status=USAGE)

    def test_disk_size_below_the_base(self):
        self.refuse_run(["--disk-size", "512K"], "--disk-size", "larger", status=USAGE)

    def test_image_in_use_is_not_removed(self):
        image = self.add_image()
        kernel = self.kernel("hammer")
        with Vm("user", "--memory", "64M", "--kernel", kernel, home=self.home) as vm:
            vm.run()
            self.refuse(["image", "rm", IMAGE], IMAGE, "user", "pileus vm rm")
            self.assertTrue((image / "disk.raw").exists())
        pileus("image", "rm", IMAGE, home=self.home)
        self.assertFalse(image.exists())

    # ---- resources

    def test_more_memory_than_the_host_has(self):
        host = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self.refuse_run(["--memory", f"{host // MIB + 1}M"], "more than this host's", "--memory")

    def test_memory_out_of_range(self):
        self.refuse_run(["--memory", "1M"], "32M", status=USAGE)
        self.refuse_run(["--memory", "1T"], "252G", status=USAGE)

    def test_memory_that_is_no_size(self):
        self.refuse_run(["--memory", "much"], "--memory", "much", status=USAGE)

    def test_number_of_cpus(self):
        self.refuse_run(["--cpus", "0"], "1 to 254", status=USAGE)
        self.refuse_run(["--cpus", "255"], "1 to 254", status=USAGE)

    def test_place_for_gdb(self):
        self.refuse_run(["--gdb", "1234"], "--gdb", "unix:PATH", status=USAGE)
        self.refuse_run(["--gdb", "tcp:0.0.0.0:1234"], "127.0.0.1", status=USAGE)

    def test_kvm_engine(self):
        kvm = pathlib.Path("/dev/kvm")
        if not kvm.exists():
            self.refuse_run(["--engine", "kvm"], "no /dev/kvm", "--engine bt")
            return
        if os.geteuid() == 0:
            os.chmod(self.folder, 0o755)
            for folder in (self.home, self.home / "vms"):
                os.chown(folder, NOBODY, NOBODY)
            options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            if kvm.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
                self.skipTest("everybody may use /dev/kvm")
            if any(not path.stat().st_mode & stat.S_IXOTH for path in [PROGRAMS / "pileus", *PROGRAMS.parents]):
                self.skipTest("the programs are out of reach for other users")
        elif os.access(kvm, os.R_OK | os.W_OK):
            self.skipTest("we may use /dev/kvm")
        else:
            options = {}
        disk = self.empty_disk()
        self.refuse(["vm", "run", disk, "--name", "x", "--engine", "kvm"], "may not open /dev/kvm", "--engine bt", **options)

    def test_unknown_engine(self):
        self.refuse_run(["--engine", "warp"], "--engine", "warp", "bt", status=USAGE)

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            self.refuse_run(["--forward", f"{port}:80"], f"port {port}", "in use", "--forward")

    def test_forward_that_is_none(self):
        self.refuse_run(["--forward", "web"], "--forward", "web", status=USAGE)

    # ---- files

    def kernel(self, name):
        built = self.folder / f"{name}.elf"
        subprocess.run(["nasm", "-f", "bin", "-i", f"{KERNELS}/", "-o", built, KERNELS / f"{name}.asm"], check=True)
        return built

    def test_missing_key(self):
        self.refuse_run(["--ssh-key", self.folder / "none.pub"], "--ssh-key", "none.pub", "ssh-keygen")

    def test_key_that_is_none(self):
        self.refuse_run(["--ssh-key", self.file("key.pub", b"hello\n")], "--ssh-key", "key.pub", status=USAGE)

    def test_missing_kernel(self):
        self.refuse_run(["--kernel", self.folder / "vmlinuz"], "--kernel", "vmlinuz")

    def test_kernel_that_is_none(self):
        self.refuse_run(["--kernel", self.file("vmlinuz", b"hello" * 1000)], "kernel", "bzImage")

    def test_kernel_cut_short(self):
        whole = self.kernel("hammer").read_bytes()
        self.refuse_run(["--kernel", self.file("cut.elf", whole[:len(whole) - 10])], "kernel", "truncated")

    def test_initrd_without_kernel(self):
        self.refuse_run(["--initrd", self.file("initrd", b"x")], "--initrd", "--kernel", status=USAGE)

    def test_missing_user_data(self):
        self.refuse_run(["--user-data", self.folder / "none.yaml"], "--user-data", "none.yaml")

    def test_home_that_cannot_be_written(self):
        home = self.folder / "locked"
        home.mkdir(mode=0o555)
        disk = self.empty_disk()
        options = {}
        if os.geteuid() == 0:
            # Root may write everywhere, so somebody else has to try, if our programs can be reached by others.
            os.chmod(self.folder, 0o755)
            disk.chmod(0o644)
            options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            if any(not path.stat().st_mode & stat.S_IXOTH for path in [PROGRAMS / "pileus", *PROGRAMS.parents]):
                self.skipTest("the programs are out of reach for other users")
        self.refuse(["vm", "run", disk, "--name", "x"], home, "PILEUS_HOME", home=home, **options)
        self.assertEqual(list(home.iterdir()), [])

    # ---- VMs

    def test_name_that_is_none(self):
        self.refuse(["vm", "run", self.empty_disk(), "--name", "../x"], "--name", status=USAGE)

    def test_no_such_vm(self):
        for command in ("start", "wait", "show", "ssh", "console", "stop", "kill", "reset", "nmi", "rm", "stats"):
            with self.subTest(command):
                self.refuse(["vm", command, "none"], "'none'", "pileus vm ls")

    def test_running_vm(self):
        with Vm("busy", "--memory", "64M", "--kernel", self.kernel("hammer"), source=self.empty_disk(),
                home=self.home) as vm:
            vm.run()
            self.refuse(["vm", "run", self.empty_disk(), "--name", "busy"], "'busy'", "already", "pileus vm rm busy")
            self.refuse(["vm", "start", "busy"], "busy", "runs already")
            self.refuse(["vm", "rm", "busy"], "busy", "pileus vm stop busy", "--force")
            vm.command("kill")
            for command in ("ssh", "console", "reset", "nmi", "stats", "wait"):
                with self.subTest(command):
                    self.refuse(["vm", command, "busy"], "busy", "pileus vm start busy")


if __name__ == "__main__":
    end_on_sigterm()
    unittest.main()
