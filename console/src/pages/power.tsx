// What can be done to instances as a whole: buttons for those that fit their states, with a question before the end.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { list } from '../api/cloud';
import { type Instance, labelOf } from '../api/records';
import type { Session } from '../data/session';
import { Dialog } from '../ui/dialog';
import type { IconName } from '../ui/icon';
import { Button } from '../ui/parts';
import { attempt } from '../ui/toasts';

interface Verb {
  label: string;
  icon: IconName;
  action: string;
  from: string[]; // states in which it makes sense
  done: string;
}

const kVerbs: Verb[] = [
  { label: 'Start', icon: 'start', action: 'StartInstances', from: ['stopped'], done: 'is starting' },
  { label: 'Stop', icon: 'stop', action: 'StopInstances', from: ['running', 'pending'], done: 'is stopping' },
  { label: 'Reboot', icon: 'reboot', action: 'RebootInstances', from: ['running'], done: 'is rebooting' },
];
const kTerminate: Verb = {
  label: 'Terminate',
  icon: 'terminate',
  action: 'TerminateInstances',
  from: ['running', 'pending', 'stopped', 'stopping'],
  done: 'ends for good',
};

interface PowerProps {
  session: Session;
  instances: Instance[];
  onDone?: () => void;
  children?: ComponentChildren; // more buttons, before the last one
}

export function Power({ session, instances, onDone, children }: PowerProps) {
  const [asking, setAsking] = useState(false);
  const fitting = (verb: Verb) => instances.filter((each) => verb.from.includes(each.state));
  const carryOut = async (verb: Verb) => {
    const ids = fitting(verb).map((each) => each.id);
    const one = fitting(verb)[0];
    const subject = ids.length === 1 && one ? labelOf(one) : `Each of the ${ids.length} instances`;
    if (await attempt(() => session.cloud.call(verb.action, list('InstanceId', ids)), `${subject} ${verb.done}`)) onDone?.();
  };
  const doomed = fitting(kTerminate);
  return (
    <div class="power" role="group" aria-label="Actions">
      {kVerbs.map((verb) => (
        <Button key={verb.label} icon={verb.icon} disabled={fitting(verb).length === 0} onClick={() => void carryOut(verb)}>
          {verb.label}
        </Button>
      ))}
      {children}
      <Button icon="terminate" kind="danger" disabled={doomed.length === 0} onClick={() => setAsking(true)}>
        Terminate…
      </Button>
      {asking && (
        <Dialog danger confirm="Terminate" onClose={() => setAsking(false)}
          title={doomed.length === 1 && doomed[0] ? `Terminate ${labelOf(doomed[0])}?` : `Terminate ${doomed.length} instances?`}
          onConfirm={() => {
            setAsking(false);
            void carryOut(kTerminate);
          }}>
          <p>It ends for good, and its disk goes with it. There is no way back.</p>
        </Dialog>
      )}
    </div>
  );
}
