// The launch form: what there is to choose from comes from the cloud; beside it stand the commands that do the same.
import { useEffect, useMemo, useState } from 'preact/hooks';
import {
  type Group, type InstanceType, type KeyPair, readGroup, readImage, readInstance, readKeyPair, readType, type Image,
} from '../api/records';
import { awsCommand, type Launch, launchParameters, pileusCommand } from '../data/launch';
import { useValue } from '../data/observable';
import { go, route } from '../data/route';
import type { Session } from '../data/session';
import { mebibytes } from '../ui/format';
import { Button, Command, Empty, Field, Heading, Loading } from '../ui/parts';
import { attempt, toast } from '../ui/toasts';
import type { PageProps } from './page';

interface Choices {
  images: Image[];
  types: InstanceType[];
  keys: KeyPair[];
  groups: Group[];
}

const kUsualType = 't3.micro';

async function readChoices({ cloud }: Session): Promise<Choices> {
  const [images, types, keys, groups] = await Promise.all([
    cloud.call('DescribeImages'),
    cloud.pages('DescribeInstanceTypes'),
    cloud.call('DescribeKeyPairs'),
    cloud.pages('DescribeSecurityGroups'),
  ]);
  return {
    images: images.items('imagesSet').map(readImage),
    types: types
      .flatMap((page) => page.items('instanceTypeSet').map(readType))
      .sort((a, b) => a.memoryMib - b.memoryMib || a.vcpus - b.vcpus || a.name.localeCompare(b.name)),
    keys: keys.items('keySet').map(readKeyPair),
    groups: groups.flatMap((page) => page.items('securityGroupInfo').map(readGroup)),
  };
}

function Groups({ groups, chosen, onChange }: { groups: Group[]; chosen: Group[]; onChange: (groups: Group[]) => void }) {
  const toggle = (group: Group, wanted: boolean) =>
    onChange(wanted ? [...chosen, group] : chosen.filter((each) => each.id !== group.id));
  return (
    <fieldset class="field">
      <legend>Security groups</legend>
      <p class="hint">They say who may connect to it. Without one it is in “default”, which lets only its own members in.</p>
      <div class="choices">
        {groups.map((group) => (
          <label key={group.id} class="choice">
            <input type="checkbox" checked={chosen.some((each) => each.id === group.id)}
              onChange={(event) => toggle(group, event.currentTarget.checked)} />
            <span>
              {group.name}
              <small>{group.description}</small>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Form({ choices, session, inventory }: PageProps & { choices: Choices }) {
  const asked = useValue(route).query;
  // One wish, one token: however often it is sent, it is done once.
  const [token, setToken] = useState(() => crypto.randomUUID());
  const [busy, setBusy] = useState(false);
  const [launch, setLaunch] = useState<Launch>(() => ({
    name: '',
    image: choices.images.find((image) => image.id === asked.get('image')) ?? choices.images[0] ?? null,
    type: choices.types.find((type) => type.name === (asked.get('type') ?? kUsualType))?.name ?? choices.types[0]?.name ?? '',
    key: asked.get('key') ?? choices.keys[0]?.name ?? '',
    groups: choices.groups.filter((group) => (asked.get('groups') ?? '').split(',').includes(group.id)),
    count: 1,
    diskGib: 0,
    userData: '',
  }));
  const change = (part: Partial<Launch>) => {
    setLaunch({ ...launch, ...part });
    setToken(crypto.randomUUID());
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const done = await attempt(async () => {
      const answer = await session.cloud.call('RunInstances', launchParameters(launch, token));
      const launched = answer.items('instancesSet').map(readInstance);
      inventory.put(launched);
      toast('done', launched.length === 1 ? `${launch.name || launched[0]?.id} is being launched` : `${launched.length} instances are being launched`);
      go(launched.length === 1 && launched[0] ? ['instances', launched[0].id] : ['instances']);
    }, '');
    if (!done) setBusy(false);
  };
  return (
    <form class="launch" onSubmit={(event) => void submit(event)}>
      <div class="card form">
        <Field id="name" label="Name">
          <input id="name" value={launch.name} placeholder="web" maxLength={255}
            onInput={(event) => change({ name: event.currentTarget.value })} />
        </Field>
        <Field id="image" label="Image">
          <select id="image" value={launch.image?.id ?? ''}
            onChange={(event) => change({ image: choices.images.find((each) => each.id === event.currentTarget.value) ?? null })}>
            {choices.images.map((image) => (
              <option key={image.id} value={image.id}>
                {image.name} – {image.description || image.id}
              </option>
            ))}
          </select>
        </Field>
        <Field id="type" label="Type">
          <select id="type" value={launch.type} onChange={(event) => change({ type: event.currentTarget.value })}>
            {choices.types.map((type) => (
              <option key={type.name} value={type.name}>
                {type.name} – {type.vcpus} vCPU, {mebibytes(type.memoryMib)}
              </option>
            ))}
          </select>
        </Field>
        <Field id="key" label="Key pair" hint="Who has its private half may log in over SSH.">
          <select id="key" value={launch.key} aria-describedby="key-hint"
            onChange={(event) => change({ key: event.currentTarget.value })}>
            <option value="">none</option>
            {choices.keys.map((key) => (
              <option key={key.id} value={key.name}>
                {key.name}
              </option>
            ))}
          </select>
        </Field>
        <Groups groups={choices.groups} chosen={launch.groups} onChange={(groups) => change({ groups })} />
        <div class="pair">
          <Field id="count" label="How many">
            <input id="count" type="number" min={1} max={100} required value={launch.count}
              onInput={(event) => change({ count: event.currentTarget.valueAsNumber || 1 })} />
          </Field>
          <Field id="disk" label="Disk in GiB">
            <input id="disk" type="number" min={1} placeholder="the type's" value={launch.diskGib || ''}
              onInput={(event) => change({ diskGib: event.currentTarget.valueAsNumber || 0 })} />
          </Field>
        </div>
        <Field id="user-data" label="User data" hint="A script or cloud-config that the instance carries out at its first start.">
          <textarea id="user-data" rows={5} spellcheck={false} aria-describedby="user-data-hint" placeholder={'#!/bin/sh\napt-get install -y nginx'}
            value={launch.userData} onInput={(event) => change({ userData: event.currentTarget.value })} />
        </Field>
      </div>
      <aside class="card summary" aria-label="Summary">
        <h2>Summary</h2>
        <p>
          <strong>{launch.count}</strong> × {launch.type}
          <br />
          {launch.image?.name ?? 'no image'}
        </p>
        <Button type="submit" kind="primary" icon="launch" disabled={busy || !launch.image}>
          {busy ? 'Launching…' : 'Launch'}
        </Button>
        <h3>The same by command</h3>
        <Command text={pileusCommand(launch)} what="the pileus command" />
        <Command text={awsCommand(launch)} what="the aws command" />
      </aside>
    </form>
  );
}

export function LaunchPage(props: PageProps) {
  const [choices, setChoices] = useState<Choices | null>(null);
  const reading = useMemo(() => readChoices(props.session), [props.session]);
  useEffect(() => void attempt(async () => setChoices(await reading), ''), [reading]);
  return (
    <>
      <Heading>Launch an instance</Heading>
      {!choices && <Loading />}
      {choices && choices.images.length > 0 && <Form {...props} choices={choices} />}
      {choices && choices.images.length === 0 && (
        <Empty title="There is no image yet.">
          <Command text="pileus image build debian-12" what="the command that builds one" />
        </Empty>
      )}
    </>
  );
}
