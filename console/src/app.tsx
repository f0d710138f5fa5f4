// The frame around all pages: who is signed in, where we are, what is shown.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Inventory } from './data/inventory';
import { useValue } from './data/observable';
import { route } from './data/route';
import { type Session, session, signIn, storedCredentials } from './data/session';
import { GroupsPage } from './pages/groups';
import { HostsPage } from './pages/hosts';
import { InstancePage } from './pages/instance';
import { InstancesPage } from './pages/instances';
import { KeysPage } from './pages/keys';
import { LaunchPage } from './pages/launch';
import { OverviewPage } from './pages/overview';
import { SignInPage } from './pages/sign_in';
import { SnapshotPage } from './pages/snapshot';
import { SnapshotsPage } from './pages/snapshots';
import { TasksPage } from './pages/tasks';
import { VolumePage } from './pages/volume';
import { VolumesPage } from './pages/volumes';
import type { PageProps } from './pages/page';
import { Navigation } from './ui/navigation';
import { Loading } from './ui/parts';
import { Toasts } from './ui/toasts';

function Page(props: PageProps) {
  const { parts } = useValue(route);
  switch (parts[0]) {
    case 'instances':
      return parts[1] ? <InstancePage key={parts[1]} {...props} id={parts[1]} tab={parts[2] ?? 'overview'} /> : <InstancesPage {...props} />;
    case 'launch':
      return <LaunchPage {...props} />;
    case 'volumes':
      return parts[1] ? <VolumePage key={parts[1]} {...props} id={parts[1]} /> : <VolumesPage {...props} />;
    case 'snapshots':
      return parts[1] ? <SnapshotPage key={parts[1]} {...props} id={parts[1]} /> : <SnapshotsPage {...props} />;
    case 'tasks':
      return <TasksPage {...props} />;
    case 'keys':
      return <KeysPage {...props} />;
    case 'groups':
      return <GroupsPage {...props} />;
    case 'hosts':
      return <HostsPage {...props} />;
    default:
      return <OverviewPage {...props} />;
  }
}

function SignedIn({ current }: { current: Session }) {
  const inventory = useMemo(() => new Inventory(current), [current]);
  useEffect(() => () => inventory.close(), [inventory]);
  const main = useRef<HTMLElement>(null);
  const { parts } = useValue(route);
  useEffect(() => window.scrollTo(0, 0), [parts[0], parts[1]]);
  const skip = (event: Event) => {
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the page
      </a>
      <Navigation session={current} inventory={inventory} />
      <main ref={main} id="main" tabIndex={-1}>
        <Page session={current} inventory={inventory} />
      </main>
    </div>
  );
}

export function App() {
  const current = useValue(session);
  const [restoring, setRestoring] = useState(storedCredentials() !== null);
  useEffect(() => {
    const credentials = storedCredentials();
    if (!credentials) return;
    signIn(credentials)
      .catch(() => undefined) // then the sign-in page is shown
      .finally(() => setRestoring(false));
  }, []);
  return (
    <>
      {current ? <SignedIn current={current} /> : restoring ? <Loading /> : <SignInPage />}
      <Toasts />
    </>
  );
}
