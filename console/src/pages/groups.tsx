// Security groups: made, deleted, and each with its rules.
import { useState } from 'preact/hooks';
import { type Group, readGroup } from '../api/records';
import { byTraffic, readRule, type Rule } from '../api/rules';
import { useReading } from '../data/reading';
import type { Session } from '../data/session';
import { Dialog } from '../ui/dialog';
import { Button, Field, Heading, Loading } from '../ui/parts';
import { attempt } from '../ui/toasts';
import { GroupRules } from './group_rules';
import type { PageProps } from './page';
import { TagList } from './tags';

interface GroupProps {
  group: Group;
  rules: Rule[];
  nameOf: (id: string) => string;
  session: Session;
  again: () => void;
}

function GroupCard({ group, session, again, ...rest }: GroupProps) {
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
      <GroupRules group={group} session={session} again={again} {...rest} />
      <details class="more">
        <summary>
          Tags of {group.name} ({group.tags.length})
        </summary>
        <TagList cloud={session.cloud} id={group.id} tags={group.tags} onChange={again} />
      </details>
      {group.name !== 'default' && (
        <button type="button" class="plain" aria-label={`Delete ${group.name}`} onClick={() => setDoomed(true)}>
          Delete the group
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

async function readAll({ cloud }: Session): Promise<{ groups: Group[]; rules: Rule[] }> {
  const [groups, rules] = await Promise.all([
    cloud.all('DescribeSecurityGroups', 'securityGroupInfo', readGroup),
    cloud.all('DescribeSecurityGroupRules', 'securityGroupRuleSet', readRule),
  ]);
  return { groups: groups.sort((a, b) => a.name.localeCompare(b.name)), rules: rules.sort(byTraffic) };
}

export function GroupsPage({ session }: PageProps) {
  const { value, again } = useReading(() => readAll(session), [session]);
  const [adding, setAdding] = useState(false);
  const nameOf = (id: string) => value?.groups.find((group) => group.id === id)?.name ?? id;
  return (
    <>
      <Heading actions={<Button icon="launch" kind="primary" onClick={() => setAdding(true)}>Make a group</Button>}>
        Security groups
      </Heading>
      {!value && <Loading />}
      {value?.groups.map((group) => (
        <GroupCard key={group.id} group={group} rules={value.rules.filter((rule) => rule.group === group.id)} nameOf={nameOf}
          session={session} again={again} />
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
