// The serial console in the page. What the guest writes comes as events, what is typed goes by calls of the API.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { LiveStream } from '../api/live';
import { base64 } from '../data/launch';
import { Typing } from '../data/typing';
import { Button, Empty } from '../ui/parts';
import { attempt, toast } from '../ui/toasts';
import type { TabProps } from './instance';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

function makeTerminal(): Terminal {
  return new Terminal({
    cursorBlink: true,
    fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: 13,
    screenReaderMode: true,
    scrollback: 5000,
    theme: { background: '#10141c', foreground: '#dbe2ee', cursor: '#8fb0ff' },
  });
}

// Shows the console in `place` until it is closed.
function attach(place: HTMLElement, { session, instance }: TabProps, onState: (state: string) => void): () => void {
  const terminal = makeTerminal();
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(place);
  fit.fit();
  terminal.focus();
  // Tab stays a key of the guest's; this one leads out for who has no mouse.
  terminal.attachCustomKeyEventHandler((event) => !(event.key === 'Escape' && event.shiftKey));
  const observer = new ResizeObserver(() => fit.fit());
  observer.observe(place);
  const typing = new Typing(
    (text) => session.cloud.call('PileusSendConsoleInput', { InstanceId: instance.id, Data: base64(text) }),
    (error) => toast('failed', error instanceof Error ? error.message : String(error)),
  );
  let open = false;
  terminal.onData((text) => {
    if (open) typing.type(text);
  });
  const stream = new LiveStream(session.cloud, 'PileusOpenConsole', { InstanceId: instance.id }, ['output', 'ended'], {
    onOpen: () => {
      open = true;
      terminal.reset(); // the cloud shows the latest output again
      onState('waiting for its host');
    },
    onEvent: (name, data) => {
      onState(name === 'output' ? 'connected' : 'over');
      if (name === 'output') terminal.write(bytesOf(data));
      else terminal.write(`\r\n\x1b[2m[${JSON.parse(data) as string}]\x1b[0m\r\n`);
    },
    onBroken: (why, again) => {
      open = false;
      onState(again ? 'reconnecting' : why);
    },
  });
  return () => {
    stream.close();
    observer.disconnect();
    terminal.dispose();
  };
}

function Live(props: TabProps) {
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState('connecting');
  useEffect(() => (place.current ? attach(place.current, props, setState) : undefined), [props.instance.id]);
  return (
    <>
      <p class="console-state">
        <span role="status">Serial console: {state}</span>
        <span class="quiet">Shift+Escape leaves it by keyboard</span>
      </p>
      <div class="console-screen" ref={place} role="group" aria-label="Serial console"
        onKeyDown={(event) => {
          if (event.key === 'Escape' && event.shiftKey) document.getElementById('tab-console')?.focus();
        }} />
    </>
  );
}

// The end of what it wrote, as its host last told it: also when the instance does not run any more.
function Log({ session, instance }: TabProps) {
  const [text, setText] = useState<string | null>(null);
  const read = () =>
    void attempt(async () => {
      const answer = await session.cloud.call('GetConsoleOutput', { InstanceId: instance.id });
      const output = new TextDecoder().decode(bytesOf(answer.text('output')));
      setText(output.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, ''));
    }, '');
  return (
    <section aria-labelledby="log">
      <h2 id="log">
        System log
        <Button onClick={read}>{text === null ? 'Show the log' : 'Read it again'}</Button>
      </h2>
      {text === '' && <Empty title="It has written nothing yet." />}
      {text && (
        <pre class="log" tabIndex={0} aria-label="System log">
          {text}
        </pre>
      )}
    </section>
  );
}

export function ConsoleTab(props: TabProps) {
  const runs = props.instance.state === 'running';
  return (
    <>
      <section class="card">
        {runs ? <Live {...props} /> : <Empty title={`It has a serial console while it runs; it is ${props.instance.state}.`} />}
      </section>
      <div class="card">
        <Log {...props} />
      </div>
    </>
  );
}
