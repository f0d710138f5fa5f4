// A question before something that cannot be undone, and other small dialogs: the browser's own, which keeps the focus
// inside and gives it back. What is behind it is out of reach, messages too: so it has them as well.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from './parts';
import { Toasts } from './toasts';

interface DialogProps {
  title: string;
  confirm: string;
  danger?: boolean;
  busy?: boolean; // it is being carried out
  onConfirm: () => void;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, confirm, danger = false, busy = false, onConfirm, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    onConfirm();
  };
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind={danger ? 'danger' : 'primary'} disabled={busy}>
            {confirm}
          </Button>
        </div>
      </form>
      <Toasts />
    </dialog>
  );
}
