// What a thing is, in pairs of words.
import type { ComponentChildren } from 'preact';
import { Copy } from './parts';

export function Fact({ label, copy, children }: { label: string; copy?: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {children}
        {copy && <Copy text={copy} what={label.toLowerCase()} />}
      </dd>
    </div>
  );
}
