"""The whole round by libcloud with a real machine at its end."""

import os
import pathlib
import subprocess
import time
import urllib.parse

from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

PATIENCE_S = 600


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(1)


def main():
    url = urllib.parse.urlsplit(os.environ["ENDPOINT"])
    # Its list of regions is fixed; the endpoint is what counts.
    driver = get_driver(Provider.EC2)(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"],
                                      region="us-east-1", host=url.hostname, port=url.port, secure=False)
    word = os.environ["WORD"]
    key_file = pathlib.Path(os.environ["FOLDER"]) / "libcloud.pem"
    key_file.touch(mode=0o600)
    key_file.write_text(driver.create_key_pair("libcloud").private_key)
    driver.ex_create_security_group("libcloud", "by libcloud")
    driver.ex_authorize_security_group("libcloud", "22", "22", "0.0.0.0/0")
    image = driver.get_image(os.environ["IMAGE"])
    size = next(each for each in driver.list_sizes() if each.id == "t3.micro")
    node = driver.create_node(name="libcloud", image=image, size=size, ex_keyname="libcloud",
                              ex_security_groups=["libcloud"], ex_userdata=f"#!/bin/sh\necho {word} > /run/user-data\n")
    [(node, addresses)] = driver.wait_until_running([node], wait_period=1, timeout=PATIENCE_S)
    said = subprocess.run([os.environ["LOGIN"], key_file, addresses[0], "grep . /run/user-data"], check=True,
                          capture_output=True, text=True)
    assert said.stdout.strip() == word, said

    def state():
        return driver.list_nodes(ex_node_ids=[node.id])[0].state

    driver.ex_create_tags(node, {"stage": "test"})
    assert driver.ex_describe_tags(node)["stage"] == "test"
    driver.stop_node(node)
    wait_until(lambda: state() == NodeState.STOPPED, "it is stopped")
    made = driver.create_image(node, "by libcloud")
    wait_until(lambda: driver.get_image(made.id).extra["state"] == "available", "the image is available")
    driver.start_node(node)
    wait_until(lambda: state() == NodeState.RUNNING, "it runs")
    wait_until(lambda: "login:" in (driver.ex_get_console_output(node)["output"] or ""), "its console asks who")
    driver.destroy_node(node)
    wait_until(lambda: state() == NodeState.TERMINATED, "it is terminated")
    driver.delete_image(made)
    driver.ex_delete_security_group("libcloud")
    driver.delete_key_pair(driver.get_key_pair("libcloud"))


if __name__ == "__main__":
    main()
