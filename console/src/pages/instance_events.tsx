// What happened to an instance and why it is where it is. Read again whenever something changes.
import { useEffect, useState } from 'preact/hooks';
import { type Happening, readHappening } from '../api/records';
import { useValue } from '../data/observable';
import { moment } from '../ui/format';
import { Empty, Loading } from '../ui/parts';
import { attempt } from '../ui/toasts';
import type { TabProps } from './instance';

export function EventsTab({ session, inventory, instance }: TabProps) {
  const changed = useValue(inventory.changed);
  const [events, setEvents] = useState<Happening[] | null>(null);
  const [reasons, setReasons] = useState<string[]>([]);
  const { id } = instance;
  useEffect(() => {
    if (events !== null && !changed.includes(id)) return;
    void attempt(async () => {
      const [log, why] = await Promise.all([
        session.cloud.call('PileusDescribeEvents', { ResourceId: id }),
        session.cloud.call('PileusExplain', { InstanceId: id }),
      ]);
      setEvents(log.items('eventSet').map(readHappening).reverse());
      setReasons(why.items('reasonSet').map((each) => each.text()));
    }, '');
  }, [changed, id]);
  return (
    <>
      <section class="card" aria-labelledby="events">
        <h2 id="events">Events</h2>
        {!events && <Loading />}
        {events?.length === 0 && <Empty title="Nothing has happened yet." />}
        <ol class="events" aria-label="Events, latest first">
          {events?.map((each, i) => (
            <li key={`${events.length - i}`}>
              <time dateTime={each.at.toISOString()}>{moment(each.at)}</time>
              <strong>{each.what}</strong>
              {each.why && <span>{each.why}</span>}
              <span class="quiet">by {each.by}</span>
            </li>
          ))}
        </ol>
      </section>
      {reasons.length > 0 && (
        <section class="card" aria-labelledby="why">
          <h2 id="why">Why it is here</h2>
          <ul class="reasons">
            {reasons.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
