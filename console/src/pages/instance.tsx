// One instance: what it is, what happened to it, its serial console, what it uses. The address says which tab is open.
import { useEffect, useState } from 'preact/hooks';
import { type Instance, isGone, labelOf, readInstances } from '../api/records';
import { hrefOf } from '../data/address';
import { useValue } from '../data/observable';
import { go } from '../data/route';
import { Empty, Heading, Loading, State } from '../ui/parts';
import { Tabs } from '../ui/tabs';
import { ConsoleTab } from './instance_console';
import { EventsTab } from './instance_events';
import { MonitoringTab } from './instance_monitoring';
import { OverviewTab } from './instance_overview';
import { Moves } from './moves';
import type { PageProps } from './page';
import { Power } from './power';
import { Underway } from './underway';

const kTabs = [
  { id: 'overview', label: 'Overview' },
  { id: 'events', label: 'Events' },
  { id: 'console', label: 'Console' },
  { id: 'monitoring', label: 'Monitoring' },
];

// What every tab gets.
export interface TabProps extends PageProps {
  instance: Instance;
}

function Panel({ tab, ...props }: TabProps & { tab: string }) {
  switch (tab) {
    case 'events':
      return <EventsTab {...props} />;
    case 'console':
      return <ConsoleTab {...props} />;
    case 'monitoring':
      return <MonitoringTab {...props} />;
    default:
      return <OverviewTab {...props} />;
  }
}

// From what is known already, else asked for: it may be one that has just been launched.
function useInstance({ session, inventory }: PageProps, id: string): { instance: Instance | null; problem: string } {
  const known = useValue(inventory.instances)?.find((each) => each.id === id) ?? null;
  const [problem, setProblem] = useState('');
  useEffect(() => {
    if (known) return;
    session.cloud
      .call('DescribeInstances', { 'InstanceId.1': id })
      .then((answer) => inventory.put(readInstances(answer)))
      .catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
  }, [known === null, id]);
  return { instance: known, problem };
}

export function InstancePage({ id, tab, ...props }: PageProps & { id: string; tab: string }) {
  const { instance, problem } = useInstance(props, id);
  if (!instance) {
    return (
      <>
        <Heading>{id}</Heading>
        {problem === '' ? <Loading /> : <Empty title={problem} />}
      </>
    );
  }
  const open = kTabs.some((each) => each.id === tab) ? tab : 'overview';
  return (
    <>
      <p class="crumbs">
        <a href={hrefOf(['instances'])}>Instances</a>
      </p>
      <Heading
        actions={
          <Power session={props.session} instances={[instance]}>
            <Moves instance={instance} {...props} />
          </Power>
        }
      >
        {labelOf(instance)}
      </Heading>
      <p class="subtitle" role="status">
        <State value={instance.state} />
        {instance.reason && <span class="quiet">{instance.reason}</span>}
      </p>
      {!isGone(instance) && <Underway instance={instance} {...props} />}
      <Tabs label="About the instance" tabs={kTabs} open={open} onOpen={(next) => go(['instances', id, next])}>
        <Panel key={open} tab={open} instance={instance} {...props} />
      </Tabs>
    </>
  );
}
