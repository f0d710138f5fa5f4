// What an instance is on its way to: a host that it moves to, or its first start.
import { useEffect, useRef } from 'preact/hooks';
import { endOfMove, readWhereabouts, type Whereabouts } from '../api/moves';
import { labelOf } from '../api/records';
import { useValue } from '../data/observable';
import { useFollowed } from '../data/reading';
import { Button } from '../ui/parts';
import { attempt, toast } from '../ui/toasts';
import type { TabProps } from './instance';

export function Underway({ session, inventory, instance }: TabProps) {
  const { id } = instance;
  const starts = instance.state === 'pending';
  const hosts = useValue(inventory.hosts) ?? [];
  const nameOf = (host: string) => hosts.find((each) => each.id === host)?.name ?? host;
  const { value, again } = useFollowed(
    async () => readWhereabouts(
      ...await Promise.all([
        session.cloud.call('PileusExplain', { InstanceId: id }),
        session.cloud.call('PileusDescribeEvents', { ResourceId: id }),
      ]),
    ),
    [session, id],
    (now) => now.target !== '' || starts,
  );
  const changed = useValue(inventory.changed);
  useEffect(() => {
    if (changed.includes(id)) again();
  }, [changed]);
  const before = useRef<Whereabouts | null>(null);
  useEffect(() => {
    if (!value) return;
    const end = endOfMove(before.current, value);
    before.current = value;
    if (end === 'arrived') toast('done', `${labelOf(instance)} is on ${nameOf(value.host)} now`);
    if (end === 'stays') toast('failed', `${labelOf(instance)} stays on ${nameOf(value.host)}: ${value.latest?.why || 'it was wanted so'}`);
  }, [value]);
  const stay = async () => {
    await attempt(() => session.cloud.call('PileusMigrateInstance', { InstanceId: id, Cancel: true }), '');
    again();
  };
  if (!value || (!value.target && !starts)) return null;
  const latest = value.latest && [value.latest.what, value.latest.why].filter(Boolean).join(': ');
  if (!value.target) return latest && <p class="quiet" role="status">{latest}</p>;
  return (
    <section class="card underway" aria-labelledby="underway">
      <div>
        <h2 id="underway">On its way to {nameOf(value.target)}</h2>
        <p role="status">{latest}</p>
      </div>
      <Button onClick={() => void stay()}>Keep it here</Button>
    </section>
  );
}
