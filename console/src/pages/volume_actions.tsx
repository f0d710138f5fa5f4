// What can be done with a volume: each a button, and most of them a question.
import { useState } from 'preact/hooks';
import { diskLabel, type Volume } from '../api/disks';
import { labelOf } from '../api/records';
import type { Parameters } from '../api/cloud';
import { freeDevice } from '../data/devices';
import { useValue } from '../data/observable';
import { Dialog } from '../ui/dialog';
import { Button, Field } from '../ui/parts';
import { attempt } from '../ui/toasts';
import type { PageProps } from './page';

interface ActionsProps extends PageProps {
  volume: Volume;
  again: () => void;
}

// Calls the API and closes the question.
type CarryOut = (action: string, parameters: Parameters, done: string) => void;
interface QuestionProps extends ActionsProps {
  onClose: () => void;
  carryOut: CarryOut;
}

function Attach({ volume, inventory, onClose, carryOut }: QuestionProps) {
  const fitting = (useValue(inventory.instances) ?? []).filter(
    (each) => each.zone === volume.zone && ['running', 'stopped'].includes(each.state),
  );
  const [chosen, setChosen] = useState('');
  const [device, setDevice] = useState<string | null>(null);
  const instance = fitting.find((each) => each.id === chosen) ?? fitting[0];
  const shown = device ?? freeDevice(instance?.volumes.map((each) => each.device) ?? []);
  const attach = () => {
    if (!instance) return onClose();
    carryOut('AttachVolume', { VolumeId: volume.id, InstanceId: instance.id, Device: shown }, `${diskLabel(volume)} goes to ${labelOf(instance)}`);
  };
  return (
    <Dialog title={`Attach ${diskLabel(volume)}`} confirm="Attach" onClose={onClose} onConfirm={attach}>
      <Field id="attach-instance" label="Instance" hint={`Those of ${volume.zone} that run or are stopped.`}>
        <select id="attach-instance" required aria-describedby="attach-instance-hint" value={instance?.id ?? ''}
          onChange={(event) => setChosen(event.currentTarget.value)}>
          {fitting.map((each) => (
            <option key={each.id} value={each.id}>{labelOf(each)}, {each.state}</option>
          ))}
        </select>
      </Field>
      <Field id="attach-device" label="Device">
        <input id="attach-device" required value={shown} onInput={(event) => setDevice(event.currentTarget.value)} />
      </Field>
    </Dialog>
  );
}

function Detach({ volume, onClose, carryOut }: QuestionProps) {
  return (
    <Dialog danger title={`Detach ${diskLabel(volume)}?`} confirm="Detach" onClose={onClose}
      onConfirm={() => carryOut('DetachVolume', { VolumeId: volume.id }, `${diskLabel(volume)} is being detached`)}>
      <p>The instance should not have it mounted any more.</p>
    </Dialog>
  );
}

function MakeSnapshot({ volume, onClose, carryOut }: QuestionProps) {
  const [description, setDescription] = useState('');
  return (
    <Dialog title={`Make a snapshot of ${diskLabel(volume)}`} confirm="Make" onClose={onClose}
      onConfirm={() => carryOut('CreateSnapshot', { VolumeId: volume.id, Description: description }, `A snapshot of ${diskLabel(volume)} is being made`)}>
      <Field id="snapshot-description" label="Description" hint="It holds what the volume holds now, as a disk does when the power fails.">
        <input id="snapshot-description" maxLength={255} aria-describedby="snapshot-description-hint" value={description}
          onInput={(event) => setDescription(event.currentTarget.value)} />
      </Field>
    </Dialog>
  );
}

function Grow({ volume, onClose, carryOut }: QuestionProps) {
  const [size, setSize] = useState(String(volume.sizeGib + 1));
  return (
    <Dialog title={`Make ${diskLabel(volume)} larger`} confirm="Make larger" onClose={onClose}
      onConfirm={() => carryOut('ModifyVolume', { VolumeId: volume.id, Size: size }, `${diskLabel(volume)} becomes ${size} GiB`)}>
      <Field id="volume-size" label="New size in GiB" hint="The file system in it is grown from inside of the instance.">
        <input id="volume-size" type="number" required min={volume.sizeGib + 1} max={16384} aria-describedby="volume-size-hint" value={size}
          onInput={(event) => setSize(event.currentTarget.value)} />
      </Field>
    </Dialog>
  );
}

function Delete({ volume, onClose, carryOut }: QuestionProps) {
  return (
    <Dialog danger title={`Delete ${diskLabel(volume)}?`} confirm="Delete" onClose={onClose}
      onConfirm={() => carryOut('DeleteVolume', { VolumeId: volume.id }, `${diskLabel(volume)} is deleted`)}>
      <p>All that is in it goes for good. Snapshots of it stay.</p>
    </Dialog>
  );
}

const kQuestions = { Attach, Detach, MakeSnapshot, Grow, Delete };

export function VolumeActions(props: ActionsProps) {
  const { volume, session, again } = props;
  const [asked, setAsked] = useState<keyof typeof kQuestions | null>(null);
  const carryOut: CarryOut = async (action, parameters, done) => {
    if (!(await attempt(() => session.cloud.call(action, parameters), done))) return; // the question stays, to be mended
    setAsked(null);
    again();
  };
  const free = volume.state === 'available';
  const used = volume.state === 'in-use';
  const Question = asked && kQuestions[asked];
  return (
    <div class="power" role="group" aria-label="Actions">
      <Button disabled={!free} onClick={() => setAsked('Attach')}>Attach…</Button>
      <Button disabled={volume.attachment?.state !== 'attached'} onClick={() => setAsked('Detach')}>Detach…</Button>
      <Button disabled={!free && !used} onClick={() => setAsked('MakeSnapshot')}>Snapshot…</Button>
      <Button disabled={!free && !used} onClick={() => setAsked('Grow')}>Make larger…</Button>
      <Button icon="terminate" kind="danger" disabled={!free && volume.state !== 'error'} onClick={() => setAsked('Delete')}>Delete…</Button>
      {Question && <Question {...props} carryOut={carryOut} onClose={() => setAsked(null)} />}
    </div>
  );
}
