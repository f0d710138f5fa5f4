// What happened last to the instances that were launched last. The cloud keeps a log of each instance; this is their end.
import { useEffect, useState } from 'preact/hooks';
import { type Instance, labelOf, readHappening } from '../api/records';
import { hrefOf } from '../data/address';
import { type Entry, latestOf } from '../data/latest';
import { useValue } from '../data/observable';
import type { Session } from '../data/session';
import { moment } from '../ui/format';
import { Empty, Loading } from '../ui/parts';
import { attempt } from '../ui/toasts';
import type { PageProps } from './page';

const kInstances = 12; // each is a call
const kShown = 40;

async function read({ cloud }: Session, instances: Instance[]): Promise<Entry[]> {
  const logs = instances.map(async ({ id }) => ({
    subject: id,
    events: (await cloud.call('PileusDescribeEvents', { ResourceId: id })).items('eventSet').map(readHappening),
  }));
  return latestOf(await Promise.all(logs), kShown);
}

export function LatestEvents({ session, inventory }: PageProps) {
  const all = useValue(inventory.instances);
  const instances = (all ?? []).slice(0, kInstances);
  const changed = useValue(inventory.changed);
  const [log, setLog] = useState<Entry[] | null>(null);
  useEffect(() => {
    if (all) void attempt(async () => setLog(await read(session, instances)), '');
  }, [changed, instances.map((each) => each.id).join(' '), all === null]);
  const nameOf = (id: string) => {
    const instance = instances.find((each) => each.id === id);
    return instance ? labelOf(instance) : id;
  };
  return (
    <section class="card" aria-labelledby="latest-events">
      <h2 id="latest-events">Instances, latest events</h2>
      {!log && <Loading />}
      {log?.length === 0 && <Empty title="Nothing has happened yet." />}
      <ol class="events" aria-label="Events, latest first">
        {log?.map((each) => (
          <li key={`${each.subject} ${each.at.getTime()} ${each.what} ${each.why}`}>
            <time dateTime={each.at.toISOString()}>{moment(each.at)}</time>
            <span>
              <a href={hrefOf(['instances', each.subject, 'events'])}>{nameOf(each.subject)}</a> <strong>{each.what}</strong>
            </span>
            {each.why && <span>{each.why}</span>}
            <span class="quiet">by {each.by}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
