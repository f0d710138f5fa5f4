// The cloud at a glance: how many instances are how, what room is left, what was launched last.
import type { Host, Instance } from '../api/records';
import { isGone, labelOf } from '../api/records';
import { hrefOf } from '../data/address';
import { useValue } from '../data/observable';
import { ago, mebibytes } from '../ui/format';
import { Icon } from '../ui/icon';
import { Empty, Heading, Loading, Meter, State } from '../ui/parts';
import type { PageProps } from './page';

const kShown = 6;

function Tile({ label, count, filter }: { label: string; count: number; filter: string }) {
  return (
    <a class="tile" href={hrefOf(['instances'], { filter })}>
      <span class="tile-count">{count}</span>
      <span class="tile-label">{label}</span>
    </a>
  );
}

function States({ instances }: { instances: Instance[] }) {
  const count = (...states: string[]) => instances.filter((each) => states.includes(each.state)).length;
  return (
    <section aria-labelledby="states">
      <h2 id="states">Instances</h2>
      <div class="tiles">
        <Tile label="running" count={count('running')} filter="state:running" />
        <Tile label="starting" count={count('pending')} filter="state:pending" />
        <Tile label="stopped" count={count('stopped', 'stopping')} filter="state:stop" />
        <Tile label="ended within the hour" count={count('terminated', 'shutting-down')} filter="state:terminated" />
      </div>
    </section>
  );
}

function Capacity({ hosts }: { hosts: Host[] }) {
  const ready = hosts.filter((host) => host.state === 'ready');
  const sum = (read: (host: Host) => number) => ready.reduce((total, host) => total + read(host), 0);
  const [vcpus, ofVcpus] = [sum((h) => h.claimed.vcpus), sum((h) => h.sellable.vcpus)];
  const [memory, ofMemory] = [sum((h) => h.claimed.memoryMib), sum((h) => h.sellable.memoryMib)];
  const [disk, ofDisk] = [sum((h) => h.claimed.diskGib), sum((h) => h.sellable.diskGib)];
  return (
    <section aria-labelledby="capacity">
      <h2 id="capacity">
        Capacity <a class="aside" href={hrefOf(['hosts'])}>{ready.length} of {hosts.length} hosts ready</a>
      </h2>
      <div class="card meters">
        <Meter label="Processors" used={vcpus} total={ofVcpus} text={`${vcpus} of ${ofVcpus} vCPUs`} />
        <Meter label="Memory" used={memory} total={ofMemory} text={`${mebibytes(memory)} of ${mebibytes(ofMemory)}`} />
        <Meter label="Disk" used={disk} total={ofDisk}
          text={`${mebibytes(disk * 1024)} of ${mebibytes(ofDisk * 1024)}`} />
      </div>
    </section>
  );
}

function Latest({ instances }: { instances: Instance[] }) {
  return (
    <section aria-labelledby="latest">
      <h2 id="latest">Launched last</h2>
      <ul class="card rows">
        {instances.slice(0, kShown).map((each) => (
          <li key={each.id}>
            <a href={hrefOf(['instances', each.id])}>{labelOf(each)}</a>
            <State value={each.state} />
            <span class="quiet">{each.type}</span>
            <span class="quiet when">{ago(each.launched)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function OverviewPage({ inventory }: PageProps) {
  const instances = useValue(inventory.instances);
  const hosts = useValue(inventory.hosts);
  const launch = (
    <a class="button primary" href={hrefOf(['launch'])}>
      <Icon name="launch" />
      Launch an instance
    </a>
  );
  return (
    <>
      <Heading actions={launch}>Overview</Heading>
      {!instances && <Loading />}
      {instances && <States instances={instances} />}
      {hosts && <Capacity hosts={hosts} />}
      {instances && instances.some((each) => !isGone(each)) && <Latest instances={instances.filter((i) => !isGone(i))} />}
      {instances && instances.length === 0 && (
        <Empty title="There are no instances yet.">
          <p class="quiet">An instance is a machine of your own, with a login, in a few seconds.</p>
        </Empty>
      )}
    </>
  );
}
