"""Debian's packer builds an image by the template that `pileus env packer` prints, against a cloud whose hosts only pretend;
and what `pileus env terraform` prints is well-formed and has what the provider needs."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from cloud import BUILD, REGION, Cloud

PATIENCE_S = 600
# Its pauses are for another cloud.
IN_HASTE = {"AWS_POLL_DELAY_SECONDS": "1", "CHECKPOINT_DISABLE": "1", "PACKER_NO_COLOR": "1"}
# An instance that only pretends lets nobody in.
WITHOUT_LOGIN = (('  ssh_username  = "debian"\n', '  communicator  = "none"\n'),)
LOGIN_ONLY = '\n  provisioner "shell" {\n    inline = ["cloud-init status --wait"]\n  }\n'


def settings_of(cloud):
    return {"PILEUS_HOME": str(cloud.folder / "home"), "PILEUS_ENDPOINT": cloud.endpoint, "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": cloud.access_key, "AWS_SECRET_ACCESS_KEY": cloud.secret_key}


def printed_for(client, cloud):
    return subprocess.run([BUILD / "apps" / "pileus", "env", client], env=os.environ | settings_of(cloud), check=True,
                          capture_output=True, text=True).stdout


def packer(*words, folder):
    return subprocess.run(["packer", *words], cwd=folder, env=os.environ | IN_HASTE | {"HOME": str(folder)},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


class Packer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = cls.enterClassContext(Cloud())
        cls.cloud.image()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="pileus-packer-")))

    def write(self, name, text):
        folder = self.folder / name
        folder.mkdir()
        (folder / "template.pkr.hcl").write_text(text)
        return folder

    def test_template_builds_an_image(self):
        text = printed_for("packer", self.cloud)
        self.assertEqual(packer("validate", "template.pkr.hcl", folder=self.write("whole", text)).returncode, 0)
        for here, there in (*WITHOUT_LOGIN, (LOGIN_ONLY, "")):
            self.assertIn(here, text)
            text = text.replace(here, there)
        done = packer("build", "template.pkr.hcl", folder=self.write("simulated", text))
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-2000:])
        ec2 = self.cloud.client()
        [image] = ec2.describe_images(Filters=[{"Name": "name", "Values": ["example"]}])["Images"]
        self.assertEqual(image["State"], "available")
        # What it made for itself is gone.
        states = {each["State"]["Name"] for group in ec2.describe_instances()["Reservations"] for each in group["Instances"]}
        self.assertEqual(states, {"terminated"})
        self.assertEqual(ec2.describe_key_pairs()["KeyPairs"], [])
        self.assertEqual([group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]], ["default"])

    def test_what_is_printed_is_well_formed(self):
        for client in ("packer", "terraform"):
            with self.subTest(client):
                folder = self.write(f"format-{client}", printed_for(client, self.cloud))
                done = packer("fmt", "-check", "-diff", ".", folder=folder)  # the language is the same
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_terraform_is_told_all_that_leads_here(self):
        lines = [" ".join(line.split()) for line in printed_for("terraform", self.cloud).splitlines()]
        for line in ('provider "aws" {', f'region = "{REGION}"', f'access_key = "{self.cloud.access_key}"',
                     f'secret_key = "{self.cloud.secret_key}"', "skip_region_validation = true",
                     "skip_metadata_api_check = true", "endpoints {", f'ec2 = "{self.cloud.endpoint}"',
                     f'sts = "{self.cloud.endpoint}"'):
            self.assertIn(line, lines)


if __name__ == "__main__":
    unittest.main()
