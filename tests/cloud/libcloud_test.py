"""libcloud's EC2 driver does the whole round, signing by Signature V2 and by V4. It reads XML more strictly than others."""

import unittest
import urllib.parse

from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError
from libcloud.compute.providers import get_driver
from libcloud.compute.types import KeyPairDoesNotExistError, NodeState, Provider

from cloud import PATIENCE_S, REGION, Cloud, wait_until


class Libcloud(unittest.TestCase):
    def setUp(self):
        self.cloud = self.enterContext(Cloud())

    def driver(self, version, secret=None):
        url = urllib.parse.urlsplit(self.cloud.endpoint)
        return get_driver(Provider.EC2)(self.cloud.access_key, secret or self.cloud.secret_key, region=REGION,
                                        host=url.hostname, port=url.port, secure=False, signature_version=version)

    def check_round(self, version):
        driver = self.driver(version)
        image = wait_until(driver.list_images, "the image is there")[0]
        self.assertEqual(image.name, "debian-12")
        size = next(each for each in driver.list_sizes() if each.id == "t3.micro")
        with self.assertRaises(KeyPairDoesNotExistError):
            driver.get_key_pair("mine")
        key = driver.create_key_pair("mine")
        self.assertIn("PRIVATE KEY", key.private_key)
        self.assertEqual(driver.get_key_pair("mine").fingerprint, key.fingerprint)
        group = driver.ex_create_security_group("web", "for the web")["group_id"]
        self.assertTrue(driver.ex_authorize_security_group("web", "80", "80", "0.0.0.0/0"))
        node = driver.create_node(name="first", image=image, size=size, ex_keyname="mine", ex_security_groups=["web"],
                                  ex_userdata="#!/bin/sh\ntrue")
        self.assertEqual(node.state, NodeState.PENDING)
        [(node, addresses)] = driver.wait_until_running([node], wait_period=0.2, timeout=PATIENCE_S, ssh_interface="private_ips")
        self.assertTrue(addresses[0].startswith("172.31."))
        self.assertEqual((node.name, node.extra["key_name"]), ("first", "mine"))
        self.assertEqual(node.extra["groups"], [{"group_id": group, "group_name": "web"}])
        self.assertTrue(driver.ex_create_tags(node, {"stage": "test"}))
        self.assertEqual(driver.ex_describe_tags(node)["stage"], "test")
        driver.ex_get_console_output(node)

        def state():
            return driver.list_nodes(ex_node_ids=[node.id])[0].state

        self.assertTrue(driver.stop_node(node))
        wait_until(lambda: state() == NodeState.STOPPED, "it is stopped")
        self.assertTrue(driver.start_node(node))
        wait_until(lambda: state() == NodeState.RUNNING, "it runs again")
        self.assertTrue(driver.reboot_node(node))
        self.assertTrue(driver.destroy_node(node))
        wait_until(lambda: state() == NodeState.TERMINATED, "it is terminated")
        self.assertTrue(driver.ex_delete_security_group("web"))
        self.assertTrue(driver.delete_key_pair(key))
        self.assertEqual(driver.list_key_pairs(), [])
        self.assertEqual([each.name for each in driver.list_locations()], ["us-east-1a"])

    def check_refusal(self, version):
        with self.assertRaises((InvalidCredsError, BaseHTTPError)) as caught:
            self.driver(version, secret="not-the-secret-of-this-account").list_images()
        self.assertIn("AuthFailure", str(caught.exception) + repr(caught.exception))

    def test_round_by_signature_v2(self):
        self.check_round("2")

    def test_round_by_signature_v4(self):
        self.check_round("4")

    def test_wrong_secrets(self):
        self.check_refusal("2")
        self.check_refusal("4")


if __name__ == "__main__":
    unittest.main()
