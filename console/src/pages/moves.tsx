// An instance a second time, and an instance elsewhere: a button and a question for each.
import { useState } from 'preact/hooks';
import { readInstance, type Instance, labelOf } from '../api/records';
import {
  cloneCommand, cloneParameters, copyName, hostsFor, migrationCommand, migrationParameters,
} from '../data/moves';
import { useValue } from '../data/observable';
import { go } from '../data/route';
import { Dialog } from '../ui/dialog';
import { Button, Command, Field } from '../ui/parts';
import { attempt, toast } from '../ui/toasts';
import type { TabProps } from './instance';

const kMostCopies = 20;

interface QuestionProps extends TabProps {
  onClose: () => void;
}

// What the question's button does, once at a time. What the cloud says against it is shown, and the question stays.
function useAnswer(work: () => Promise<void>): { busy: boolean; answer: () => void } {
  const [busy, setBusy] = useState(false);
  const answer = async () => {
    setBusy(true);
    await attempt(work, '');
    setBusy(false);
  };
  return { busy, answer: () => void answer() };
}

function CloneQuestion({ session, inventory, instance, onClose }: QuestionProps) {
  // One wish, one token: however often it is sent, it is done once.
  const [token, setToken] = useState(() => crypto.randomUUID());
  const [clone, setClone] = useState(() => ({ name: copyName(instance, inventory.instances.value ?? []), count: 1 }));
  const change = (part: Partial<typeof clone>) => {
    setClone({ ...clone, ...part });
    setToken(crypto.randomUUID());
  };
  const { busy, answer } = useAnswer(async () => {
    const launched = (await session.cloud.call('PileusCloneInstance', cloneParameters(instance, clone, token)))
      .items('instancesSet').map(readInstance);
    inventory.put(launched);
    toast('done', launched.length === 1 ? `${clone.name} is being made` : `${launched.length} copies are being made`);
    go(launched.length === 1 && launched[0] ? ['instances', launched[0].id] : ['instances']);
  });
  return (
    <Dialog title={`Clone ${labelOf(instance)}`} confirm="Clone" busy={busy} onClose={onClose} onConfirm={answer}>
      <p>
        A new instance with the same disks as this one has now, and addresses of its own. Its user data runs again.
        {instance.state === 'running' && ' It begins as this one would after a power failure: stop it first where that is not good enough.'}
      </p>
      <Field id="clone-name" label="Name">
        <input id="clone-name" required maxLength={255} value={clone.name} onInput={(event) => change({ name: event.currentTarget.value })} />
      </Field>
      <Field id="clone-count" label="How many">
        <input id="clone-count" type="number" required min={1} max={kMostCopies} value={clone.count}
          onInput={(event) => change({ count: Number(event.currentTarget.value) })} />
      </Field>
      <Command text={cloneCommand(instance, clone)} what="the pileus command" />
    </Dialog>
  );
}

function MigrateQuestion({ session, inventory, instance, onClose }: QuestionProps) {
  const hosts = hostsFor(instance, useValue(inventory.hosts) ?? []);
  const [token, setToken] = useState(() => crypto.randomUUID());
  const [chosen, setChosen] = useState('');
  const [reboot, setReboot] = useState(false);
  const runs = instance.state === 'running';
  const wish = { host: hosts.find((each) => each.id === chosen) ?? null, reboot: runs && reboot };
  const choose = (id: string) => {
    setChosen(id);
    setToken(crypto.randomUUID());
  };
  const { busy, answer } = useAnswer(async () => {
    await session.cloud.call('PileusMigrateInstance', migrationParameters(instance, wish, token));
    inventory.changed.set([instance.id]); // what shows where it is looks again
    onClose();
  });
  return (
    <Dialog title={`Migrate ${labelOf(instance)}`} confirm="Migrate" busy={busy} onClose={onClose} onConfirm={answer}>
      <p>
        It goes to another host with its volumes and addresses. Until it is there it is whole where it is, and may be kept here.
        {!runs && ' There it starts the next time.'}
      </p>
      <Field id="migrate-host" label="Host" hint={session.administrator ? 'Of its zone.' : 'Administrators may choose one.'}>
        <select id="migrate-host" aria-describedby="migrate-host-hint" value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">Wherever it fits</option>
          {hosts.map((each) => (
            <option key={each.id} value={each.id}>{each.name}</option>
          ))}
        </select>
      </Field>
      {runs && (
        <div class="field">
          <label class="choice">
            <input type="checkbox" required checked={reboot} onChange={(event) => setReboot(event.currentTarget.checked)} />
            <span>
              Shut it down for the move, and start it again there
              <small>No instance is moved while it runs.</small>
            </span>
          </label>
        </div>
      )}
      <Command text={migrationCommand(instance, wish)} what="the pileus command" />
    </Dialog>
  );
}

export function Moves(props: TabProps) {
  const [asked, setAsked] = useState<'clone' | 'migrate' | null>(null);
  const fits = (state: Instance['state']) => state === 'running' || state === 'stopped';
  const close = () => setAsked(null);
  return (
    <>
      <Button icon="copy" disabled={!fits(props.instance.state)} onClick={() => setAsked('clone')}>Clone…</Button>
      <Button icon="migrate" disabled={!fits(props.instance.state)} onClick={() => setAsked('migrate')}>Migrate…</Button>
      {asked === 'clone' && <CloneQuestion {...props} onClose={close} />}
      {asked === 'migrate' && <MigrateQuestion {...props} onClose={close} />}
    </>
  );
}
