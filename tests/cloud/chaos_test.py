#!/usr/bin/env python3
"""Three hosts, three members of etcd, two cloud managers; each of them is killed at random moments while requests go on. Every
request that was accepted ends as promised, and nothing is left over: VMs, folders, disks, ports, interfaces, addresses, claims.

    chaos_test.py [--seconds 45] [--seed N]
"""

import argparse
import collections
import pathlib
import random
import tempfile
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from cloud import Failure, wait_until
from machines import IMAGE, Cloud, alone

WORKERS = 3
MOST_ALIVE = 5  # instances that a worker has at a time
SETTLE_PATIENCE_S = 300
LONGEST_REST_S = 4.0  # between two kills
LONGEST_DOWN_S = 3.0
# What clients are told to try again: the manager is gone, or its store has no leader just now.
PASSING = ("InternalError", "Unavailable", "ServiceUnavailable", "RequestLimitExceeded", "InternalFailure")


class Client(threading.Thread):
    """Runs and terminates instances, through one manager or the other, and keeps book of what was promised."""

    def __init__(self, cloud, number, seed):
        super().__init__(daemon=True)
        self.clients = [cloud.client(machine) for machine in cloud.managers]
        self.chance = random.Random(f"{seed}-{number}")
        self.number = number
        self.enough = threading.Event()
        self.image = None
        self.alive, self.ended = {}, {}  # token -> instance
        self.retries = collections.Counter()
        self.wrong = None

    def ask(self, action, **arguments):
        """Until it is answered: by the same manager or the other."""
        while True:
            try:
                return getattr(self.chance.choice(self.clients), action)(**arguments)
            except BotoCoreError as error:
                self.retries[type(error).__name__] += 1
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code not in PASSING:
                    raise
                self.retries[code] += 1
            time.sleep(0.1)

    def run(self):
        try:
            count = 0
            while not self.enough.is_set():
                if len(self.alive) < MOST_ALIVE and self.chance.random() < 0.6:
                    self.run_one(f"{self.number}-{count}")
                    count += 1
                elif self.alive:
                    self.terminate_one()
                time.sleep(self.chance.uniform(0.05, 0.3))
        except Exception as error:  # told by the main thread
            self.wrong = error

    def run_one(self, token):
        answer = self.ask("run_instances", ImageId=self.image, MinCount=1, MaxCount=1, InstanceType="t2.nano",
                          ClientToken=token)
        self.alive[token] = answer["Instances"][0]["InstanceId"]

    def terminate_one(self):
        token = self.chance.choice(sorted(self.alive))
        self.ask("terminate_instances", InstanceIds=[self.alive[token]])
        self.ended[token] = self.alive.pop(token)


class Killer:
    """Kills a host with its VMs, a manager or a member of etcd, one at a time, and brings it back."""

    def __init__(self, cloud, seed):
        self.cloud = cloud
        self.chance = random.Random(seed)
        self.kills = collections.Counter()

    def strike(self):
        kind = self.chance.choice(("host", "manager", "etcd"))
        machine = self.chance.choice(self.cloud.managers if kind == "manager" else self.cloud.machines)
        print(f"  kill {kind} of {machine.name}", flush=True)
        if kind == "host":
            machine.lose_power()
        else:
            machine.programs[kind].kill()
        self.kills[kind] += 1
        time.sleep(self.chance.uniform(0, LONGEST_DOWN_S))
        machine.programs[kind].start()

    def go_on(self, seconds):
        deadline = time.monotonic() + seconds
        kinds = 3
        while time.monotonic() < deadline or len(self.kills) < kinds:
            time.sleep(self.chance.uniform(0, LONGEST_REST_S))
            self.strike()


def states(client):
    """Of all instances: (token, id) -> state."""
    return {(each["ClientToken"], each["InstanceId"]): each["State"]["Name"]
            for page in client.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 100})
            for group in page["Reservations"] for each in group["Instances"]}


def patiently(ask):
    """What it returns, or None while the cloud does not answer."""
    try:
        return ask()
    except (BotoCoreError, ClientError):
        return None


def free_addresses(client):
    return sum(each["AvailableIpAddressCount"] for each in client.describe_subnets()["Subnets"])


def claims(cloud):
    """The numbers of instances, processors, MiB and GiB that hosts have promised: {"0"} when it is nothing."""
    hosts = cloud.hosts()
    return {amount for host in hosts for amount in (host["instances"], *host["claimed"].values())}


def check_promises(cloud, workers):
    alive = {pair for worker in workers for pair in worker.alive.items()}
    ended = {pair for worker in workers for pair in worker.ended.items()}
    wanted = {pair: "running" for pair in alive} | {pair: "terminated" for pair in ended}
    for machine in cloud.managers:
        client = cloud.client(machine)
        found = wait_until(lambda: patiently(lambda: states(client)), f"{machine.name} answers", SETTLE_PATIENCE_S)
        if set(found) != set(wanted):
            raise Failure(f"promised and not there: {set(wanted) - set(found)}; never asked for: {set(found) - set(wanted)}")
        deadline = time.monotonic() + SETTLE_PATIENCE_S
        while (found := patiently(lambda: states(client))) != wanted:
            if time.monotonic() >= deadline:
                raise Failure(f"not as promised: { {k: v for k, v in (found or {}).items() if wanted.get(k) != v} }")
            time.sleep(0.5)
    running = {instance for _, instance in alive}

    def places():
        return sorted(folder.name for machine in cloud.machines for folder in machine.instances.glob("i-*"))

    wait_until(lambda: places() == sorted(running),
               lambda: f"each running instance is on one host, and no other: {places()}, not {sorted(running)}",
               SETTLE_PATIENCE_S)

    def vmms():
        return [pid for machine in cloud.machines for pid in machine.processes("pileus-vmm")]

    # A host that has lost its power starts its VMs again.
    wait_until(lambda: len(vmms()) == len(running), lambda: f"each has one VMM: {vmms()} for {running}", SETTLE_PATIENCE_S)
    return running


def check_nothing_is_left(cloud, free):
    client = cloud.client(cloud.managers[0])

    def is_empty(ask):
        """Whether it was answered with nothing."""
        answer = patiently(ask)
        return answer is not None and not answer

    wait_until(lambda: is_empty(lambda: set(states(client).values()) - {"terminated"}), "all are terminated",
               SETTLE_PATIENCE_S)
    wait_until(lambda: not any(list(machine.instances.iterdir()) for machine in cloud.machines), "no folder is left",
               SETTLE_PATIENCE_S)
    wait_until(lambda: not any(machine.processes("pileus-vmm") for machine in cloud.machines), "no VMM is left",
               SETTLE_PATIENCE_S)
    wait_until(lambda: is_empty(lambda: client.describe_network_interfaces()["NetworkInterfaces"]),
               "no interface is left", SETTLE_PATIENCE_S)
    wait_until(lambda: is_empty(lambda: client.describe_volumes()["Volumes"]), "no volume is left", SETTLE_PATIENCE_S)
    wait_until(lambda: not any(machine.volumes() for machine in cloud.machines), "no volume's folder is left",
               SETTLE_PATIENCE_S)
    wait_until(lambda: claims(cloud) == {"0"}, "no host has promised anything", SETTLE_PATIENCE_S)
    wait_until(lambda: patiently(lambda: free_addresses(client)) == free, "no address is left", SETTLE_PATIENCE_S)
    wait_until(lambda: not any(list((machine.folder / "home/cloud/host/switch/ports").glob("*"))
                               for machine in cloud.machines), "no port is left", SETTLE_PATIENCE_S)
    orphans = [path for machine in cloud.machines for path in machine.folder.glob("home/cloud/host/orphans/*")]
    if orphans:
        raise Failure(f"orphans: {orphans}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    alone()
    with tempfile.TemporaryDirectory(prefix="pileus-chaos-") as folder:
        cloud = Cloud(pathlib.Path(folder))
        try:
            test(cloud, arguments)
        except BaseException:
            cloud.last_words()
            raise


def test(cloud, arguments):
    cloud.start()
    client = cloud.client(cloud.managers[0])
    image = wait_until(lambda: patiently(lambda: client.describe_images(Filters=[
        {"Name": "name", "Values": [IMAGE]}])["Images"]), "the image is there", SETTLE_PATIENCE_S)[0]["ImageId"]
    free = wait_until(lambda: patiently(lambda: free_addresses(client)), "addresses are told", SETTLE_PATIENCE_S)
    print(f"seed {arguments.seed}: {len(cloud.machines)} machines, {len(cloud.managers)} managers", flush=True)
    workers = [Client(cloud, number, arguments.seed) for number in range(WORKERS)]
    for worker in workers:
        worker.image = image
        worker.start()
    killer = Killer(cloud, arguments.seed)
    killer.go_on(arguments.seconds)
    for worker in workers:
        worker.enough.set()
    wait_until(lambda: not any(worker.is_alive() for worker in workers), "all requests are answered", SETTLE_PATIENCE_S)
    for worker in workers:
        if worker.wrong:
            raise worker.wrong
    accepted = sum(len(worker.alive) + len(worker.ended) for worker in workers)
    retries = sum((worker.retries for worker in workers), collections.Counter())
    print(f"{accepted} instances, {dict(killer.kills)} killed, tried again: {dict(retries)}", flush=True)
    running = check_promises(cloud, workers)
    print(f"as promised: {len(running)} run, {accepted - len(running)} are terminated", flush=True)
    if running:
        wait_until(lambda: patiently(lambda: client.terminate_instances(InstanceIds=sorted(running))),
                   "they are to be terminated", SETTLE_PATIENCE_S)
    check_nothing_is_left(cloud, free)
    cloud.check()
    print("nothing is left", flush=True)


if __name__ == "__main__":
    main()
