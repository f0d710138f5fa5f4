// The list of pages at the left (at the top of a phone), with who is signed in and whether the page is live.
import { hrefOf } from '../data/address';
import type { Connection, Inventory } from '../data/inventory';
import { useValue } from '../data/observable';
import { route } from '../data/route';
import { type Session, signOut } from '../data/session';
import { Icon, type IconName } from './icon';

const kPages: { id: string; label: string; icon: IconName; administrator?: boolean }[] = [
  { id: 'overview', label: 'Overview', icon: 'overview' },
  { id: 'instances', label: 'Instances', icon: 'instances' },
  { id: 'launch', label: 'Launch', icon: 'launch' },
  { id: 'volumes', label: 'Volumes', icon: 'volumes' },
  { id: 'snapshots', label: 'Snapshots', icon: 'snapshots' },
  { id: 'keys', label: 'Key pairs', icon: 'keys' },
  { id: 'groups', label: 'Security groups', icon: 'groups' },
  { id: 'tasks', label: 'Tasks', icon: 'tasks' },
  { id: 'hosts', label: 'Hosts', icon: 'hosts', administrator: true },
];

const kConnections: Record<Connection, string> = {
  connecting: 'Connecting…',
  live: 'Live',
  broken: 'Reconnecting…',
};

export function Navigation({ session, inventory }: { session: Session; inventory: Inventory }) {
  const here = useValue(route).parts[0] ?? 'overview';
  const connection = useValue(inventory.connection);
  return (
    <div class="side">
      <a class="brand" href={hrefOf(['overview'])}>
        <img src="./icon.svg" alt="" width="26" height="26" />
        Pileus
      </a>
      <nav aria-label="Pages">
        <ul>
          {kPages
            .filter((page) => !page.administrator || session.administrator)
            .map((page) => (
              <li key={page.id}>
                <a href={hrefOf([page.id])} aria-current={page.id === here ? 'page' : undefined}>
                  <Icon name={page.icon} />
                  {page.label}
                </a>
              </li>
            ))}
        </ul>
      </nav>
      <div class="who">
        <p class={`connection ${connection}`} role="status">
          <span class="dot" aria-hidden="true" />
          {kConnections[connection]}
        </p>
        <p class="account" title={`${session.accessKey} in ${session.cloud.region}`}>
          <strong>{session.name}</strong>
          <span>{session.cloud.region}</span>
        </p>
        <button type="button" class="plain" onClick={() => signOut()}>
          <Icon name="leave" />
          Sign out
        </button>
      </div>
    </div>
  );
}
