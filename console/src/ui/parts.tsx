// Small parts that all pages are made of.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon';

const kSettled = ['running', 'stopped', 'terminated', 'ready', 'active', 'available', 'in-use', 'attached', 'completed', 'error', 'failed'];

// A state, by its word first; the colour only repeats it.
export function State({ value }: { value: string }) {
  const moves = !kSettled.includes(value) && value !== 'lost' && value !== 'unknown';
  return (
    <span class={`state ${value}`}>
      <span class={moves ? 'dot moving' : 'dot'} aria-hidden="true" />
      {value}
    </span>
  );
}

// The heading of a page, which gets the focus when the page is come to, so that screen readers begin there.
export function Heading({ children, actions }: { children: ComponentChildren; actions?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <header class="heading">
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
      {actions && <div class="actions">{actions}</div>}
    </header>
  );
}

interface ButtonProps {
  icon?: IconName;
  kind?: 'primary' | 'danger' | 'plain';
  disabled?: boolean;
  type?: 'button' | 'submit';
  onClick?: () => void;
  children: ComponentChildren;
}
export function Button({ icon, kind, disabled, type = 'button', onClick, children }: ButtonProps) {
  return (
    <button type={type} class={kind ?? ''} disabled={disabled ?? false} onClick={onClick}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function Copy({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    window.setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" class="plain copy" aria-label={copied ? `${what} copied` : `Copy ${what}`} title={`Copy ${what}`}
      onClick={() => void copy()}>
      <Icon name={copied ? 'check' : 'copy'} />
    </button>
  );
}

export function Command({ text, what }: { text: string; what: string }) {
  return (
    <div class="command">
      <code>{text}</code>
      <Copy text={text} what={what} />
    </div>
  );
}

interface FieldProps {
  label: string;
  hint?: string;
  id: string;
  children: ComponentChildren;
}
// A labelled control; the control has `id`, and names `${id}-hint` as its description if there is a hint.
export function Field({ label, hint, id, children }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export function Meter({ label, used, total, text }: { label: string; used: number; total: number; text: string }) {
  const part = total > 0 ? Math.min(1, used / total) : 0;
  return (
    <div class="meter">
      <span class="meter-label">{label}</span>
      <span class="meter-text">{text}</span>
      <div class={part > 0.9 ? 'bar full' : 'bar'} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100}
        aria-valuenow={Math.round(part * 100)} aria-valuetext={text}>
        <div style={{ width: `${part * 100}%` }} />
      </div>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{title}</p>
      {children}
    </div>
  );
}

export const Loading = () => (
  <p class="loading" role="status">
    Loading…
  </p>
);
