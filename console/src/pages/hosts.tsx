// Hosts for administrators: how they are, what room they have, maintenance.
import type { Host } from '../api/records';
import { useValue } from '../data/observable';
import type { Session } from '../data/session';
import { mebibytes } from '../ui/format';
import { Button, Empty, Heading, Loading, Meter, State } from '../ui/parts';
import { attempt } from '../ui/toasts';
import type { PageProps } from './page';

function HostCard({ host, session }: { host: Host; session: Session }) {
  const maintained = host.mode === 'maintenance';
  const mode = maintained ? 'active' : 'maintenance';
  const done = maintained ? `${host.name} takes new instances again` : `${host.name} gets no new instances`;
  const change = () => attempt(() => session.cloud.call('PileusSetHostMode', { HostId: host.id, Mode: mode }), done);
  return (
    <section class="card host" aria-labelledby={host.id}>
      <h2 id={host.id}>
        {host.name}
        <span class="aside">
          <State value={host.state} />
          {maintained && <State value="maintenance" />}
        </span>
      </h2>
      <p class="quiet">
        {host.zone}
        {host.rack && `, ${host.rack}`} · {host.engines.join(', ')} · {host.instances} {host.instances === 1 ? 'instance' : 'instances'}
      </p>
      <div class="meters">
        <Meter label="Processors" used={host.claimed.vcpus} total={host.sellable.vcpus}
          text={`${host.claimed.vcpus} of ${host.sellable.vcpus} vCPUs`} />
        <Meter label="Memory" used={host.claimed.memoryMib} total={host.sellable.memoryMib}
          text={`${mebibytes(host.claimed.memoryMib)} of ${mebibytes(host.sellable.memoryMib)}`} />
        <Meter label="Disk" used={host.claimed.diskGib} total={host.sellable.diskGib}
          text={`${mebibytes(host.claimed.diskGib * 1024)} of ${mebibytes(host.sellable.diskGib * 1024)}`} />
      </div>
      <div class="host-foot">
        <span class="id">{host.id}</span>
        <Button onClick={() => void change()}>{maintained ? 'End maintenance' : 'Begin maintenance'}</Button>
      </div>
    </section>
  );
}

export function HostsPage({ session, inventory }: PageProps) {
  const hosts = useValue(inventory.hosts);
  const problem = useValue(inventory.problem);
  if (!session.administrator) {
    return (
      <>
        <Heading>Hosts</Heading>
        <Empty title="Hosts are shown to administrators." />
      </>
    );
  }
  return (
    <>
      <Heading>Hosts</Heading>
      {problem && <p class="problem" role="alert">{problem}</p>}
      {!hosts && <Loading />}
      {hosts?.length === 0 && <Empty title="No host has joined yet: `pileus join` makes a machine one." />}
      <div class="hosts">
        {hosts?.map((host) => (
          <HostCard key={host.id} host={host} session={session} />
        ))}
      </div>
    </>
  );
}
