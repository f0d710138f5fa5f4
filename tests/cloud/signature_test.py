"""Who is let in. The signatures are botocore's, so the test shares no code with what it tests."""

import datetime
import time
import unittest
import unittest.mock
import urllib.parse
import xml.etree.ElementTree

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloud import REGION, Cloud

SKEW = datetime.timedelta(minutes=15)
MARGIN = datetime.timedelta(minutes=2)  # for a request to be on its way
REPLAY_S = 5  # a client's own doubling of a request is let pass for so long
NONE = "-"


def at(moment):
    """botocore's clock shows this moment."""
    clock = unittest.mock.Mock(wraps=datetime)
    clock.datetime = unittest.mock.Mock(wraps=datetime.datetime)
    clock.datetime.utcnow = lambda: moment
    return unittest.mock.patch.object(botocore.auth, "datetime", clock)


def now():
    return datetime.datetime.utcnow()


class Signature(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = cls.enterClassContext(Cloud())

    def request(self, method="POST", headers=(), path="/", **parameters):
        parameters = {"Action": "DescribeRegions", "Version": "2016-11-15", **parameters}
        text = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
        url = self.cloud.endpoint + path
        if method == "GET":
            return AWSRequest("GET", url + "?" + text, headers=dict(headers))
        return AWSRequest("POST", url, data=text,
                          headers={"Content-Type": "application/x-www-form-urlencoded", **dict(headers)})

    def sign(self, request, secret=None, key=None, service="ec2", region=REGION, by=botocore.auth.SigV4Auth, **more):
        by(Credentials(key or self.cloud.access_key, secret or self.cloud.secret_key), service, region,
           **more).add_auth(request)
        return request

    def check(self, request, status, code=NONE):
        got, text = self.cloud.send(request)
        root = xml.etree.ElementTree.fromstring(text)
        self.assertEqual((got, root.findtext(".//Code", NONE)), (status, code), text)
        return text

    def test_let_in(self):
        self.check(self.sign(self.request()), 200)
        self.check(self.sign(self.request("GET")), 200)
        self.check(self.sign(self.request("GET", Filter="a b+c/ü~*'")), 200)
        self.check(self.sign(self.request(path="/services/Cloud%20a/")), 200)
        self.check(self.sign(self.request(headers={"X-Spaces": "  a   b  "})), 200)
        self.check(self.sign(self.request(), region="another-2"), 200)
        self.check(self.sign(self.request(Action="GetCallerIdentity", Version="2011-06-15"), service="sts"), 200)

    def test_presigned(self):
        by = botocore.auth.SigV4QueryAuth
        self.check(self.sign(self.request("GET"), by=by, expires=600), 200)
        with at(now() - datetime.timedelta(hours=1)):
            late = self.sign(self.request("GET"), by=by, expires=60)
            good = self.sign(self.request("GET"), by=by, expires=7200)
        self.check(late, 400, "RequestExpired")
        self.check(good, 200)
        good.url = good.url.replace("DescribeRegions", "DescribeInstances")
        self.check(good, 401, "AuthFailure")
        week = self.sign(self.request("GET"), by=by, expires=8 * 24 * 3600)
        self.check(week, 400, "IncompleteSignature")
        change = {"Action": "CreateKeyPair", "KeyName": "by-url"}
        self.check(self.sign(self.request("GET", **change), by=by, expires=7200), 401, "AuthFailure")
        self.check(self.sign(self.request("GET", **change), by=by, expires=600), 200)

    def test_refused(self):
        self.check(self.request(), 403, "MissingAuthenticationToken")
        self.check(self.sign(self.request(), secret="not" * 10), 401, "AuthFailure")
        self.check(self.sign(self.request(), key="AKIANOBODY"), 401, "AuthFailure")
        self.check(self.sign(self.request(), service="s3"), 400, "IncompleteSignature")

    def test_dates(self):
        for hours in (SKEW - MARGIN, -SKEW + MARGIN):
            with at(now() + hours):
                self.check(self.sign(self.request()), 200)
        for hours in (SKEW + MARGIN, -SKEW - MARGIN):
            before = now()
            with at(before + hours):
                text = self.check(self.sign(self.request()), 400, "RequestExpired")
            told = [moment.strftime("%Y-%m-%dT%H:") in text for moment in (before, now())]
            self.assertIn(True, told, f"it tells our time: {text}")

    def test_changed_on_the_way(self):
        body = self.sign(self.request())
        body.data = body.data + "&DryRun=true"
        self.check(body, 401, "AuthFailure")
        query = self.sign(self.request("GET"))
        query.url += "&DryRun=true"
        self.check(query, 401, "AuthFailure")
        path = self.sign(self.request())
        path.url = self.cloud.endpoint + "/other"
        self.check(path, 401, "AuthFailure")
        header = self.sign(self.request(headers={"X-Some": "one"}))
        header.headers.replace_header("X-Some", "two")
        self.check(header, 401, "AuthFailure")
        date = self.sign(self.request())
        date.headers.replace_header("X-Amz-Date", (now() + datetime.timedelta(minutes=9)).strftime("%Y%m%dT%H%M%SZ"))
        self.check(date, 401, "AuthFailure")

    def test_malformed(self):
        for change in (lambda text: text.replace("Credential=", "Credentail="),
                       lambda text: text.replace("/aws4_request", ""),
                       lambda text: text.replace("SignedHeaders=", "SignedHeaders=;"),
                       lambda text: text.replace("Signature=", "Signature=z"),
                       lambda text: "AWS4-HMAC-SHA256",
                       lambda text: "AWS4-HMAC-SHA256 " + "," * 1000,
                       lambda text: "Basic cm9vdDpyb290"):
            request = self.sign(self.request())
            request.headers.replace_header("Authorization", change(request.headers["Authorization"]))
            status, text = self.cloud.send(request)
            code = xml.etree.ElementTree.fromstring(text).findtext(".//Code")
            self.assertIn((status, code), ((400, "IncompleteSignature"), (401, "AuthFailure")), text)

    def test_uncovered_host(self):
        class WithoutHost(botocore.auth.SigV4Auth):
            def headers_to_sign(self, request):
                headers = super().headers_to_sign(request)
                del headers["host"]
                return headers

        self.check(self.sign(self.request(), by=WithoutHost), 400, "IncompleteSignature")

    def test_overheard_changes_are_not_done_again(self):
        change = self.sign(self.request(Action="CreateKeyPair", KeyName="once", KeyType="ed25519"))
        self.check(change, 200)
        reading = self.sign(self.request())
        self.check(reading, 200)
        delete = self.sign(self.request(Action="DeleteKeyPair", KeyName="once"))
        self.check(delete, 200)
        time.sleep(REPLAY_S + 1)
        self.check(change, 400, "RequestExpired")
        self.check(reading, 200)
        self.cloud.kill()
        self.cloud.start()
        self.check(change, 400, "RequestExpired")
        self.check(delete, 400, "RequestExpired")

    def test_accounts_do_not_see_each_other(self):
        other = self.cloud.call("PileusCreateAccount", Name="other")
        ours, theirs = self.cloud.client(), self.cloud.client("ec2", other["accessKeyId"], other["secretAccessKey"])
        instance = ours.run_instances(ImageId=self.cloud.image(), MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        ours.create_key_pair(KeyName="ours", KeyType="ed25519")
        group = ours.create_security_group(GroupName="ours", Description="ours")["GroupId"]
        self.assertEqual(theirs.describe_instances()["Reservations"], [])
        self.assertEqual(theirs.describe_key_pairs()["KeyPairs"], [])
        self.assertEqual([each["GroupName"] for each in theirs.describe_security_groups()["SecurityGroups"]],
                         ["default"])
        self.assertEqual(theirs.describe_volumes()["Volumes"], [])
        self.assertEqual(theirs.describe_network_interfaces()["NetworkInterfaces"], [])
        for act, arguments, code in (
                (theirs.describe_instances, {"InstanceIds": [instance]}, "InvalidInstanceID.NotFound"),
                (theirs.terminate_instances, {"InstanceIds": [instance]}, "InvalidInstanceID.NotFound"),
                (theirs.get_console_output, {"InstanceId": instance}, "InvalidInstanceID.NotFound"),
                (theirs.delete_security_group, {"GroupId": group}, "InvalidGroup.NotFound"),
                (theirs.create_tags, {"Resources": [instance], "Tags": [{"Key": "a", "Value": "b"}]}, "InvalidID")):
            with self.assertRaises(theirs.exceptions.ClientError) as caught:
                act(**arguments)
            self.assertEqual(caught.exception.response["Error"]["Code"], code)
        with self.assertRaisesRegex(AssertionError, "UnauthorizedOperation"):
            self.cloud.call("PileusDescribeHosts", other["accessKeyId"], other["secretAccessKey"])
        self.assertIn("hostSet", self.cloud.call("PileusDescribeHosts"))


if __name__ == "__main__":
    unittest.main()
