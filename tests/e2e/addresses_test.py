#!/usr/bin/env python3
"""What the EC2 API says of an instance's network is carried out: an elastic address leads to it and moves, and the metadata
service takes its options at once."""

import json
import os
import subprocess
import tempfile

from harness import BOOT_PATIENCE_S, IMAGE, Failure, end_on_sigterm, step, wait_until
from one_cloud import STATE_PATIENCE_S, Cloud

METADATA = "http://169.254.169.254/latest"
STATUS = "curl -s -o /dev/null -w '%{http_code}'"


class Aws:
    """Calls of Debian's awscli as root."""

    def __init__(self, cloud):
        settings = json.loads((cloud.folder / "manager" / "client.json").read_text())
        self.endpoint = settings["endpoint"]
        self.environment = os.environ | {
            "AWS_ACCESS_KEY_ID": settings["access_key"], "AWS_SECRET_ACCESS_KEY": settings["secret_key"],
            "AWS_DEFAULT_REGION": settings["region"], "AWS_PAGER": ""}

    def __call__(self, *words):
        done = subprocess.run(["/usr/bin/aws", "--endpoint-url", self.endpoint, "--output", "json", "ec2", *words],
                              env=self.environment, capture_output=True, text=True, timeout=STATE_PATIENCE_S, check=False)
        if done.returncode != 0:
            raise Failure(f"aws {' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout or "{}")


def main():
    with tempfile.TemporaryDirectory(prefix="pileus-addresses-test-") as folder, Cloud(folder) as cloud:
        with step("two instances"):
            cloud("up", "--detach", "--port", "0")
            for name in ("one", "two"):
                cloud("run", IMAGE, "--name", name, patience_s=BOOT_PATIENCE_S)
            aws = Aws(cloud)
            ids = {name: cloud.show(name)["id"] for name in ("one", "two")}
        with step("an elastic address leads to the one, then to the other"):
            made = aws("allocate-address")
            for name in ("one", "two", "one"):
                aws("associate-address", "--allocation-id", made["AllocationId"], "--instance-id", ids[name])

                def is_there():
                    return cloud.show(name)["public_address"].split(":")[0] == made["PublicIp"]
                wait_until(is_there, f"the address is that of {name}", STATE_PATIENCE_S)
                # The switch may let the one that had it before answer for a moment.
                cloud.wait_for_answer(name, "hostname", "ip-" + cloud.show(name)["private_address"].replace(".", "-"))
        with step("given back, the instance is reached as before"):
            aws("disassociate-address", "--public-ip", made["PublicIp"])
            wait_until(lambda: not cloud.show("one")["public_address"].startswith(made["PublicIp"]),
                       "the address is gone", STATE_PATIENCE_S)
            cloud.wait_for_ssh("one")
            aws("release-address", "--allocation-id", made["AllocationId"])
        with step("metadata: tokens required, tags, switched off"):
            def status():
                return cloud.ssh("one", f"{STATUS} {METADATA}/meta-data/instance-id")

            def modify(*words):
                aws("modify-instance-metadata-options", "--instance-id", ids["one"], *words)
            if status() != "200":
                raise Failure("there is no metadata")
            modify("--http-tokens", "required", "--instance-metadata-tags", "enabled")
            wait_until(lambda: status() == "401", "a token is asked for", STATE_PATIENCE_S)
            token = f"T=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {METADATA}/api/token)"
            tag = cloud.ssh("one", f"{token}; curl -s -H \"X-aws-ec2-metadata-token: $T\" "
                                   f"{METADATA}/meta-data/tags/instance/Name")
            if tag != "one":
                raise Failure(f"its tags are not there: {tag}")
            modify("--http-endpoint", "disabled")
            wait_until(lambda: status() == "403", "it is switched off", STATE_PATIENCE_S)
        with step("another type, after a stop"):
            cloud("stop", "one")
            aws("modify-instance-attribute", "--instance-id", ids["one"], "--instance-type", "t3.nano")
            cloud("start", "one")
            cloud.wait_for_ssh("one")
            memory = int(cloud.ssh("one", "grep MemTotal /proc/meminfo | tr -dc 0-9"))
            if memory > 520_000:
                raise Failure(f"a t3.nano has 512 MiB, not {memory} KiB")
        with step("down"):
            cloud("rm", "one", "two")
            cloud("down")


if __name__ == "__main__":
    end_on_sigterm()
    main()
