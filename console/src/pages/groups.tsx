// Security groups with what they let in.
import { useState } from 'preact/hooks';
import { type Group, readGroup, type Rule } from '../api/records';
import { useReading } from '../data/reading';
import type { Session } from '../data/session';
import { Dialog } from '../ui/dialog';
import { Button, Field, Heading, Loading } from '../ui/parts';
import { attempt } from '../ui/toasts';
import type { PageProps } from './page';

function portsOf(rule: Rule): string {
  if (rule.protocol === '-1') return 'everything';
  const name = rule.protocol.toUpperCase();
  if (rule.fromPort === rule.toPort) return `${name} ${rule.fromPort}`;
  return rule.fromPort <= 0 && rule.toPort >= 65535 ? `${name}, all ports` : `${name} ${rule.fromPort}–${rule.toPort}`;
}

function NewRule({ group, session, onDone }: { group: Group; session: Session; onDone: () => void }) {
  const [port, setPort] = useState('');
  const [source, setSource] = useState('0.0.0.0/0');
  const add = async (event: Event) => {
    event.preventDefault();
    const rule = { GroupId: group.id, IpProtocol: 'tcp', FromPort: port, ToPort: port, CidrIp: source };
    const done = `TCP ${port} from ${source} may come in`;
    if (!(await attempt(() => session.cloud.call('AuthorizeSecurityGroupIngress', rule), done))) return;
    setPort('');
    onDone();
  };
  return (
    <form class="new-rule" aria-label={`Let into ${group.name}`} onSubmit={(event) => void add(event)}>
      <Field id={`port-${group.id}`} label="TCP port">
        <input id={`port-${group.id}`} type="number" min={1} max={65535} required value={port}
          onInput={(event) => setPort(event.currentTarget.value)} />
      </Field>
      <Field id={`source-${group.id}`} label="From">
        <input id={`source-${group.id}`} required value={source} onInput={(event) => setSource(event.currentTarget.value)} />
      </Field>
      <Button type="submit">Let in</Button>
    </form>
  );
}

function GroupCard({ group, session, again }: { group: Group; session: Session; again: () => void }) {
  const [doomed, setDoomed] = useState(false);
  const remove = async () => {
    setDoomed(false);
    if (await attempt(() => session.cloud.call('DeleteSecurityGroup', { GroupId: group.id }), `${group.name} was deleted`)) again();
  };
  return (
    <section class="card" aria-labelledby={group.id}>
      <h2 id={group.id}>
        {group.name}
        <span class="aside quiet">{group.id}</span>
      </h2>
      <p class="quiet">{group.description}</p>
      {group.ingress.length === 0 && <p>It lets nobody in.</p>}
      <ul class="rules">
        {group.ingress.map((rule) => (
          <li key={JSON.stringify(rule)}>
            <strong>{portsOf(rule)}</strong> from {rule.sources.join(', ')}
          </li>
        ))}
      </ul>
      <NewRule group={group} session={session} onDone={again} />
      {group.name !== 'default' && (
        <button type="button" class="plain" aria-label={`Delete ${group.name}`} onClick={() => setDoomed(true)}>
          Delete
        </button>
      )}
      {doomed && (
        <Dialog danger title={`Delete ${group.name}?`} confirm="Delete" onClose={() => setDoomed(false)}
          onConfirm={() => void remove()}>
          <p>The cloud refuses while an instance is in it.</p>
        </Dialog>
      )}
    </section>
  );
}

function NewGroup({ session, onDone, onClose }: { session: Session; onDone: () => void; onClose: () => void }) {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const make = async () => {
    const wish = { GroupName: name, GroupDescription: description };
    if (await attempt(() => session.cloud.call('CreateSecurityGroup', wish), `${name} was made`)) onDone();
  };
  return (
    <Dialog title="Make a security group" confirm="Make" onClose={onClose} onConfirm={() => void make()}>
      <Field id="group-name" label="Name">
        <input id="group-name" required maxLength={255} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <Field id="group-description" label="Description">
        <input id="group-description" required maxLength={255} value={description}
          onInput={(event) => setDescription(event.currentTarget.value)} />
      </Field>
    </Dialog>
  );
}

export function GroupsPage({ session }: PageProps) {
  const { value: groups, again } = useReading(
    async () => (await session.cloud.pages('DescribeSecurityGroups')).flatMap((page) => page.items('securityGroupInfo').map(readGroup)),
    [session],
  );
  const [adding, setAdding] = useState(false);
  return (
    <>
      <Heading actions={<Button icon="launch" kind="primary" onClick={() => setAdding(true)}>Make a group</Button>}>
        Security groups
      </Heading>
      {!groups && <Loading />}
      {groups?.map((group) => (
        <GroupCard key={group.id} group={group} session={session} again={again} />
      ))}
      {adding && (
        <NewGroup session={session} onClose={() => setAdding(false)}
          onDone={() => {
            setAdding(false);
            again();
          }} />
      )}
    </>
  );
}
