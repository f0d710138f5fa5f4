#!/usr/bin/env python3
"""The web console in a headless Chromium, against a cloud manager whose hosts only pretend to run VMs.

The steps are in console/e2e/: this starts the cloud, makes a second account, and looks at what is served.

    PILEUS_SCREENSHOTS    a folder that gets pictures of the pages
"""

import http.client
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONSOLE = ROOT / "console"
sys.path.insert(0, str(HERE.parent / "cloud"))
from cloud import ANSWER_PATIENCE_S, BUILD, Cloud, Failure  # noqa: E402

SKIPPED = 77
PATIENCE_S = 800
ALICE = ("AKIAALICE0000001", "alices-secret-key-0001")


def get(cloud, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=ANSWER_PATIENCE_S)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    response.body = response.read()
    connection.close()
    return response


def check(condition, what):
    if not condition:
        raise Failure(what)


def check_served(cloud):
    page = get(cloud, "/console/")
    check(page.status == 200 and b"<div id=\"app\">" in page.body, "the page is served")
    policy = page.headers["Content-Security-Policy"]
    check("default-src 'none'" in policy and "script-src 'self';" in policy, f"a strict policy: {policy}")
    check(get(cloud, "/console/", **{"If-None-Match": page.headers["ETag"]}).status == 304, "known pages are not sent again")
    check(get(cloud, "/").headers["Location"] == "/console/", "the address alone leads to the console")
    for path in ("/console/../data/client.json", "/console/%2e%2e/client.json", "/console//etc/passwd", "/live/", "/live/x"):
        check(get(cloud, path).status == 404, f"{path} is nothing")
    check(get(cloud, "/?Action=DescribeInstances").status == 403, "the API is where it was")


def check_streams(cloud):
    """A ticket is good once; the stream tells of changes."""
    path = cloud.call("PileusOpenEvents")["path"]
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=PATIENCE_S)
    connection.request("GET", path)
    response = connection.getresponse()
    check(response.headers["Content-Type"] == "text/event-stream", "it is a stream of events")
    check(get(cloud, path).status == 404, "a ticket is good once")
    launched = cloud.client().run_instances(ImageId=cloud.image(), MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    foreign = cloud.client("ec2", *ALICE).run_instances(ImageId=cloud.image(), MinCount=1, MaxCount=1)
    foreign = foreign["Instances"][0]["InstanceId"]
    seen = ""
    while launched not in seen:
        seen += response.readline().decode()
    check(foreign not in seen, "an account sees only its own")
    connection.close()
    for each, keys in ((launched, ()), (foreign, ALICE)):
        cloud.client("ec2", *keys).terminate_instances(InstanceIds=[each])


def begin_tasks(cloud):
    """What the log of tasks has to show."""
    ec2 = cloud.client()
    ec2.import_snapshot(Description="a disk from elsewhere", DiskContainer={"Format": "RAW", "Url": "http://10.0.0.1/disk.raw"})
    ec2.import_image(DiskContainers=[{"Format": "VMDK", "Url": "http://10.0.0.1/disk.vmdk"}])


def main():
    if not (BUILD / "console" / "index.html").exists():
        print("the console was left out of the build")
        return SKIPPED
    with Cloud(hosts=3) as cloud:
        cloud.call("PileusCreateAccount", Name="alice", AccessKeyId=ALICE[0], SecretAccessKey=ALICE[1])
        check_served(cloud)
        check_streams(cloud)
        begin_tasks(cloud)
        settings = {"url": f"{cloud.endpoint}/console/", "key": cloud.access_key, "secret": cloud.secret_key,
                    "aliceKey": ALICE[0], "aliceSecret": ALICE[1], "screenshots": os.environ.get("PILEUS_SCREENSHOTS")}
        subprocess.run(["node", CONSOLE / "e2e" / "walk.mjs", json.dumps(settings)], check=True, timeout=PATIENCE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
